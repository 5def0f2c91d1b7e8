//! Following namespaces, against an API server that says what the test wants.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use rolecall_proxy::{
    may::RestrictionFormat,
    who::{AnnotationKeys, Cluster, Directory, Lists, Namespaces, Watch},
};
use rstest::rstest;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{path, query_param},
};

use crate::world::LONG;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn containing(&self, text: &str) -> usize {
        let all = String::from_utf8_lossy(&self.0.lock().expect("no panic")).into_owned();
        all.lines().filter(|line| line.contains(text)).count()
    }
}

fn namespace(name: &str, list: Option<&str>) -> serde_json::Value {
    let annotations = list.map(|list| json!({ "iam.amazonaws.com/allowed-roles": list }));
    json!({ "metadata": { "name": name, "annotations": annotations } })
}

/// An API server without pods, whose watches end at once.
async fn api_server(namespaces: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(query_param("watch", "true"))
        .respond_with(ResponseTemplate::new(410).set_body_json(json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410, "message": "x"
        })))
        .with_priority(1)
        .mount(&server)
        .await;
    let list = json!({ "kind": "PodList", "apiVersion": "v1", "metadata": { "resourceVersion": "1" }, "items": [] });
    Mock::given(path("/api/v1/pods"))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .mount(&server)
        .await;
    Mock::given(path("/api/v1/namespaces"))
        .respond_with(namespaces)
        .mount(&server)
        .await;
    server
}

fn listed(items: &[serde_json::Value]) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "kind": "NamespaceList", "apiVersion": "v1", "metadata": { "resourceVersion": "1" }, "items": items
    }))
}

/// Follows `server` until `done`; gives what was logged.
async fn follow(
    server: &MockServer,
    restrict: bool,
    done: impl AsyncFn(&Directory, &Namespaces) -> bool,
) -> (Lines, Arc<Namespaces>) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (pods, namespaces) = (Arc::new(Directory::new()), Arc::new(Namespaces::new()));
    let watch = Watch {
        node: None,
        keys: AnnotationKeys {
            role: "role".to_owned(),
            external_id: "id".to_owned(),
            vault_role: "iam.amazonaws.com/vault-role".to_owned(),
        },
        lists: Lists {
            key: "iam.amazonaws.com/allowed-roles".to_owned(),
            format: RestrictionFormat::Regexp,
            restrict,
        },
        pods: pods.clone(),
        namespaces: namespaces.clone(),
    };
    let url = server.uri().parse().expect("a URL");
    let client = Cluster::Server(url, None).client().await.expect("a client");
    let reached = async {
        while !done(&pods, &namespaces).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = watch.run(client) => panic!("the watch ended"),
        reached = tokio::time::timeout(LONG, reached) => reached.expect("in time"),
    }
    (lines, namespaces)
}

async fn asked(server: &MockServer, at: &str) -> usize {
    let requests = server.received_requests().await.unwrap_or_default();
    let lists = requests.iter().filter(|request| {
        let watches = request.url.query().is_some_and(|query| query.contains("watch="));
        request.url.path() == at && !watches
    });
    lists.count()
}

#[rstest]
#[case::off(false, 1)]
#[case::on(true, 0)]
#[tokio::test]
async fn a_list_that_does_nothing_is_warned_of_once_for_each_namespace(
    #[case] restrict: bool,
    #[case] warnings: usize,
) {
    let list = [
        namespace("a", Some(r#"["x"]"#)),
        namespace("b", Some(r#"["y"]"#)),
        namespace("c", None),
        namespace("d", Some(" ")),
    ];
    let server = api_server(listed(&list)).await;
    // More than once listed, as after an interruption.
    let (lines, namespaces) = follow(&server, restrict, async |_, namespaces| {
        namespaces.is_synced() && asked(&server, "/api/v1/namespaces").await >= 3
    })
    .await;
    let warned = |name: &str| lines.containing(&format!("namespace=\"{name}\""));
    assert_eq!(
        [warned("a"), warned("b"), warned("c"), warned("d")],
        [warnings, warnings, 0, 0]
    );
    assert_eq!(lines.containing("--namespace-restrictions"), 2 * warnings);
    assert_eq!(namespaces.with_lists(), 2);
}

#[tokio::test]
async fn an_entry_that_cannot_be_used_is_told_once() {
    let server = api_server(listed(&[namespace("a", Some(r#"["(", "x"]"#))])).await;
    let (lines, _) = follow(&server, true, async |_, namespaces| {
        namespaces.is_synced() && asked(&server, "/api/v1/namespaces").await >= 3
    })
    .await;
    assert_eq!(lines.containing("allows nothing"), 1);
}

#[tokio::test]
async fn an_account_that_may_not_list_namespaces_serves_without_them_if_they_limit_nothing() {
    let forbidden = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no"
    });
    let server = api_server(ResponseTemplate::new(403).set_body_json(&forbidden)).await;
    let (lines, _) = follow(&server, false, async |pods, _| {
        pods.is_synced() && asked(&server, "/api/v1/pods").await >= 3
    })
    .await;
    assert_eq!(lines.containing("may not be listed"), 1);
    assert_eq!(lines.containing("INFO"), 1);
    assert_eq!(asked(&server, "/api/v1/namespaces").await, 1);
    // Where they limit something, nothing else is as urgent.
    let (lines, namespaces) = follow(&server, true, async |_, _| {
        asked(&server, "/api/v1/namespaces").await >= 4
    })
    .await;
    assert!(lines.containing("the watch failed") > 0 && !namespaces.is_synced());
}
