//! The subject's processes, one on each worker.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rolecall_clock::{Clock, monotonic, since};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use super::{
    network::{METADATA, Network, Node, POD_BRIDGE},
    probe::Programs,
};
use crate::{
    subject::{NodeFacts, Settings, Subject},
    world::WorldError,
};

/// How long a subject may take until it can serve, and to end after SIGTERM.
const DEADLINE: Duration = Duration::from_secs(30);
/// Lines of a subject's log that are kept for each node.
const LOG_LINES: usize = 10_000;

type Log = Arc<Mutex<Vec<String>>>;

/// The subject on every worker.
#[derive(Debug)]
pub(super) struct Fleet {
    subject: Subject,
    programs: Programs,
    network: Arc<Network>,
    account: String,
    kubeconfig: String,
    running: tokio::sync::Mutex<BTreeMap<String, Child>>,
    settings: Mutex<Settings>,
    logs: Mutex<BTreeMap<String, Log>>,
    /// What moving the subject's clock wants.
    clock_token: String,
    clock: Clock,
    /// Nodes on which the scenario keeps the subject stopped.
    stopped: Mutex<Vec<String>>,
}

// === impl Fleet ===

impl Fleet {
    pub(super) fn new(
        subject: Subject,
        programs: Programs,
        network: Arc<Network>,
        account: String,
        kubeconfig: String,
        settings: Settings,
        clock: Clock,
    ) -> Self {
        Self {
            subject,
            programs,
            network,
            account,
            kubeconfig,
            running: Default::default(),
            settings: Mutex::new(settings),
            logs: Mutex::default(),
            stopped: Mutex::default(),
            clock_token: super::cloud::random_text('a', 32),
            clock,
        }
    }

    pub(super) fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, settings: Settings) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    pub(super) fn is_stopped(&self, node: &str) -> bool {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|stopped| stopped == node)
    }

    /// The subject's process on each node where it runs.
    pub(super) fn processes(&self) -> Vec<(String, u32)> {
        let running = self.running.try_lock();
        let children = running.iter().flat_map(|running| running.iter());
        children
            .filter_map(|(node, child)| Some((node.clone(), child.id()?)))
            .collect()
    }

    /// The subject's own words on one node, or on all, each line after its node's name.
    pub(super) fn log(&self, node: Option<&str>) -> String {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, log) in logs
            .iter()
            .filter(|(name, _)| node.is_none_or(|node| node == name.as_str()))
        {
            for line in log.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                text.push_str(&format!("{name}: {line}\n"));
            }
        }
        text
    }

    /// Starts the subject on a node and returns when it can serve.
    ///
    /// # Errors
    /// It cannot be started, ends, or is not ready in time; its last words are in the message.
    pub(super) async fn start(&self, name: &str) -> Result<(), WorldError> {
        let node = self.network.node(name)?;
        let facts = self.facts(node);
        let config = self.kubeconfig.clone();
        let written = node.host.run_async(move |_| std::fs::write(KUBECONFIG, config)).await;
        written
            .map_err(|error| WorldError::doing("write a kubeconfig", &error))?
            .map_err(|error| WorldError::doing("write a kubeconfig", &error))?;
        let (program, mut arguments) = self.subject.program(&self.programs.own);
        arguments.extend(self.subject.flags(&self.settings(), &facts));
        let mut command = Command::new(program);
        command.args(&arguments);
        self.programs.environment(&mut command);
        command.envs(self.subject.environment(&self.clock_token));
        command.env("NODE_NAME", name).env("HOST_IP", facts.host_ip.to_string());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let what = || format!("start {} on {name}", self.subject.name());
        let mut child = node
            .host
            .spawn(command)
            .await
            .map_err(|error| WorldError::doing(what(), &error))?;
        let log = self
            .logs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(name.to_owned())
            .or_default()
            .clone();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(keep(stdout, log.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(keep(stderr, log.clone()));
        }
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|stopped| stopped != name);
        let mut ready = self.wait_until_ready(node, &facts, &mut child).await;
        // A subject that is started later inherits the world's time.
        let offset = self.clock.offset();
        if ready.is_ok() && !offset.is_zero() {
            ready = self.move_clock(node, &facts, offset).await;
        }
        self.running.lock().await.insert(name.to_owned(), child);
        ready.map_err(|error| {
            let words = log.lock().unwrap_or_else(PoisonError::into_inner);
            let last: Vec<_> = words.iter().rev().take(10).rev().cloned().collect();
            WorldError::new(format!("{error}; it said:\n{}", last.join("\n")))
        })
    }

    /// Moves the clock of every running subject; returns when each has confirmed.
    ///
    /// # Errors
    /// One has no clock that can be moved, or does not confirm.
    pub(super) async fn advance(&self, by: Duration) -> Result<(), WorldError> {
        let running: Vec<String> = self.running.lock().await.keys().cloned().collect();
        for name in running {
            let node = self.network.node(&name)?;
            self.move_clock(node, &self.facts(node), by).await?;
        }
        Ok(())
    }

    async fn move_clock(&self, node: &Node, facts: &NodeFacts, by: Duration) -> Result<(), WorldError> {
        let Some(address) = self.subject.test_clock() else {
            return Err(WorldError::new(format!(
                "{} has no clock that can be moved",
                self.subject.name()
            )));
        };
        let path = format!("/clock/advance?ms={}", by.as_millis());
        let header = format!("Authorization: Bearer {}\r\n", self.clock_token);
        let (status, body) = ask(node, SocketAddr::from(address), "POST", &path, &header).await?;
        if status != 200 {
            return Err(WorldError::new(format!(
                "{} on {} did not move its clock: {status} {}",
                self.subject.name(),
                facts.node,
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
            let node = self.network.node(name)?;
            let address = SocketAddr::from(self.subject.metrics(&self.facts(node)));
            let (status, body) = ask(node, address, "GET", "/metrics", "").await?;
            text.push_str(&format!("# {name} answered {status}\n{body}\n"));
        }
        Ok(text)
    }

    fn facts(&self, node: &Node) -> NodeFacts {
        NodeFacts {
            node: node.name.clone(),
            host_ip: node.address(),
            interface: POD_BRIDGE.to_owned(),
            kubeconfig: KUBECONFIG.to_owned(),
            metadata_address: METADATA,
            base_role_arn: format!("arn:aws:iam::{}:role/", self.account),
        }
    }

    async fn wait_until_ready(&self, node: &Node, facts: &NodeFacts, child: &mut Child) -> Result<(), WorldError> {
        let readiness = self.subject.readiness(facts);
        let address = SocketAddr::from(readiness.address);
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
                    self.subject.name(),
                    node.name
                )));
            }
            if since(start) > DEADLINE {
                return Err(WorldError::new(format!(
                    "{} on {} is not ready after {} s (GET http://{address}{})",
                    self.subject.name(),
                    node.name,
                    DEADLINE.as_secs(),
                    readiness.path
                )));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Ends the subject on a node by a signal and returns when it has ended.
    ///
    /// # Errors
    /// It does not end in time.
    pub(super) async fn end(&self, name: &str, signal: Signal) -> Result<(), WorldError> {
        self.stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name.to_owned());
        let Some(mut child) = self.running.lock().await.remove(name) else {
            return Ok(());
        };
        if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
            // It may have ended by itself; then there is nobody to signal.
            let _ = kill(Pid::from_raw(id), signal);
        }
        match tokio::time::timeout(DEADLINE, child.wait()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(WorldError::new(format!(
                "{} on {name} still runs {} s after {signal}",
                self.subject.name(),
                DEADLINE.as_secs()
            ))),
        }
    }
}

/// Seen in the node's own mounts only.
const KUBECONFIG: &str = "/run/kubeconfig";

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

/// Keeps what a subject says.
async fn keep(stream: impl tokio::io::AsyncRead + Unpin, log: Log) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() < LOG_LINES {
            log.push(line);
        }
    }
}
