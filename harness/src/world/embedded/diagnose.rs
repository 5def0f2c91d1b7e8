//! What is kept of a world in which something failed, and how a person enters one that stands.

use super::EmbeddedWorld;
use crate::{
    report::decisions_json,
    world::{
        Diagnostics,
        recorded::{self, Recorded},
    },
};

// === impl EmbeddedWorld: diagnostics ===

impl EmbeddedWorld {
    pub(super) fn collect(&self) -> Diagnostics {
        self.learn_secrets();
        let entries = self.cloud.front.journal();
        let decided = recorded::decided(&entries, self);
        let vault = self.vault.iter();
        let recorded = Recorded {
            aws: entries,
            imds: self.cloud.imds.requests(),
            vault: vault.flat_map(|vault| vault.server.journal_since(0)).collect(),
        };
        Diagnostics(vec![
            ("decisions.json".to_owned(), decisions_json(&decided)),
            ("decisions.txt".to_owned(), recorded::decision_lines(&decided)),
            ("events.txt".to_owned(), self.kubernetes_requests()),
            ("http.txt".to_owned(), recorded::http_lines(recorded, self)),
            ("proxy.log".to_owned(), self.fleet.log(None)),
        ])
    }

    /// What the API server was asked.
    fn kubernetes_requests(&self) -> String {
        let requests = self.cloud.cluster.requests();
        requests.iter().map(|request| format!("{request:?}\n")).collect()
    }

    pub(super) fn entrances(&self) -> Vec<String> {
        let mut lines = vec![
            format!("Kubernetes      https://{} (on this host)", self.cloud.kubernetes),
            format!("AWS             {} (on this host)", self.cloud.operator.endpoint),
        ];
        for (name, process) in self.fleet.processes() {
            lines.push(format!(
                "{name:<15} nsenter --preserve-credentials -U -n -m -t {process} -- sh"
            ));
        }
        lines
    }
}
