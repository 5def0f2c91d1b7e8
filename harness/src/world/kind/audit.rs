//! What subjects and pods ask the API server, from its own audit log. Its policy leaves out what belongs to the cluster and
//! what the operator asks.

use std::{
    collections::{BTreeMap, HashSet},
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use rolecall_scenario::model::{Action, Scenario};
use serde::Deserialize;

use super::{
    cluster::{ClusterNode, KindCluster},
    command::Program,
    daemon_set::PROXY,
    marks::NAMESPACE,
};
use crate::{
    check::JournalEntry,
    world::{
        WorldError,
        recorded::{Addresses, answer, without_query},
    },
};

const POLICY: &str = include_str!("audit-policy.yaml");
/// Where `kind-config.yaml` lets the API server find its policy.
const POLICY_FILE: &str = "/etc/kubernetes/rolecall/audit-policy.yaml";
/// Where it lets the API server write.
const LOG: &str = "/var/log/kubernetes/rolecall-audit.log";
/// Where a token of a pod says on which node it is used (Kubernetes 1.32; "Service account tokens bound to nodes").
const NODE: &str = "authentication.kubernetes.io/node-name";
const INTERVAL: Duration = Duration::from_millis(200);

/// The audit log since a scenario began.
#[derive(Clone, Debug)]
pub(super) struct Audit {
    /// The node with the log.
    host: String,
    /// Bytes that were there before.
    from: u64,
}

/// One line of the log, as far as it is read (`audit.k8s.io/v1`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    /// The same for all lines of a request.
    #[serde(rename = "auditID")]
    id: String,
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    uri: String,
    user: User,
    /// The last is the peer; those before it are what the request says of itself.
    #[serde(rename = "sourceIPs", default)]
    sources: Vec<IpAddr>,
    #[serde(default)]
    response_status: Status,
}

#[derive(Debug, Deserialize)]
struct User {
    username: String,
    #[serde(default)]
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

/// Whether a scenario reads what the API server was asked.
pub(super) fn wants_audit(scenario: &Scenario) -> bool {
    let reads = |action: &Action| matches!(action, Action::Journal(journal) if journal.service == "kubernetes");
    scenario.steps.iter().any(|step| reads(&step.action.value))
}

/// Writes the policy into the control plane of a cluster that is being made, as soon as there is one: the API server's pod
/// waits for it. Tried until it succeeds; whoever makes the cluster has the deadline.
pub(super) async fn place(cluster: &str) {
    let host = format!("{cluster}-control-plane");
    let script = format!("mkdir -p \"$(dirname {POLICY_FILE})\" && cat > {POLICY_FILE}");
    let write = Program::docker(["exec", "--interactive", &host, "sh", "-c", &script]).input(POLICY);
    while !write.ask().await.is_ok_and(|written| written.exit == Some(0)) {
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Whether the API server of a cluster writes an audit log; one that was made by an earlier version or with another config
/// does not.
///
/// # Errors
/// What Docker says.
pub(super) async fn is_written(cluster: &KindCluster) -> Result<bool, WorldError> {
    let host = &cluster.master()?.host;
    let looked = Program::docker(["exec", host, "test", "-e", LOG]).ask().await?;
    Ok(looked.exit == Some(0))
}

// === impl Audit ===

impl Audit {
    /// What is asked from now on.
    ///
    /// # Errors
    /// The log is not there.
    pub(super) async fn begin(cluster: &KindCluster) -> Result<Self, WorldError> {
        let host = cluster.master()?.host.clone();
        let mut audit = Self { host, from: 0 };
        audit.from = audit.mark().await?;
        Ok(audit)
    }

    /// How many bytes the log has by now.
    ///
    /// # Errors
    /// It is not there any more.
    pub(super) async fn mark(&self) -> Result<u64, WorldError> {
        let told = Program::docker(["exec", &self.host, "stat", "-c", "%s", LOG])
            .run()
            .await?;
        told.trim()
            .parse()
            .map_err(|error| WorldError::doing(format_args!("read the size of {LOG} on {}", self.host), &error))
    }

    /// The requests from a mark on, oldest first.
    ///
    /// # Errors
    /// The log cannot be read, or is none of this Kubernetes' form.
    pub(super) async fn since(
        &self,
        mark: u64,
        nodes: &[ClusterNode],
        addresses: &impl Addresses,
    ) -> Result<Vec<JournalEntry>, WorldError> {
        let from = format!("+{}", mark.max(self.from) + 1);
        let text = Program::docker(["exec", &self.host, "tail", "-c", &from, LOG])
            .run()
            .await?;
        entries(&text, nodes, addresses)
    }
}

/// A request each: what takes long has a line when it is answered and another when it ends.
fn entries(text: &str, nodes: &[ClusterNode], addresses: &impl Addresses) -> Result<Vec<JournalEntry>, WorldError> {
    let mut known = HashSet::new();
    let mut entries = Vec::new();
    for line in text.lines() {
        let event: Event = serde_json::from_str(line)
            .map_err(|error| WorldError::doing(format_args!("read the API server's audit log (`{line}`)"), &error))?;
        // That a watch ends is no request, and it may have begun before the mark.
        let ends = event.verb == "watch" && event.stage == "ResponseComplete";
        if ends || !known.insert(event.id.clone()) {
            continue;
        }
        let from = event.from(nodes);
        entries.push(JournalEntry {
            operation: format!("kubernetes:{}", event.verb),
            from,
            from_name: addresses.name_of(from),
            by: None,
            role: None,
            answer: answer(event.response_status.code),
            region: None,
            path: Some(without_query(&event.uri)),
            headers: Vec::new(),
            why: Vec::new(),
        });
    }
    Ok(entries)
}

// === impl Event ===

impl Event {
    /// Whose request it was. The subject's come by way of the front, so its node is told by its token.
    fn from(&self, nodes: &[ClusterNode]) -> IpAddr {
        let is_subject = self.user.username == format!("system:serviceaccount:{NAMESPACE}:{PROXY}");
        let host = self.user.extra.get(NODE).and_then(|all| all.first());
        let node = nodes.iter().find(|node| is_subject && Some(&node.host) == host);
        let peer = self.sources.last().copied();
        node.map(|node| IpAddr::V4(node.address))
            .or(peer)
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Names;

    impl Addresses for Names {
        fn name_of(&self, address: IpAddr) -> Option<String> {
            let known = [("172.18.0.3", "node-1"), ("10.244.1.7", "aws-cli")];
            let found = known.iter().find(|(known, _)| *known == address.to_string());
            found.map(|(_, name)| (*name).to_owned())
        }

        fn is_pod(&self, address: IpAddr) -> bool {
            address.to_string() == "10.244.1.7"
        }
    }

    fn nodes() -> [ClusterNode; 1] {
        [ClusterNode {
            name: "node-1".to_owned(),
            host: "c-worker".to_owned(),
            address: Ipv4Addr::new(172, 18, 0, 3),
            pods: "10.244.1.0/24".to_owned(),
        }]
    }

    fn line(id: &str, stage: &str, uri: &str, user: &str, sources: &[&str], code: u16) -> String {
        let event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": id, "stage": stage,
            "requestURI": uri, "verb": if uri.contains("watch") { "watch" } else { "list" }, "sourceIPs": sources,
            "user": {"username": user, "extra": {NODE: ["c-worker"]}},
            "responseStatus": {"metadata": {}, "code": code}
        });
        format!("{event}\n")
    }

    const SUBJECT: &str = "system:serviceaccount:rolecall:rolecall-proxy";

    #[test]
    fn a_watch_is_one_request_when_it_begins_of_the_node_whose_token_was_used() {
        let uri = "/api/v1/pods?watch=true";
        let text = [
            // One that began before the mark.
            line("0", "ResponseComplete", uri, SUBJECT, &["172.18.0.9"], 200),
            line("1", "ResponseStarted", uri, SUBJECT, &["172.18.0.9"], 200),
            line("1", "ResponseComplete", uri, SUBJECT, &["172.18.0.9"], 200),
        ];
        let entries = entries(&text.concat(), &nodes(), &Names).expect("entries");
        let [entry] = &entries[..] else {
            panic!("{} entries", entries.len())
        };
        assert_eq!(
            (entry.from_name.as_deref(), entry.path.as_deref(), entry.answer.as_str()),
            (Some("node-1"), Some("/api/v1/pods"), "ok")
        );
    }

    #[test]
    fn a_pod_is_known_by_the_address_of_its_connection_whatever_its_headers_say() {
        let user = "system:serviceaccount:default:default";
        let text = line(
            "1",
            "ResponseComplete",
            "/api/v1/secrets",
            user,
            &["172.18.0.3", "10.244.1.7"],
            403,
        );
        let entries = entries(&text, &nodes(), &Names).expect("entries");
        assert_eq!(
            (entries[0].from_name.as_deref(), entries[0].answer.as_str()),
            (Some("aws-cli"), "403")
        );
    }

    #[test]
    fn a_line_that_is_no_event_is_told() {
        let error = entries("{}\n", &nodes(), &Names).expect_err("no event").to_string();
        assert!(error.contains("audit log (`{}`)"), "{error}");
    }

    #[test]
    fn the_config_that_comes_with_the_project_names_the_policy_and_the_log() {
        let config = include_str!("../../../../kind-config.yaml");
        for file in [POLICY_FILE, LOG] {
            assert!(config.contains(file), "{file} is not in kind-config.yaml");
        }
    }
}
