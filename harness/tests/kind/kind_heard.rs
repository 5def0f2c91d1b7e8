//! A run that goes on while it is listened to.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rolecall_clock::{monotonic, since};

/// How long a run may take until it says what is waited for.
const SAYS: Duration = Duration::from_secs(240);

/// A program, and all that it says. Dropping it kills it.
pub(crate) struct Heard {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

// === impl Heard ===

impl Heard {
    pub(crate) fn start(mut command: Command) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        command.stdout(writer.try_clone().expect("a pipe")).stderr(writer);
        let child = command.spawn().expect("rolecall");
        // The command holds ends of the pipe that would keep it open.
        drop(command);
        let (say, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Waits for a line with these words.
    pub(crate) fn until(&mut self, words: &str) -> Option<String> {
        let start = monotonic();
        while let Ok(line) = self.lines.recv_timeout(SAYS.saturating_sub(since(start))) {
            self.said.push(line.clone());
            if line.contains(words) {
                return Some(line);
            }
        }
        None
    }

    /// Hears what is said for so long, or until nobody can say anything any more.
    pub(crate) fn during(&mut self, time: Duration) {
        let start = monotonic();
        while let Ok(line) = self.lines.recv_timeout(time.saturating_sub(since(start))) {
            self.said.push(line);
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        // One that has ended, and was not waited for, can still be signalled.
        kill(Pid::from_raw(id), signal).expect("the process is ours");
    }

    /// Hears it to its end; its exit status, or `None` if a signal ended it.
    pub(crate) fn end(&mut self) -> Option<i32> {
        // Its pipe closes when it has ended.
        self.during(SAYS);
        self.child.wait().expect("it ends").code()
    }

    /// All that it has said so far.
    pub(crate) fn all(&self) -> String {
        self.said.join("\n")
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
