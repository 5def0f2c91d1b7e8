//! The client steers real services over a real socket.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_smithy_http_client::Builder;
use rolecall_accept::CancellationToken;
use rolecall_aws::{Door, Enforcement, Verdict};
use rolecall_clock::{Clock, SdkTime};
use rstest::rstest;
use tokio::sync::mpsc;

use super::*;
use crate::serve::{
    listen::Listening,
    nodes::Node,
    root_key::root_key,
    services::{FrontSettings, Services, Sockets},
};

const TOKEN: &str = "0123456789abcdef";
const ROOT: &str = "AKIAROLECALLROOT0000:a-secret-of-the-root-user";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

struct Served {
    services: Arc<Services>,
    front: SocketAddr,
    imds: SocketAddr,
    control: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Served {
    async fn new() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let front = Listening::on(any, "--listen").await.expect("a port");
        let imds = Listening::on(any, "--imds").await.expect("a port");
        let control = Listening::on(any, "--control").await.expect("a port");
        let addresses = (front.address(), imds.address(), control.address());
        let settings = FrontSettings {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            root: root_key(ROOT).expect("a key"),
            accounts: Vec::new(),
            enforcement: Enforcement::On,
            upstream: None,
            vault: None,
        };
        let sockets = Sockets {
            front: vec![(front, Door::World)],
            imds: Some(imds),
            vault: Vec::new(),
            kubernetes: None,
        };
        let (ended, _) = mpsc::unbounded_channel();
        let services = Services::start(sockets, settings, vec![node("nodes")], ended).expect("services");
        let stop = CancellationToken::new();
        let server = ControlServer::new(services.clone(), TOKEN.to_owned().into());
        let (listener, stopped) = (control.listener().expect("a listener"), stop.clone());
        tokio::spawn(server.serve(listener, stopped));
        Self {
            services,
            front: addresses.0,
            imds: addresses.1,
            control: addresses.2,
            stop,
        }
    }

    fn client(&self) -> ControlClient {
        self.client_with(TOKEN)
    }

    fn client_with(&self, token: &str) -> ControlClient {
        ControlClient::new(&format!("http://{}", self.control), token.to_owned().into()).expect("a URL")
    }

    fn aws(&self, key: &str) -> SdkConfig {
        let (id, secret) = key.split_once(':').expect("a key");
        let keys = Credentials::new(id, secret, None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(format!("http://{}", self.front))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(Builder::new().build_http())
            .time_source(SdkTime(Clock::new()))
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .retry_config(RetryConfig::disabled())
            .build()
    }

    async fn account(&self) -> Option<String> {
        let sts = aws_sdk_sts::Client::new(&self.aws(ROOT));
        sts.get_caller_identity().send().await.expect("an answer").account
    }

    /// A role for the instances, as an operator makes it.
    async fn make_role(&self) {
        let iam = aws_sdk_iam::Client::new(&self.aws(ROOT));
        let role = iam.create_role().role_name("nodes").assume_role_policy_document(TRUST);
        role.send().await.expect("a role");
        let profile = iam.create_instance_profile().instance_profile_name("nodes");
        profile.send().await.expect("a profile");
        let into = iam
            .add_role_to_instance_profile()
            .instance_profile_name("nodes")
            .role_name("nodes");
        into.send().await.expect("the role in the profile");
    }

    async fn metadata(&self, path: &str) -> (u16, String) {
        use http_body_util::{BodyExt, Empty};
        use hyper_util::{client::legacy::Client, rt::TokioExecutor};
        let http: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let uri = format!("http://{}{path}", self.imds).parse().expect("a URI");
        let answer = http.get(uri).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

fn node(profile: &str) -> Node {
    let json = format!(r#"{{"name": "node-1", "address": "127.0.0.1", "instance_profile": "{profile}"}}"#);
    serde_json::from_str(&json).expect("a node")
}

#[rstest]
#[case::another("fedcba9876543210")]
#[case::a_beginning("0123456789abcde")]
#[case::none("")]
#[tokio::test]
async fn nothing_is_done_for_who_has_not_the_token(#[case] token: &str) {
    let served = Served::new().await;
    let client = served.client_with(token);
    let errors = [
        client
            .advance(Duration::from_secs(60))
            .await
            .map(drop)
            .expect_err("refused"),
        client.secrets().await.map(drop).expect_err("refused"),
        client.reset(&Reset::default()).await.map(drop).expect_err("refused"),
    ];
    for error in errors {
        assert!(matches!(error, ControlError::Refused { status: 401, .. }), "{error}");
    }
    assert_eq!(served.services.current().clock.offset(), Duration::ZERO);
    assert_eq!(*served.services.generation().borrow(), 0);
}

#[tokio::test]
async fn a_moved_clock_is_seen_by_both_services_at_once() {
    let served = Served::new().await;
    served.make_role().await;
    let path = "/latest/meta-data/iam/security-credentials/nodes";
    let (_, before) = served.metadata(path).await;
    // Six hours are over: the metadata service has fetched new keys from the front, which signs for their time.
    let moved = served
        .client()
        .advance(Duration::from_secs(6 * 3600))
        .await
        .expect("a clock");
    assert_eq!(moved.offset_ms, 6 * 3600 * 1000);
    let (_, after) = served.metadata(path).await;
    assert_ne!(before, after);
    assert_eq!(
        served.client().clock().await.expect("a clock").offset_ms,
        moved.offset_ms
    );
}

#[tokio::test]
async fn what_was_asked_and_decided_is_told_by_number_and_by_id() {
    let served = Served::new().await;
    served.account().await;
    let stranger = served.aws("AKIANOBODYKNOWSTHIS0:a-secret-of-nobody");
    let refused = aws_sdk_iam::Client::new(&stranger)
        .list_roles()
        .send()
        .await
        .expect_err("unknown");
    assert_eq!(refused.code(), Some("InvalidClientTokenId"));
    let client = served.client();
    let entries = client.journal(0).await.expect("a journal");
    let operations: Vec<_> = entries.iter().map(|entry| entry.operation.as_str()).collect();
    assert_eq!(operations, ["GetCallerIdentity", "ListRoles"]);
    let [second] = client
        .decisions(entries[1].number)
        .await
        .expect("decisions")
        .try_into()
        .expect("one");
    assert_eq!(second.verdict, Verdict::Failed("InvalidClientTokenId".to_owned()));
    let first = client
        .decision(&entries[0].request_id)
        .await
        .expect("an answer")
        .expect("a decision");
    assert_eq!(
        (first.operation.as_str(), &first.verdict),
        ("GetCallerIdentity", &Verdict::Allowed)
    );
    assert!(client.decision("nobody-knows").await.expect("an answer").is_none());
    assert!(client.decision("../status").await.expect("an answer").is_none());
}

#[tokio::test]
async fn faults_are_met_until_they_are_healed() {
    let served = Served::new().await;
    let client = served.client();
    let sts = aws_sdk_sts::Client::new(&served.aws(ROOT));
    let code = "Throttling".to_owned();
    client
        .inject("sts", &Fault::Error { code, times: Some(2) })
        .await
        .expect("injected");
    let error = sts.get_caller_identity().send().await.expect_err("throttled");
    assert_eq!(error.code(), Some("Throttling"));
    let healed = client.heal("sts").await.expect("healed").expect("there was one");
    assert_eq!((healed.met, healed.left), (Some(1), Some(1)));
    assert!(client.heal("sts").await.expect("an answer").is_none());
    sts.get_caller_identity().send().await.expect("served again");

    client
        .inject(
            "imds",
            &Fault::Status {
                status: 503,
                times: None,
            },
        )
        .await
        .expect("injected");
    assert_eq!(served.metadata("/latest/meta-data/").await.0, 503);
    client.heal("imds").await.expect("healed");
    assert_eq!(served.metadata("/latest/meta-data/").await.0, 200);
    let asked = client.metadata_journal(0).await.expect("a journal");
    let statuses: Vec<_> = asked.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(503), Some(200)]);
    assert_eq!(
        client.metadata_journal(asked[1].number).await.expect("a journal"),
        asked[1..]
    );
}

#[rstest]
#[case::an_error_code_of_the_metadata_service("imds", Fault::Error { code: "X".to_owned(), times: None })]
#[case::a_status_of_aws("sts", Fault::Status { status: 500, times: None })]
#[case::no_status("imds", Fault::Status { status: 7, times: None })]
#[case::a_watch_of_aws("sts", Fault::DropWatch { times: None })]
#[tokio::test]
async fn a_fault_that_a_service_cannot_have_is_refused(#[case] service: &str, #[case] fault: Fault) {
    let error = Served::new()
        .await
        .client()
        .inject(service, &fault)
        .await
        .expect_err("refused");
    assert!(matches!(error, ControlError::Refused { status: 400, .. }), "{error}");
}

#[tokio::test]
async fn instances_get_the_keys_of_their_own_profile_and_what_they_hold_is_told_as_secret() {
    let served = Served::new().await;
    served.make_role().await;
    let client = served.client();
    let (_, document) = served
        .metadata("/latest/meta-data/iam/security-credentials/nodes")
        .await;
    let document: serde_json::Value = serde_json::from_str(&document).expect("a document");
    let secret = document["SecretAccessKey"].as_str().expect("a secret");
    let known = client.secrets().await.expect("secrets");
    let what: Vec<_> = known
        .iter()
        .filter(|known| known.value == secret)
        .map(|known| known.what.as_str())
        .collect();
    assert_eq!(what, ["role credentials", "key"]);
    let (_, user_data) = served.metadata("/latest/user-data").await;
    assert!(
        known
            .iter()
            .any(|known| known.what == "user data" && known.value == user_data)
    );

    // A profile that is not there: EC2 has no keys for it, and says why.
    client.put_nodes(&[node("others")]).await.expect("put");
    assert_eq!(client.nodes().await.expect("nodes"), [node("others")]);
    let error = client
        .instance_credentials("others", "i-1")
        .await
        .expect_err("no such profile");
    assert!(matches!(error, ControlError::Refused { status: 409, .. }), "{error}");
    client
        .instance_credentials("nodes", "i-1")
        .await
        .expect("keys of the profile that is there");
}

#[tokio::test]
async fn after_a_reset_nothing_of_before_is_left_and_nobody_was_refused() {
    let served = Served::new().await;
    served.make_role().await;
    let client = served.client();
    client.advance(Duration::from_secs(3600)).await.expect("a clock");
    client.set_propagation(Duration::from_secs(60)).await.expect("set");
    let (_, id) = served.metadata("/latest/meta-data/instance-id").await;
    let reset = Reset {
        account: Some("210987654321".to_owned()),
        enforcement: Some(false),
        ..Reset::default()
    };
    client.reset(&reset).await.expect("reset");
    let status = client.status().await.expect("a status");
    assert_eq!(
        (status.account.as_str(), status.resets, status.enforcement),
        ("210987654321", 1, false)
    );
    assert_eq!(client.clock().await.expect("a clock").offset_ms, 0);
    assert_eq!(client.journal(0).await.expect("a journal").len(), 0);
    assert_eq!(client.metadata_journal(0).await.expect("a journal").len(), 0);
    // Nothing is made in an upstream where there is none.
    assert_eq!(client.remove_all().await.expect("an answer").removed, Some(0));
    // The same sockets, another account, no role, another instance.
    assert_eq!(served.account().await.as_deref(), Some("210987654321"));
    let iam = aws_sdk_iam::Client::new(&served.aws(ROOT));
    let error = iam.get_role().role_name("nodes").send().await.expect_err("no role");
    assert_eq!(error.code(), Some("NoSuchEntity"));
    assert_ne!(served.metadata("/latest/meta-data/instance-id").await.1, id);
}

#[rstest]
#[case::no_account(Reset { account: Some("12".to_owned()), ..Reset::default() })]
#[case::the_same_account_twice(Reset {
    accounts: Some(vec![AccountKeys { id: "123456789012".to_owned(), root_key: "AKIAOTHER:secret".to_owned() }]),
    ..Reset::default()
})]
#[case::no_root_key(Reset { root_key: Some("nothing".to_owned()), ..Reset::default() })]
#[case::the_same_node_twice(Reset { nodes: Some(vec![node("nodes"), node("nodes")]), ..Reset::default() })]
#[tokio::test]
async fn a_reset_that_contradicts_itself_changes_nothing(#[case] reset: Reset) {
    let served = Served::new().await;
    served.make_role().await;
    let error = served.client().reset(&reset).await.expect_err("refused");
    assert!(matches!(error, ControlError::Refused { status: 400, .. }), "{error}");
    let iam = aws_sdk_iam::Client::new(&served.aws(ROOT));
    iam.get_role()
        .role_name("nodes")
        .send()
        .await
        .expect("the role is still there");
    assert_eq!(served.client().nodes().await.expect("nodes"), [node("nodes")]);
}

#[rstest]
#[case::https("https://127.0.0.1:1")]
#[case::a_path("http://127.0.0.1:1/v1/")]
#[case::no_url("127.0.0.1:1")]
fn what_is_no_url_of_a_control_listener_is_refused(#[case] url: &str) {
    ControlClient::new(url, TOKEN.to_owned().into()).expect_err("no such URL");
}

#[tokio::test]
async fn who_waits_for_a_listener_is_told_what_did_not_answer() {
    // A port that was free a moment ago: nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = ControlClient::new(&url, TOKEN.to_owned().into()).expect("a URL");
    let error = client.ready(Duration::from_millis(200)).await.expect_err("nobody");
    assert!(
        matches!(&error, ControlError::Unreachable { url: named, .. } if *named == url),
        "{error}"
    );
}
