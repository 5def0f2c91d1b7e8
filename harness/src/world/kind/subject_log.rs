//! The subject's own words, followed while it runs: those of a pod that is gone can no longer be asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use futures::{AsyncBufReadExt, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use tokio_util::sync::CancellationToken;

use super::fleet::SubjectPod;

/// Lines that are kept for each node.
const LINES: usize = 10_000;

/// What the subject said, by node.
#[derive(Debug, Default)]
pub(super) struct SubjectLogs {
    lines: Mutex<BTreeMap<String, Vec<String>>>,
    /// Pods that are followed already.
    followed: Mutex<BTreeSet<String>>,
}

// === impl SubjectLogs ===

impl SubjectLogs {
    /// Keeps what a pod says, from its beginning to its end.
    pub(super) fn follow(self: &Arc<Self>, api: Api<Pod>, pod: &SubjectPod, end: &CancellationToken) {
        let new = self
            .followed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pod.uid.clone());
        if !new {
            return;
        }
        let (logs, pod, end) = (self.clone(), pod.clone(), end.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = logs.keep(api, &pod) => {}
            }
        });
    }

    async fn keep(&self, api: Api<Pod>, pod: &SubjectPod) {
        let parameters = LogParams {
            follow: true,
            ..LogParams::default()
        };
        let stream = match api.log_stream(&pod.name, &parameters).await {
            Ok(stream) => stream,
            Err(error) => return self.add(&pod.node, format!("(its log cannot be read: {error})")),
        };
        let mut lines = stream.lines();
        while let Some(Ok(line)) = lines.next().await {
            self.add(&pod.node, line);
        }
    }

    fn add(&self, node: &str, line: String) {
        let mut all = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = all.entry(node.to_owned()).or_default();
        if lines.len() < LINES {
            lines.push(line);
        }
    }

    /// The words of one node, or of all, each line after its node's name.
    pub(super) fn text(&self, node: Option<&str>) -> String {
        let all = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = all
            .iter()
            .filter(|(name, _)| node.is_none_or(|node| node == name.as_str()));
        chosen
            .flat_map(|(name, lines)| lines.iter().map(move |line| format!("{name}: {line}\n")))
            .collect()
    }
}
