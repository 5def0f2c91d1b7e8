//! What a running subject is asked through a port-forward: its metrics, and to move its clock.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{fleet::Fleet, marks::NAMESPACE};
use crate::world::WorldError;

/// More than any subject has to say of itself at once.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

// === impl Fleet: asking ===

impl Fleet {
    /// Moves the clock of every running subject, or of those on one node; returns when each has confirmed.
    ///
    /// # Errors
    /// One has no clock that can be moved, or does not confirm.
    pub(super) async fn advance(&self, node: Option<&str>, by: Duration) -> Result<(), WorldError> {
        let plan = self.plan();
        let Some(listener) = plan.subject.test_clock() else {
            return Err(WorldError::new(format!(
                "{} has no clock that can be moved",
                plan.subject.name()
            )));
        };
        let path = format!("/clock/advance?ms={}", by.as_millis());
        let header = format!("Authorization: Bearer {}\r\n", plan.clock_token);
        for (name, pod) in self.running().await? {
            if node.is_some_and(|node| node != name) {
                continue;
            }
            let (status, body) = self.ask(&pod, listener.port(), "POST", &path, &header).await?;
            if status != 200 {
                return Err(WorldError::new(format!(
                    "{} on {name} did not move its clock: {status} {}",
                    plan.subject.name(),
                    body.trim()
                )));
            }
        }
        Ok(())
    }

    /// The subject's metrics on one node or on all, each after a line with its node's name.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) async fn metrics(&self, node: Option<&str>) -> Result<String, WorldError> {
        let port = self.plan().subject.metrics().port();
        let mut text = String::new();
        for (name, pod) in self.running().await? {
            if node.is_some_and(|node| node != name) {
                continue;
            }
            let (status, body) = self.ask(&pod, port, "GET", "/metrics", "").await?;
            text.push_str(&format!("# {name} answered {status}\n{body}\n"));
        }
        Ok(text)
    }

    /// The status and body of a request to the loopback of a pod's node; `header` is a whole header line or nothing.
    async fn ask(
        &self,
        pod: &str,
        port: u16,
        method: &str,
        path: &str,
        header: &str,
    ) -> Result<(u16, String), WorldError> {
        let what = || format!("ask {pod} for {path}");
        let failed = |error: &dyn std::error::Error| WorldError::doing(what(), error);
        let api: Api<Pod> = Api::namespaced(self.cluster.client.clone(), NAMESPACE);
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let talk = async {
            let mut forward = api.portforward(pod, &[port]).await.map_err(|error| failed(&error))?;
            let stream = forward.take_stream(port);
            let mut stream = stream.ok_or_else(|| WorldError::new(format!("cannot {}: no connection", what())))?;
            stream
                .write_all(request.as_bytes())
                .await
                .map_err(|error| failed(&error))?;
            let mut answer = Vec::new();
            let mut stream = stream.take(ANSWER_LIMIT);
            stream.read_to_end(&mut answer).await.map_err(|error| failed(&error))?;
            Ok::<_, WorldError>(answer)
        };
        let answer = match tokio::time::timeout(PATIENCE, talk).await {
            Ok(answer) => answer?,
            Err(_) => {
                return Err(WorldError::new(format!(
                    "cannot {}: no answer within {} s",
                    what(),
                    PATIENCE.as_secs()
                )));
            }
        };
        let text = String::from_utf8_lossy(&answer);
        let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| WorldError::new(format!("cannot {}: an answer without a status", what())))?;
        let body = text
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
            .unwrap_or_default();
        Ok((status, body))
    }
}
