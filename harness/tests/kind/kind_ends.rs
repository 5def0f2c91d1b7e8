//! How a run in kind ends, and what it leaves.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::kind_run::{KindRun, left};

fn signal(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(id), signal).expect("the process is ours");
}

/// Starts a run and sends it a signal once it has said `word` on standard error; how it ended.
fn at(run: &KindRun, word: &str, what: Signal) -> Option<i32> {
    let mut command = run.kind(&["kube2iam/"]);
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("rolecall");
    let said = BufReader::new(child.stderr.take().expect("its standard error"));
    let mut lines = said.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(word)), "it never said {word}");
    signal(&child, what);
    // Whatever it says further must find a reader.
    for _ in lines {}
    child.wait().expect("it ends").code()
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn an_interrupted_run_leaves_nothing_and_a_killed_one_nothing_that_sweep_does_not_remove() {
    let Some(run) = KindRun::new() else { return };
    // Somebody else's, which is never touched.
    let foreign = [
        "run",
        "--detach",
        "--rm",
        "--name",
        "rolecall-kind-test-foreign",
        "--entrypoint",
        "sleep",
    ];
    let image = ["kindest/node:v1.36.3", "600"];
    let made = Command::new("docker")
        .args(foreign)
        .args(image)
        .output()
        .expect("docker");
    assert!(made.status.success(), "{made:#?}");
    for word in ["kind: cluster", "kind: canary"] {
        assert_eq!(at(&run, word, Signal::SIGINT), Some(130));
        assert_eq!(left(), Vec::<String>::new(), "after SIGINT at {word}");
        assert_eq!(at(&run, word, Signal::SIGKILL), None);
        let swept = run.end(run.rolecall(&["sweep"]));
        assert_eq!(swept.code, Some(0), "{swept:#?}");
        assert_eq!(left(), Vec::<String>::new(), "after SIGKILL at {word} and sweep");
    }
    let still = Command::new("docker")
        .args(["rm", "--force", "rolecall-kind-test-foreign"])
        .output()
        .expect("docker");
    assert!(still.status.success(), "sweep has removed what is not ours: {still:#?}");
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn a_second_run_on_a_kept_cluster_makes_nothing_twice() {
    let Some(run) = KindRun::new() else { return };
    let cluster = format!("rolecall-2nd-{}", std::process::id());
    let arguments = ["kube2iam/no-permission", "--cluster", &cluster];
    let first = run.end(run.kind(&arguments));
    assert_eq!(first.code, Some(0), "{first:#?}");
    let after_first = left();
    let second = run.end(run.kind(&arguments));
    assert_eq!(second.code, Some(0), "{second:#?}");
    assert_eq!(left(), after_first);
    // No process uses it any more.
    let swept = run.end(run.rolecall(&["sweep"]));
    assert!(
        swept.out.contains(&format!("removed kind cluster {cluster}")),
        "{swept:#?}"
    );
    assert_eq!(left(), Vec::<String>::new());
}

#[test]
#[ignore = "takes Docker and kind"]
fn a_kind_cluster_of_somebody_else_is_refused() {
    let Some(run) = KindRun::new() else { return };
    // kind takes whatever has its label for a cluster.
    let name = "rolecall-foreign-cluster";
    let words = [
        "run",
        "--detach",
        "--rm",
        "--name",
        name,
        "--label",
        "io.x-k8s.kind.cluster=rolecall-foreign",
        "--label",
        "io.x-k8s.kind.role=control-plane",
        "--entrypoint",
        "sleep",
        "kindest/node:v1.36.3",
        "600",
    ];
    let made = Command::new("docker").args(words).output().expect("docker");
    assert!(made.status.success(), "{made:#?}");
    let ended = run.end(run.kind(&["kube2iam/no-permission", "--cluster", "rolecall-foreign"]));
    let removed = Command::new("docker")
        .args(["rm", "--force", name])
        .output()
        .expect("docker");
    assert!(removed.status.success(), "{removed:#?}");
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(ended.err.contains("that rolecall did not make"), "{ended:#?}");
}
