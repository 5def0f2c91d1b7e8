//! What the world recorded, selected by a step's `where`.

use std::net::IpAddr;

use rolecall_aws::Door;
use rolecall_kubernetes::User;
use rolecall_scenario::model::{Journal, JournalWhere};

use super::{EmbeddedWorld, record::why};
use crate::{
    check::{Context, Identity, JournalEntry, Keys, shorten},
    world::{JournalMark, WorldError},
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
        }
    }

    pub(super) fn recorded(
        &self,
        journal: &Journal,
        from: JournalMark,
        context: &Context,
    ) -> Result<Vec<JournalEntry>, WorldError> {
        let entries = match journal.service.as_str() {
            "imds" => self.metadata_requests(from),
            "kubernetes" => self.kubernetes_entries(&journal.operation, from),
            "vault" => return Err(WorldError::new("nothing records Vault here yet")),
            service => self.aws_requests(service, &journal.operation, from),
        };
        Ok(entries
            .into_iter()
            .filter(|entry| selects(&journal.filter, entry, self, context))
            .collect())
    }

    /// Requests of subjects, pods and nodes. The harness's own come by another door and are never counted.
    fn aws_requests(&self, service: &str, operation: &str, from: JournalMark) -> Vec<JournalEntry> {
        let entries = self.cloud.front.journal_since(from.front).into_iter();
        entries
            .filter(|entry| entry.door == Door::World)
            .filter(|entry| entry.service == service && (operation == "*" || entry.operation == operation))
            .map(|entry| JournalEntry {
                operation: format!("{}:{}", entry.service, entry.operation),
                from: entry.from.ip(),
                from_name: self.name_of(entry.from.ip()),
                by: entry.caller.as_ref().and_then(|caller| caller.role.clone()),
                role: entry.role.clone(),
                answer: entry.answer.clone(),
                region: Some(entry.region.clone()),
                path: None,
                headers: Vec::new(),
                why: self
                    .cloud
                    .front
                    .decision(&entry.request_id)
                    .map(|decided| why(&decided))
                    .unwrap_or_default(),
            })
            .collect()
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
                answer: if request.status < 400 {
                    "ok".to_owned()
                } else {
                    request.status.to_string()
                },
                region: None,
                path: Some(request.path),
                headers: Vec::new(),
                why: Vec::new(),
            })
            .collect()
    }

    fn metadata_requests(&self, from: JournalMark) -> Vec<JournalEntry> {
        let requests = self.cloud.imds.requests().into_iter();
        requests
            .filter(|request| request.number >= from.imds)
            .map(|request| JournalEntry {
                operation: format!("imds:{} {}", request.method, request.target),
                from: request.from.ip(),
                from_name: self.name_of(request.from.ip()),
                by: None,
                role: None,
                answer: match request.status {
                    Some(status) if status < 400 => "ok".to_owned(),
                    Some(status) => status.to_string(),
                    None => "none".to_owned(),
                },
                region: None,
                path: Some(request.target),
                headers: request.headers,
                why: Vec::new(),
            })
            .collect()
    }

    /// Where keys come from: the AssumeRole that gave them out and what allowed it, or the instance's own metadata.
    pub(super) fn origin(&self, keys: &Keys, identity: &Identity) -> Vec<String> {
        let mut lines = vec![format!(
            "the keys {} are those of {}",
            shorten(&keys.access_key_id),
            identity.arn
        )];
        let entries = self.cloud.front.journal();
        let assumed = entries
            .iter()
            .rev()
            .find(|entry| entry.operation == "AssumeRole" && entry.answer == "ok" && entry.role == identity.role);
        match assumed {
            Some(entry) => {
                let by = entry
                    .caller
                    .as_ref()
                    .map_or("nobody known", |caller| caller.arn.as_str());
                lines.push(format!("given out by sts:AssumeRole, asked by {by}"));
                lines.extend(
                    self.cloud
                        .front
                        .decision(&entry.request_id)
                        .map(|decided| why(&decided))
                        .unwrap_or_default(),
                );
            }
            None => lines.push("given out by the instance's own metadata service, by no sts:AssumeRole".to_owned()),
        }
        lines
    }

    /// The pod or node that has this address, by its name in the scenario.
    pub(super) fn name_of(&self, address: IpAddr) -> Option<String> {
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

fn selects(filter: &JournalWhere, entry: &JournalEntry, world: &EmbeddedWorld, context: &Context) -> bool {
    let name = |word: &str| context.role_name(word).to_owned();
    let from = |word: &str| match word {
        "pods" => world.pods.by_address(entry.from).is_some(),
        word => {
            let last = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
            entry
                .from_name
                .as_deref()
                .is_some_and(|from| from == word || last(from) == word)
        }
    };
    filter.role.as_deref().is_none_or(|role| entry.role == Some(name(role)))
        && filter.by.as_deref().is_none_or(|by| entry.by == Some(name(by)))
        && filter.from.as_deref().is_none_or(from)
        && filter.answer.as_deref().is_none_or(|answer| entry.answer == answer)
        && filter
            .path
            .as_deref()
            .is_none_or(|path| entry.path.as_deref() == Some(path))
        && filter
            .region
            .as_deref()
            .is_none_or(|region| entry.region.as_deref() == Some(region))
        && filter
            .header
            .as_deref()
            .is_none_or(|header| entry.headers.iter().any(|(have, _)| have.eq_ignore_ascii_case(header)))
}
