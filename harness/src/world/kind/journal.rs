//! What the front, the metadata service and Vault's forwarder recorded, by way of the control listener, and the API server in its
//! audit log.

use std::{collections::HashMap, net::IpAddr};

use rolecall_aws::DecisionRecord;
use rolecall_imds::ImdsRequest;
use rolecall_scenario::model::Journal;

use super::KindWorld;
use crate::{
    check::{Context, Identity, JournalEntry, Keys},
    serve::control::{ControlError, MetadataRequest},
    world::{
        JournalMark, WorldError,
        recorded::{self, Addresses, Decisions, selects},
    },
};

/// Decisions by the ids of their requests.
pub(super) struct Decided(HashMap<String, DecisionRecord>);

// === impl KindWorld: journals ===

impl KindWorld {
    pub(super) fn steering(&self, error: &ControlError) -> WorldError {
        WorldError::doing("steer the AWS front and the metadata service", error)
    }

    pub(super) async fn mark(&self) -> Result<JournalMark, WorldError> {
        let control = &self.ground.control;
        let mut mark = *self.marked.lock().await;
        let entries = control
            .journal(mark.front)
            .await
            .map_err(|error| self.steering(&error))?;
        let requests = control
            .metadata_journal(mark.imds)
            .await
            .map_err(|error| self.steering(&error))?;
        mark.front = entries.last().map_or(mark.front, |entry| entry.number + 1);
        mark.imds = requests.last().map_or(mark.imds, |request| request.number + 1);
        mark.vault = self.vault_mark(mark.vault).await?;
        if let Some(audit) = &self.audit {
            mark.kubernetes = audit.mark().await?;
        }
        *self.marked.lock().await = mark;
        Ok(mark)
    }

    pub(super) async fn recorded(
        &self,
        journal: &Journal,
        from: JournalMark,
        context: &Context,
    ) -> Result<Vec<JournalEntry>, WorldError> {
        let control = &self.ground.control;
        let entries = match journal.service.as_str() {
            "imds" => {
                let requests = control
                    .metadata_journal(from.imds)
                    .await
                    .map_err(|error| self.steering(&error))?;
                recorded::metadata_requests(requests.into_iter().map(request).collect(), self)
            }
            "vault" => recorded::vault_requests(self.vault_entries(from.vault).await?, &journal.operation, self),
            "kubernetes" => match &self.audit {
                Some(audit) => audit.since(from.kubernetes, &self.ground.cluster.nodes, self).await?,
                None => {
                    return Err(WorldError::new(
                        "this scenario was not known to read what the API server is asked",
                    ));
                }
            },
            service => {
                let entries = control
                    .journal(from.front)
                    .await
                    .map_err(|error| self.steering(&error))?;
                let decided = self.decided(from.front).await?;
                recorded::aws_requests(entries, service, &journal.operation, self, &decided)
            }
        };
        Ok(entries
            .into_iter()
            .filter(|entry| selects(&journal.filter, entry, self, context))
            .collect())
    }

    pub(super) async fn decided(&self, since: u64) -> Result<Decided, WorldError> {
        let all = self
            .ground
            .control
            .decisions(since)
            .await
            .map_err(|error| self.steering(&error))?;
        Ok(Decided(
            all.into_iter()
                .map(|decided| (decided.request_id.clone(), decided))
                .collect(),
        ))
    }

    /// Where keys come from, for the report of a failure.
    pub(super) async fn origin(&self, keys: &Keys, identity: &Identity) -> Result<Vec<String>, WorldError> {
        let entries = self
            .ground
            .control
            .journal(0)
            .await
            .map_err(|error| self.steering(&error))?;
        Ok(recorded::origin(keys, identity, &entries, &self.decided(0).await?))
    }
}

impl Decisions for Decided {
    fn decision(&self, request_id: &str) -> Option<DecisionRecord> {
        self.0.get(request_id).cloned()
    }
}

impl Addresses for KindWorld {
    fn name_of(&self, address: IpAddr) -> Option<String> {
        let nodes = &self.ground.cluster.nodes;
        // A pod on its node's network has the node's address.
        if let Some(node) = nodes.iter().find(|node| IpAddr::V4(node.address) == address) {
            return Some(node.name.clone());
        }
        let pod = self.kubernetes.by_address(address)?;
        Some(if pod.namespace == "default" {
            pod.name
        } else {
            format!("{}/{}", pod.namespace, pod.name)
        })
    }

    fn is_pod(&self, address: IpAddr) -> bool {
        let nodes = &self.ground.cluster.nodes;
        nodes.iter().all(|node| IpAddr::V4(node.address) != address) && self.kubernetes.by_address(address).is_some()
    }
}

/// As the metadata service's own journal has it.
pub(super) fn request(request: MetadataRequest) -> ImdsRequest {
    ImdsRequest {
        number: request.number,
        at: request.at,
        from: request.from,
        node: request.node,
        method: request.method,
        target: request.target,
        headers: request.headers,
        status: request.status,
    }
}
