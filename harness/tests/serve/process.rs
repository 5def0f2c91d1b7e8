use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::suite::TemporarySuite;

/// The variables that a service is started with.
pub(crate) const VARIABLES: [(&str, &str); 3] = [
    ("ROLECALL_ROOT_KEY", "AKIAROLECALLROOT0000:a-secret-of-the-root-user"),
    ("ROLECALL_CONTROL_TOKEN", "0123456789abcdef"),
    ("VAULT_DEV_ROOT_TOKEN_ID", "a-root-token"),
];

/// Time for a line of a program that has much else to do beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that is up.
pub(crate) struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// What it said until it was ready.
    pub(crate) said: Vec<String>,
}

/// The program in the folder of a suite, with [`VARIABLES`].
pub(crate) fn command(suite: &TemporarySuite, arguments: &[&str]) -> Command {
    let mut command = suite.rolecall(arguments);
    command.envs(VARIABLES);
    command
}

// === impl Process ===

impl Process {
    /// Starts a service and waits until it says that it is ready.
    pub(crate) fn start(suite: &TemporarySuite, arguments: &[&str]) -> Self {
        let mut child = command(suite, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let output = child.stdout.take().expect("its output");
        let (line, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for text in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = line.send(text);
            }
        });
        let mut process = Self {
            child,
            lines,
            said: Vec::new(),
        };
        while !process.said.last().is_some_and(|line| line.starts_with("ready")) {
            let line = process.line();
            process.said.push(line);
        }
        process
    }

    /// Its next line.
    pub(crate) fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let _ = self.child.kill();
            let mut errors = String::new();
            let _ = self
                .child
                .stderr
                .take()
                .map(|mut stderr| stderr.read_to_string(&mut errors));
            panic!("no further line ({error}) after {:#?}: {errors}", self.said)
        })
    }

    /// The address in the line that it said with this word.
    pub(crate) fn address(&self, word: &str) -> SocketAddr {
        let line = self
            .said
            .iter()
            .find(|line| line.contains(word))
            .expect("a line about it");
        let (_, rest) = line.split_once("//").expect("a URL");
        let address = rest.split([',', ';', ' ']).next().expect("an address");
        address.parse().expect("an address")
    }

    /// Sends it a signal, and returns its status and what it said on standard error.
    pub(crate) fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        kill(pid, signal).expect("it runs");
        let mut errors = String::new();
        let stderr = self.child.stderr.take();
        let _ = stderr.expect("its errors").read_to_string(&mut errors);
        (self.child.wait().expect("it ends").code(), errors)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
