//! What the world recorded, selected by a step's `where`.

use std::net::IpAddr;

use rolecall_aws::DecisionRecord;
use rolecall_kubernetes::User;
use rolecall_scenario::model::Journal;

use super::EmbeddedWorld;
use crate::{
    check::{Context, Identity, JournalEntry, Keys},
    world::{
        JournalMark, WorldError,
        recorded::{self, Addresses, Decisions, selects},
    },
};

// === impl EmbeddedWorld: journals ===

impl EmbeddedWorld {
    pub(super) fn mark(&self) -> JournalMark {
        JournalMark {
            front: self.cloud.front.journal().last().map_or(0, |entry| entry.number + 1),
            imds: self
                .cloud
                .imds
                .requests()
                .last()
                .map_or(0, |request| request.number + 1),
            kubernetes: self
                .cloud
                .cluster
                .requests()
                .last()
                .map_or(0, |request| request.sequence),
            vault: self.vault.as_ref().map_or(0, |vault| vault.server.journal_mark()),
        }
    }

    pub(super) fn recorded(
        &self,
        journal: &Journal,
        from: JournalMark,
        context: &Context,
    ) -> Result<Vec<JournalEntry>, WorldError> {
        let entries = match journal.service.as_str() {
            "imds" => {
                let requests = self.cloud.imds.requests().into_iter();
                let since = requests.filter(|request| request.number >= from.imds);
                recorded::metadata_requests(since.collect(), self)
            }
            "kubernetes" => self.kubernetes_entries(&journal.operation, from),
            "vault" => {
                let entries = self.vault.iter();
                let entries = entries.flat_map(|vault| vault.server.journal_since(from.vault));
                recorded::vault_requests(entries.collect(), &journal.operation, self)
            }
            service => {
                let entries = self.cloud.front.journal_since(from.front);
                recorded::aws_requests(entries, service, &journal.operation, self, self)
            }
        };
        Ok(entries
            .into_iter()
            .filter(|entry| selects(&journal.filter, entry, self, context))
            .collect())
    }

    /// What the subject and the pods asked the API server. The operator and the kubelets are the harness's own.
    fn kubernetes_entries(&self, verb: &str, from: JournalMark) -> Vec<JournalEntry> {
        let requests = self.cloud.cluster.requests().into_iter();
        requests
            .filter(|request| request.sequence > from.kubernetes && request.user != User::Admin.name())
            .filter(|request| verb == "*" || request.verb == verb)
            .map(|request| JournalEntry {
                operation: format!("kubernetes:{}", request.verb),
                from: request.from.ip(),
                from_name: self.name_of(request.from.ip()),
                by: None,
                role: None,
                answer: recorded::answer(request.status),
                region: None,
                path: Some(recorded::without_query(&request.path)),
                headers: Vec::new(),
                why: Vec::new(),
            })
            .collect()
    }

    pub(super) fn origin(&self, keys: &Keys, identity: &Identity) -> Vec<String> {
        recorded::origin(keys, identity, &self.cloud.front.journal(), self)
    }
}

impl Decisions for EmbeddedWorld {
    fn decision(&self, request_id: &str) -> Option<DecisionRecord> {
        self.cloud.front.decision(request_id)
    }
}

impl Addresses for EmbeddedWorld {
    fn is_pod(&self, address: IpAddr) -> bool {
        self.pods.by_address(address).is_some()
    }

    fn name_of(&self, address: IpAddr) -> Option<String> {
        if let Some(pod) = self.pods.by_address(address) {
            return Some(if pod.namespace == "default" {
                pod.name
            } else {
                format!("{}/{}", pod.namespace, pod.name)
            });
        }
        let node = self
            .network
            .nodes
            .values()
            .find(|node| IpAddr::V4(node.address()) == address);
        node.map(|node| node.name.clone())
    }
}
