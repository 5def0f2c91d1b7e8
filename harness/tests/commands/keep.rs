//! `--keep`.

use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    sync::mpsc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;

use crate::{
    scenarios::{FAILS, HOLDS, SKIPS, shell},
    suite::{Ended, TemporarySuite},
};

/// A run whose world stands, and what it has said until then.
struct Standing {
    child: Child,
    lines: mpsc::Receiver<String>,
    said: Vec<String>,
}

impl Standing {
    fn of(suite: &TemporarySuite, arguments: &[&str], until: &str) -> Self {
        let mut child = suite
            .rolecall(arguments)
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
        let mut standing = Self {
            child,
            lines,
            said: Vec::new(),
        };
        while !standing.said.iter().any(|line| line.contains(until)) {
            standing.next_line();
        }
        standing
    }

    fn next_line(&mut self) {
        match self.lines.recv_timeout(Duration::from_secs(30)) {
            Ok(line) => self.said.push(line),
            Err(error) => panic!("no further line ({error}) after {:#?}", self.said),
        }
    }

    /// Ctrl-C, and how the run ends: its exit code and what it said to standard error.
    fn interrupt(mut self) -> (Option<i32>, String, Vec<String>) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        kill(id, Signal::SIGINT).expect("the process is there");
        let mut err = String::new();
        let mut errors = self.child.stderr.take().expect("its errors");
        errors.read_to_string(&mut err).expect("text");
        let status = self.child.wait().expect("it ends");
        self.said.extend(self.lines);
        (status.code(), err, self.said)
    }
}

#[rstest]
#[case::of_a_scenario_that_holds(HOLDS, "PASS  a/case  ", 0)]
#[case::of_a_scenario_that_failed(FAILS, "FAIL  a/case  ", 1)]
fn a_world_stands_until_ctrl_c_and_the_run_ends_as_its_scenario_did(
    #[case] scenario: &str,
    #[case] verdict: &str,
    #[case] code: i32,
) {
    let suite = TemporarySuite::new(&[("scenarios/a/case.yaml", scenario)]);
    let mut standing = Standing::of(&suite, &["run", "a/case", "--keep"], "nsenter");
    assert!(
        standing.said[0].starts_with(verdict),
        "the verdict comes first: {:#?}",
        standing.said
    );
    assert!(
        standing
            .said
            .iter()
            .any(|line| line == "The world of a/case stands until Ctrl-C. Its doors:")
    );
    let door = standing
        .said
        .iter()
        .find_map(|line| line.trim().strip_prefix("Kubernetes"));
    let address = door.and_then(|door| door.trim().strip_prefix("https://")?.split_whitespace().next());
    let address: SocketAddr = address.and_then(|text| text.parse().ok()).expect("a door on this host");
    TcpStream::connect(address).expect("the world stands");
    assert!(standing.child.try_wait().expect("a child").is_none());
    let (ended, err, said) = standing.interrupt();
    assert_eq!((ended, err.as_str()), (Some(code), ""), "{said:#?}");
    assert!(
        said.last()
            .is_some_and(|line| line.contains(" in ") && line.contains("embedded world")),
        "{said:#?}"
    );
    assert!(TcpStream::connect(address).is_err(), "the world is gone");
}

#[test]
fn ctrl_c_before_the_world_stands_is_an_interruption() {
    let suite = TemporarySuite::new(&[("case.yaml", &shell("It takes its time", "sleep 60"))]);
    let text = HOLDS.replace(
        "steps:\n",
        "steps:\n  - as: aws-cli\n    credentials: {}\n    expect: { role: MyPodRole }\n",
    );
    let slow = format!("{text}  - as: aws-cli\n    exec: sleep 60\n    expect: {{ exit: 0 }}\n");
    std::fs::write(suite.path("slow.yaml"), slow).expect("a scenario");
    let standing = Standing::of(&suite, &["run", "slow.yaml", "--keep", "-v"], "step 2: ");
    let (ended, err, said) = standing.interrupt();
    assert_eq!(ended, Some(130), "{said:#?}");
    assert!(err.starts_with("interrupted: "), "{err}");
    assert!(!said.iter().any(|line| line.contains("stands until")), "{said:#?}");
}

#[test]
fn only_one_world_can_be_kept() {
    let suite = TemporarySuite::new(&[
        ("scenarios/a/one.yaml", SKIPS),
        ("scenarios/a/two.yaml", &SKIPS.replace("Another", "A further")),
    ]);
    for arguments in [&["run", "--keep"][..], &["run", "a/one", "--keep", "--repeat", "2"]] {
        let ended = Ended::of(suite.rolecall(arguments).output());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:#?}");
        assert!(ended.err.contains("--keep"), "{ended:#?}");
    }
}

#[test]
fn a_scenario_that_is_skipped_has_no_world_to_keep() {
    let suite = TemporarySuite::new(&[("scenarios/a/skips.yaml", SKIPS)]);
    let ended = Ended::of(suite.rolecall(&["run", "--keep"]).output());
    assert_eq!(ended.code, Some(4), "{ended:#?}");
}
