//! What a running subject is asked from inside its node: whether it can serve, its metrics, and to move its clock.

use std::{net::SocketAddr, time::Duration};

use rolecall_clock::{monotonic, since};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Child,
};

use super::{
    network::Node,
    subject::{DEADLINE, Fleet},
};
use crate::world::WorldError;

// === impl Fleet: asking ===

impl Fleet {
    /// Moves the clock of every running subject; returns when each has confirmed.
    ///
    /// # Errors
    /// One has no clock that can be moved, or does not confirm.
    pub(super) async fn advance(&self, by: Duration) -> Result<(), WorldError> {
        let running: Vec<String> = self.running.lock().await.keys().cloned().collect();
        for name in running {
            let node = self.with.network.node(&name)?;
            self.move_clock(node, by).await?;
        }
        Ok(())
    }

    pub(super) async fn move_clock(&self, node: &Node, by: Duration) -> Result<(), WorldError> {
        let Some(listener) = self.with.subject.test_clock() else {
            return Err(WorldError::new(format!(
                "{} has no clock that can be moved",
                self.with.subject.name()
            )));
        };
        let path = format!("/clock/advance?ms={}", by.as_millis());
        let header = format!("Authorization: Bearer {}\r\n", self.clock_token);
        let (status, body) = ask(node, listener.on(node.address()), "POST", &path, &header).await?;
        if status != 200 {
            return Err(WorldError::new(format!(
                "{} on {} did not move its clock: {status} {}",
                self.with.subject.name(),
                node.name,
                body.trim()
            )));
        }
        Ok(())
    }

    /// The subject's metrics on one node or on all, each after a line with its node's name.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) async fn metrics(&self, node: Option<&str>) -> Result<String, WorldError> {
        let running: Vec<String> = self.running.lock().await.keys().cloned().collect();
        let mut text = String::new();
        for name in running
            .iter()
            .filter(|name| node.is_none_or(|node| node == name.as_str()))
        {
            let node = self.with.network.node(name)?;
            let address = self.with.subject.metrics().on(node.address());
            let (status, body) = ask(node, address, "GET", "/metrics", "").await?;
            text.push_str(&format!("# {name} answered {status}\n{body}\n"));
        }
        Ok(text)
    }

    pub(super) async fn wait_until_ready(&self, node: &Node, child: &mut Child) -> Result<(), WorldError> {
        let readiness = self.with.subject.readiness();
        let address = readiness.at.on(node.address());
        let start = monotonic();
        loop {
            let asked =
                tokio::time::timeout(Duration::from_secs(1), ask(node, address, "GET", readiness.path, "")).await;
            if matches!(asked, Ok(Ok((status, _))) if readiness.ready.contains(&status)) {
                return Ok(());
            }
            if let Ok(Some(status)) = child.try_wait() {
                return Err(WorldError::new(format!(
                    "{} on {} ended before it could serve ({status})",
                    self.with.subject.name(),
                    node.name
                )));
            }
            if since(start) > DEADLINE {
                return Err(WorldError::new(format!(
                    "{} on {} is not ready after {} s (GET http://{address}{})",
                    self.with.subject.name(),
                    node.name,
                    DEADLINE.as_secs(),
                    readiness.path
                )));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// The status and body of a request from inside a node; `header` is a whole header line or nothing.
async fn ask(
    node: &Node,
    address: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
) -> Result<(u16, String), WorldError> {
    let failed = |error: &dyn std::error::Error| WorldError::doing(format_args!("ask {address}{path}"), error);
    let mut stream = node.host.connect(address).await.map_err(|error| failed(&error))?;
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(|error| failed(&error))?;
    let mut answer = Vec::new();
    let mut stream = stream.take(ANSWER_LIMIT);
    stream.read_to_end(&mut answer).await.map_err(|error| failed(&error))?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| WorldError::new("an answer without a status"))?;
    let body = text
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default();
    Ok((status, body))
}

/// More than any subject has to say of itself at once.
const ANSWER_LIMIT: u64 = 4 * 1024 * 1024;
