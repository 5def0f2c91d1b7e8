//! What is kept of a world in which something failed, and how a person enters one that stands.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{Api, api::ListParams};

use super::{
    KindWorld,
    command::Program,
    journal::request,
    marks::{NAMESPACE, RUN},
};
use crate::{
    report::decisions_json,
    world::{
        Diagnostics, WorldError,
        recorded::{self, Recorded},
    },
};

// === impl KindWorld: diagnostics ===

impl KindWorld {
    /// Whatever cannot be had is told in its file: diagnostics fail nothing.
    pub(super) async fn collect(&self) -> Diagnostics {
        let told = |result: Result<String, WorldError>| result.unwrap_or_else(|error| format!("{error}\n"));
        let _ = self.learn_secrets().await;
        let (decisions, http, pods, events, rules, logs) = tokio::join!(
            self.ground.control.decisions(0),
            self.http(),
            self.descriptions(),
            self.events(),
            self.rules(),
            async {
                match self.ground.containers.lock().await.as_ref() {
                    Some(containers) => containers.logs().await,
                    None => Vec::new(),
                }
            },
        );
        let mut files = Vec::new();
        match decisions {
            Ok(decided) => {
                files.push(("decisions.json".to_owned(), decisions_json(&decided)));
                files.push(("decisions.txt".to_owned(), recorded::decision_lines(&decided)));
            }
            Err(error) => files.push(("decisions.txt".to_owned(), format!("{error}\n"))),
        }
        files.extend([
            ("events.txt".to_owned(), told(events)),
            ("http.txt".to_owned(), told(http)),
            ("pods.yaml".to_owned(), told(pods)),
            ("proxy.log".to_owned(), self.fleet.log(None)),
            ("rules.txt".to_owned(), rules),
        ]);
        files.extend(logs);
        files.sort();
        Diagnostics(files)
    }

    async fn http(&self) -> Result<String, WorldError> {
        let control = &self.ground.control;
        let entries = control.journal(0).await.map_err(|error| self.steering(&error))?;
        let requests = control
            .metadata_journal(0)
            .await
            .map_err(|error| self.steering(&error))?;
        let recorded = Recorded {
            aws: entries,
            imds: requests.into_iter().map(request).collect(),
            vault: self.vault_entries(0).await?,
        };
        Ok(recorded::http_lines(recorded, self))
    }

    /// The pods of the scenario, and ours.
    async fn descriptions(&self) -> Result<String, WorldError> {
        let client = &self.ground.cluster.client;
        let failed = |error: &kube::Error| WorldError::doing("list pods", error);
        let scenario = Api::<Pod>::all(client.clone())
            .list(&ListParams::default().labels(RUN))
            .await;
        let ours = Api::<Pod>::namespaced(client.clone(), NAMESPACE)
            .list(&ListParams::default())
            .await;
        let mut all = scenario.map_err(|error| failed(&error))?.items;
        for pod in ours.map_err(|error| failed(&error))?.items {
            if all.iter().all(|other| other.metadata.uid != pod.metadata.uid) {
                all.push(pod);
            }
        }
        for pod in &mut all {
            pod.metadata.managed_fields = None;
        }
        serde_yaml::to_string(&all).map_err(|error| WorldError::doing("write pods", &error))
    }

    async fn events(&self) -> Result<String, WorldError> {
        let api: Api<Event> = Api::all(self.ground.cluster.client.clone());
        let listed = api.list(&ListParams::default()).await;
        let listed = listed.map_err(|error| WorldError::doing("list events", &error))?;
        let lines = listed.items.into_iter().map(|event| {
            let about = event.involved_object;
            let at = event.last_timestamp.map(|at| at.0.to_string()).unwrap_or_default();
            format!(
                "{at} {} {}/{} {}: {}\n",
                about.kind.unwrap_or_default(),
                about.namespace.unwrap_or_default(),
                about.name.unwrap_or_default(),
                event.reason.unwrap_or_default(),
                event.message.unwrap_or_default().trim()
            )
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        Ok(lines.concat())
    }

    /// Routes and rules of each node.
    async fn rules(&self) -> String {
        let script = "ip route; iptables-save; nft list table ip rolecall 2>&1; nft list table inet rolecall 2>&1";
        let mut text = String::new();
        for node in &self.ground.cluster.nodes {
            let said = Program::docker(["exec", &node.host, "sh", "-c", script]).ask().await;
            let said = said.map_or_else(|error| error.to_string(), |written| written.stdout);
            text.push_str(&format!("# {} ({})\n{said}\n", node.name, node.host));
        }
        text
    }

    pub(super) fn entrances(&self) -> Vec<String> {
        let cluster = &self.ground.cluster;
        let mut lines = vec![
            format!(
                "Kubernetes      kind export kubeconfig --name {} --kubeconfig FILE",
                cluster.name
            ),
            format!("AWS             {} (from pods and nodes)", self.ground.endpoint),
        ];
        if let Some(vault) = &self.ground.vault {
            lines.push(format!("Vault           {} (from pods and nodes)", vault.address));
        }
        for node in &cluster.nodes {
            lines.push(format!("{:<15} docker exec -it {} bash", node.name, node.host));
        }
        lines
    }
}
