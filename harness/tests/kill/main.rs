//! However a run is ended, nothing of its worlds is left: no process, and nobody in any of its network namespaces.

mod processes;
#[path = "../suite/mod.rs"]
mod suite;

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    process::{Child, Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use processes::{alive, descendants, networks_of, who_is_in, words_of};
use rolecall_clock::{monotonic, since};
use rstest::rstest;
use suite::{Ended, TemporarySuite};

/// It asks again and again for longer than any test here lasts.
const LASTS: &str = "\
name: A denial that must stay for long
why: Somebody may lose patience.
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    call: s3:ListBuckets
    expect: { denied: AccessDenied }
    throughout: 120s
";

/// How long the world may take to be in the midst of its step.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the dead may take to be gone.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A run in the midst of a step, with all that belongs to its world. Dropping it kills it.
struct Running {
    program: Child,
    /// Every process that it started, and theirs.
    processes: BTreeSet<u32>,
    /// Its network namespaces but for this host's.
    networks: BTreeSet<u64>,
}

// === impl Running ===

impl Running {
    /// Starts a run and returns when a pod of it has asked AWS, so that everything there is to a world exists.
    async fn start(suite: &TemporarySuite) -> Self {
        let program = suite
            .rolecall(&["run", "--report", "json=report.json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut running = Self {
            program: program.expect("the program can be started"),
            processes: BTreeSet::new(),
            networks: BTreeSet::new(),
        };
        let start = monotonic();
        let mut has_probed = false;
        while since(start) < PATIENCE {
            let now = descendants(running.program.id());
            let kinds: Vec<_> = now.iter().filter_map(|id| words_of(*id).into_iter().nth(1)).collect();
            let proxies = kinds.iter().filter(|kind| *kind == "proxy").count();
            has_probed |= kinds.iter().any(|kind| kind == "probe");
            running.processes.extend(now);
            if proxies == 2 && has_probed {
                running.networks = networks_of(running.program.id());
                // The vpc, three nodes and a pod.
                assert_eq!(running.networks.len(), 5, "network namespaces of the world");
                return running;
            }
            let ended = running.program.try_wait().expect("its status");
            assert_eq!(ended, None, "the run ended too early");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("no step was reached within {PATIENCE:?}");
    }

    fn send(&self, signal: Signal) {
        let id = i32::try_from(self.program.id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("a signal");
    }

    /// Fails unless everything of the world is gone in time.
    async fn leaves_nothing(&self) {
        let start = monotonic();
        loop {
            let left = self.processes.iter().filter(|id| alive(**id));
            let left: Vec<_> = left.map(|id| (id, words_of(*id))).collect();
            let inside = who_is_in(&self.networks);
            if left.is_empty() && inside.is_empty() {
                return;
            }
            assert!(
                since(start) < AT_ONCE,
                "after {AT_ONCE:?} these run: {left:?}; these are in the world's networks: {inside:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How the program ends, and what it has said by then.
    async fn ended(&mut self) -> Ended {
        let start = monotonic();
        let status = loop {
            if let Some(status) = self.program.try_wait().expect("its status") {
                break status;
            }
            assert!(since(start) < PATIENCE, "it still runs after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        // A few lines, which the pipes have kept.
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let (Some(out), Some(err)) = (&mut self.program.stdout, &mut self.program.stderr) {
            out.read_to_end(&mut stdout).expect("its output");
            err.read_to_end(&mut stderr).expect("its errors");
        }
        Ended::of(Ok(Output { status, stdout, stderr }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[tokio::test]
async fn a_run_that_is_killed_leaves_no_process_and_nobody_in_its_networks() {
    let suite = TemporarySuite::new(&[("scenarios/a/lasts.yaml", LASTS)]);
    let running = Running::start(&suite).await;
    // The program can tidy up nothing.
    running.send(Signal::SIGKILL);
    running.leaves_nothing().await;
}

#[rstest]
#[case::ctrl_c(Signal::SIGINT)]
#[case::a_polite_end(Signal::SIGTERM)]
#[tokio::test]
async fn a_run_that_is_interrupted_ends_with_130_and_leaves_nothing(#[case] signal: Signal) {
    let suite = TemporarySuite::new(&[("scenarios/a/lasts.yaml", LASTS)]);
    let mut running = Running::start(&suite).await;
    running.send(signal);
    let ended = running.ended().await;
    running.leaves_nothing().await;
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert!(ended.out.contains("STOP  a/lasts  interrupted"), "{ended:#?}");
    assert!(ended.out.contains("0 passed, 1 interrupted in "), "{ended:#?}");
    assert_eq!(ended.err, "interrupted: cleaning up (once more to end at once)\n");
    let report = fs::read_to_string(suite.path("report.json")).expect("the report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["scenarios"][0]["verdict"], "interrupted", "{report:#}");
}
