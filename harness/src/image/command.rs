//! External programs: each with a deadline, and with its name and output in the error.

use std::{io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use super::ImageError;

/// Lines of a program's output that an error shows.
const SHOWN: usize = 30;

/// What a program said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) out: String,
    pub(super) err: String,
}

/// Runs a program to its end, which kills it when it is late. `line` is told each line of its standard error.
///
/// # Errors
/// It is not there, fails or is late.
pub(super) async fn run(
    words: &[&str],
    change: impl FnOnce(&mut Command),
    input: Option<&[u8]>,
    patience: Duration,
    line: &mut (dyn FnMut(&str) + Send),
) -> Result<Said, ImageError> {
    let [program, arguments @ ..] = words else {
        return Err(ImageError::Assemble("no program was named".to_owned()));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    change(&mut command);
    let shown = words.join(" ");
    let failed = |how: String, output: &str| ImageError::Failed {
        command: shown.clone(),
        how,
        output: last_lines(output),
    };
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ImageError::NoProgram {
            program: (*program).to_owned(),
        },
        _ => failed(format!("cannot be started: {error}"), ""),
    })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut said = Said::default();
    let Said { out, err } = &mut said;
    let ending = async {
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // A program that ends before it has read all says by its status what it thinks of it.
                let _ = stdin.write_all(input).await;
            }
        };
        let ((), (), ()) = tokio::join!(feed, read(stdout, out), read_lines(stderr, err, line));
        child.wait().await
    };
    let ended = tokio::time::timeout(patience, ending).await;
    match ended {
        Err(_) => Err(ImageError::Late {
            command: shown,
            patience,
            output: last_lines(&format!("{}{}", said.out, said.err)),
        }),
        Ok(Err(error)) => Err(failed(format!("cannot be waited for: {error}"), &said.err)),
        Ok(Ok(status)) if status.success() => Ok(said),
        // Of cargo, standard output is JSON; of others it is part of what they have to say.
        Ok(Ok(status)) if said.err.is_empty() => Err(failed(format!("failed ({status})"), &said.out)),
        Ok(Ok(status)) => Err(failed(format!("failed ({status})"), &said.err)),
    }
}

async fn read(from: Option<impl AsyncRead + Unpin>, into: &mut String) {
    if let Some(mut from) = from {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes).await;
        into.push_str(&String::from_utf8_lossy(&bytes));
    }
}

async fn read_lines(from: Option<impl AsyncRead + Unpin>, into: &mut String, line: &mut (dyn FnMut(&str) + Send)) {
    let Some(from) = from else { return };
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    while from.read_until(b'\n', &mut bytes).await.is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&bytes);
        line(text.trim_end());
        into.push_str(&text);
        bytes.clear();
    }
}

fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().lines().collect();
    let start = lines.len().saturating_sub(SHOWN);
    lines.get(start..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn what_a_program_reads_and_says_goes_through() {
        let mut lines = Vec::new();
        let words = ["sh", "-c", "cat; echo one >&2; echo two >&2"];
        let said = run(&words, |_| {}, Some(b"in"), LONG, &mut |line| {
            lines.push(line.to_owned())
        })
        .await;
        let said = said.expect("an end");
        assert_eq!((said.out.as_str(), said.err.as_str()), ("in", "one\ntwo\n"));
        assert_eq!(lines, ["one", "two"]);
    }

    #[tokio::test]
    async fn a_failure_names_the_command_and_shows_its_last_lines() {
        let words = ["sh", "-c", "seq 1 100 >&2; exit 3"];
        let error = run(&words, |_| {}, None, LONG, &mut |_| {})
            .await
            .expect_err("a failure")
            .to_string();
        assert!(
            error.starts_with("`sh -c seq 1 100 >&2; exit 3` failed (exit status: 3)\n   | 71\n"),
            "{error}"
        );
        assert!(error.ends_with("\n   | 100"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_killed_and_what_it_said_is_shown() {
        let words = ["sh", "-c", "echo $$; echo waiting >&2; exec sleep 1000"];
        let error = run(&words, |_| {}, None, Duration::from_millis(300), &mut |_| {})
            .await
            .expect_err("late");
        let ImageError::Late { output, .. } = error else {
            panic!("{error}")
        };
        assert!(output.contains("waiting"), "{output}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = run(&["rolecall-no-such-program"], |_| {}, None, LONG, &mut |_| {})
            .await
            .expect_err("none");
        assert!(matches!(&error, ImageError::NoProgram { program } if program == "rolecall-no-such-program"));
    }
}
