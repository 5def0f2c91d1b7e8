//! What is kept of a world in which something failed, and how a person enters one that stands.

use rolecall_aws::DecisionRecord;

use super::EmbeddedWorld;
use crate::{report::decisions_json, world::Diagnostics};

// === impl EmbeddedWorld: diagnostics ===

impl EmbeddedWorld {
    pub(super) fn collect(&self) -> Diagnostics {
        self.learn_secrets();
        Diagnostics(vec![
            ("decisions.json".to_owned(), decisions_json(&self.decided())),
            ("decisions.txt".to_owned(), self.decisions()),
            ("events.txt".to_owned(), self.kubernetes_requests()),
            ("http.txt".to_owned(), self.http()),
            ("proxy.log".to_owned(), self.fleet.log(None)),
        ])
    }

    /// Every decision of the front, oldest first.
    fn decided(&self) -> Vec<DecisionRecord> {
        let front = &self.cloud.front;
        let entries = front.journal();
        let decided = entries.iter().filter_map(|entry| front.decision(&entry.request_id));
        decided.collect()
    }

    fn decisions(&self) -> String {
        let decided = self.decided();
        decided.iter().map(|decided| format!("{decided}\n\n")).collect()
    }

    /// What the front and the metadata service were asked, and by whom.
    fn http(&self) -> String {
        let name = |address: std::net::IpAddr| self.name_of(address).unwrap_or_else(|| "operator".to_owned());
        let aws = self.cloud.front.journal().into_iter().map(|entry| {
            let from = format!("{} ({})", entry.from.ip(), name(entry.from.ip()));
            let what = format!(
                "{}:{} → {} {}",
                entry.service, entry.operation, entry.status, entry.answer
            );
            (entry.at, format!("{} aws   {from} {what}", entry.at))
        });
        let imds = self.cloud.imds.requests().into_iter().map(|request| {
            let from = format!("{} ({})", request.from.ip(), name(request.from.ip()));
            let status = request
                .status
                .map_or("no answer".to_owned(), |status| status.to_string());
            let what = format!("{} {} → {status}", request.method, request.target);
            (request.at, format!("{} imds  {from} {what}", request.at))
        });
        let mut lines: Vec<_> = aws.chain(imds).collect();
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(_, line)| line + "\n").collect()
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
