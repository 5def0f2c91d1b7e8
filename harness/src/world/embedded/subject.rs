//! The subject's processes, one on each worker.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rolecall_clock::Clock;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{
    aws_names::AwsNames,
    network::{KUBERNETES_PORT, METADATA, Network, Node, POD_BRIDGE, vpc, wait_until_connected},
    probe::Programs,
};
use crate::{
    subject::{NodeFacts, Settings, Subject},
    world::{WorldError, random::random_text},
};

/// How long a subject may take until it can serve, and to end after SIGTERM.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
/// Lines of a subject's log that are kept for each node.
const LOG_LINES: usize = 10_000;

type Log = Arc<Mutex<Vec<String>>>;

/// What the subject's processes are started with, the same on every worker.
#[derive(Debug)]
pub(super) struct Equipment {
    pub(super) subject: Subject,
    pub(super) programs: Programs,
    pub(super) network: Arc<Network>,
    pub(super) account: String,
    pub(super) kubeconfig: String,
    pub(super) clock: Clock,
    /// Where Vault is, if the world has one.
    pub(super) vault: Option<String>,
    /// Where the subject knows no endpoint but AWS's own names.
    pub(super) names: Option<AwsNames>,
}

/// The subject on every worker.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) with: Equipment,
    pub(super) running: tokio::sync::Mutex<BTreeMap<String, Child>>,
    settings: Mutex<Settings>,
    logs: Mutex<BTreeMap<String, Log>>,
    /// What moving the subject's clock wants.
    pub(super) clock_token: String,
    /// Nodes on which the scenario keeps the subject stopped.
    stopped: Mutex<Vec<String>>,
}

// === impl Fleet ===

impl Fleet {
    pub(super) fn new(with: Equipment, settings: Settings) -> Self {
        Self {
            with,
            running: Default::default(),
            settings: Mutex::new(settings),
            logs: Mutex::default(),
            clock_token: random_text('a', 32),
            stopped: Mutex::default(),
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
        let node = self.with.network.node(name)?;
        let facts = self.facts(node);
        let config = self.with.kubeconfig.clone();
        let written = node.host.run_async(move |_| std::fs::write(KUBECONFIG, config)).await;
        written
            .map_err(|error| WorldError::doing("write a kubeconfig", &error))?
            .map_err(|error| WorldError::doing("write a kubeconfig", &error))?;
        if let Some(names) = &self.with.names {
            names.install(&node.host).await?;
        }
        wait_until_connected(&node.host, vpc(KUBERNETES_PORT)).await?;
        let (program, mut arguments) = self.with.subject.program(&self.with.programs.own);
        arguments.extend(self.with.subject.flags(&self.settings(), &facts));
        let mut command = Command::new(program);
        command.args(&arguments);
        self.with.programs.environment(&mut command);
        command.envs(self.with.subject.environment(&self.clock_token));
        command.envs(self.with.names.iter().flat_map(AwsNames::environment));
        command.env("NODE_NAME", name).env("HOST_IP", &facts.host_ip);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let what = || format!("start {} on {name}", self.with.subject.name());
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
        let mut ready = self.wait_until_ready(node, &mut child).await;
        // A subject that is started later inherits the world's time.
        let offset = self.with.clock.offset();
        if ready.is_ok() && !offset.is_zero() {
            ready = self.move_clock(node, offset).await;
        }
        self.running.lock().await.insert(name.to_owned(), child);
        ready.map_err(|error| {
            let words = log.lock().unwrap_or_else(PoisonError::into_inner);
            let last: Vec<_> = words.iter().rev().take(10).rev().cloned().collect();
            WorldError::new(format!("{error}; it said:\n{}", last.join("\n")))
        })
    }

    pub(super) fn facts(&self, node: &Node) -> NodeFacts {
        NodeFacts {
            node: node.name.clone(),
            host_ip: node.address().to_string(),
            interface: POD_BRIDGE.to_owned(),
            kubeconfig: Some(KUBECONFIG.to_owned()),
            metadata_address: METADATA,
            base_role_arn: format!("arn:aws:iam::{}:role/", self.with.account),
            vault: self.with.vault.clone(),
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
                self.with.subject.name(),
                DEADLINE.as_secs()
            ))),
        }
    }
}

/// Seen in the node's own mounts only.
const KUBECONFIG: &str = "/run/kubeconfig";

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
