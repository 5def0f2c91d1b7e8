//! The independent evaluator, as a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Error, Result, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::question::Question;

/// A running `oracle.py`.
pub(crate) struct Oracle {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

// === impl Oracle ===

impl Oracle {
    pub(crate) fn start(python: &OsStr) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/oracle.py");
        let mut child = Command::new(python)
            .arg(script)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdout = stdout.ok_or_else(|| Error::other("it has no output"))?;
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        })
    }

    /// Whether each of the questions is allowed.
    pub(crate) fn ask(&mut self, questions: &[Question]) -> Result<Vec<bool>> {
        let mut stdin = self.stdin.take().ok_or_else(|| Error::other("it has no input"))?;
        let lines: String = questions
            .iter()
            .map(|question| question.to_json().to_string() + "\n")
            .collect();
        // Written beside the reading, so that neither pipe fills up while both sides wait.
        let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).map(|()| stdin));
        let mut answers = Vec::with_capacity(questions.len());
        for _ in questions {
            let mut line = String::new();
            self.stdout.read_line(&mut line)?;
            match line.trim() {
                "allowed" => answers.push(true),
                "denied" => answers.push(false),
                other => return Err(Error::other(format!("it answered {other:?}"))),
            }
        }
        let written = writer.join().map_err(|_| Error::other("writing to it panicked"))?;
        self.stdin = Some(written?);
        Ok(answers)
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
