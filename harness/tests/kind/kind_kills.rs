//! A run in kind that is ended, at whatever moment, leaves nothing, or nothing that `sweep` does not remove.

use std::{fmt::Write as _, process::Command, sync::mpsc::channel, time::Duration};

use nix::sys::signal::Signal;
use rolecall_clock::{monotonic, since};

use crate::{
    kind_heard::Heard,
    kind_left::left_of,
    kind_run::{KindRun, run_said_by},
};

/// So long (in milliseconds) after the run has said these words.
struct Moment(&'static str, u64);

/// What ends it.
#[derive(Clone, Copy, Debug)]
enum End {
    CtrlC,
    /// A second Ctrl-C ends the process at once.
    TwoCtrlC,
    Kill,
}

/// The phases of a run, and moments within them.
const MOMENTS: [Moment; 20] = [
    // The cluster is written down and made: for some twenty seconds.
    Moment("kind: run ", 0),
    Moment("kind: run ", 120),
    Moment("kind: run ", 400),
    Moment("kind: run ", 1_000),
    Moment("kind: run ", 2_500),
    Moment("kind: run ", 6_000),
    Moment("kind: run ", 12_000),
    // Its nodes get images, and the containers beside it start.
    Moment("kind: cluster ", 0),
    Moment("kind: cluster ", 300),
    Moment("kind: cluster ", 1_200),
    Moment("kind: cluster ", 3_000),
    Moment("kind: images on the nodes ", 0),
    Moment("kind: images on the nodes ", 500),
    Moment("kind: ways between pods and containers ", 0),
    // Scenarios run.
    Moment("kind: canary ", 0),
    Moment("kind: canary ", 1_000),
    Moment("kind: canary ", 4_000),
    // All is being removed.
    Moment("PASS ", 0),
    Moment("PASS ", 400),
    Moment("PASS ", 1_500),
];

/// How long what is over may take to show itself: the engine may still make what it was asked for.
const SHOWS: Duration = Duration::from_secs(3);
/// How long programs that the run has started may take to notice that there is nothing left for them to do.
const NOTICES: Duration = Duration::from_secs(10);

/// ROLECALL_MOMENTS takes those alone that follow these words: `kind: images`, `PASS`.
#[test]
#[ignore = "takes some forty kind clusters and half an hour"]
fn a_run_that_is_ended_at_twenty_moments_leaves_nothing_that_sweep_does_not_remove() {
    let Some(run) = KindRun::new() else { return };
    let foreign = Foreign::make();
    let (mut table, mut wrong) = (String::new(), 0);
    let only = std::env::var("ROLECALL_MOMENTS").unwrap_or_default();
    let chosen = MOMENTS
        .iter()
        .enumerate()
        .filter(|(_, moment)| moment.0.starts_with(&only));
    for (index, moment) in chosen {
        let ends: &[End] = match index % 5 {
            2 => &[End::CtrlC, End::Kill, End::TwoCtrlC],
            _ => &[End::CtrlC, End::Kill],
        };
        for end in ends {
            let (told, errors) = ended(&run, moment, *end);
            let mark = if errors.is_empty() { "  " } else { "! " };
            let before = table.len();
            // Writing to a string never fails.
            let _ = writeln!(
                table,
                "{mark}{:>5} ms after `{}`, {end:?}: {told}",
                moment.1,
                moment.0.trim()
            );
            for error in errors {
                wrong += 1;
                let _ = writeln!(table, "    {error}");
            }
            eprint!("{}", table.get(before..).unwrap_or_default());
        }
    }
    let missing = foreign.missing();
    println!("{table}");
    assert_ne!(table, "", "there are no such moments");
    assert_eq!(wrong, 0, "ends that left something (marked !):\n{table}");
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "sweep has removed what carries no run's id"
    );
}

/// Ends a run at a moment: what came of it, and what is wrong with that.
fn ended(run: &KindRun, moment: &Moment, end: End) -> (String, Vec<String>) {
    let mut heard = Heard::start(run.kind(&["kube2iam/no-permission"]));
    let name = heard.until("kind: run ").and_then(|line| run_said_by(&line));
    let Some(name) = name else {
        return ("it never came so far".to_owned(), vec![heard.all()]);
    };
    if moment.0 != "kind: run " && heard.until(moment.0).is_none() {
        heard.signal(Signal::SIGINT);
        return (format!("it never said {}", moment.0), vec![heard.all()]);
    }
    heard.during(Duration::from_millis(moment.1));
    let start = monotonic();
    match end {
        End::CtrlC => heard.signal(Signal::SIGINT),
        End::TwoCtrlC => {
            heard.signal(Signal::SIGINT);
            // Two presses, and not one: the first is heard.
            let _ = heard.until("interrupted: cleaning up");
            heard.signal(Signal::SIGINT);
        }
        End::Kill => heard.signal(Signal::SIGKILL),
    }
    let code = heard.end();
    let took = since(start);
    let mut errors = Vec::new();
    // The run may have been over.
    let over = moment.0 == "PASS " && code == Some(0);
    let due = match end {
        End::CtrlC | End::TwoCtrlC => Some(130),
        End::Kill => None,
    };
    if code != due && !over {
        errors.push(format!("it ended with {code:?} and not {due:?}: {}", heard.all()));
    }
    let mut told = format!("{code:?} after {:.1} s", took.as_secs_f64());
    if !matches!(end, End::CtrlC) {
        let swept = run.end(run.rolecall(&["sweep", "--run", &name]));
        let removed = swept.out.lines().filter(|line| line.starts_with("removed ")).count();
        let _ = write!(told, ", sweep removed {removed}");
        if swept.code != Some(0) {
            errors.push(format!("sweep ended with {:?}: {}", swept.code, swept.err));
        }
    }
    let left = still_there(run, &name);
    if !left.is_empty() {
        errors.push(format!("it said: {}", heard.all().replace('\n', "\n      ")));
    }
    errors.extend(left);
    (told, errors)
}

/// What of the run there is, or comes, after it is over.
fn still_there(run: &KindRun, name: &str) -> Vec<String> {
    let start = monotonic();
    let (_silent, silence) = channel::<()>();
    loop {
        let mut left = left_of(name, &run.temporary());
        let programs = left.iter().all(|left| left.starts_with("process "));
        if programs && since(start) < NOTICES {
            left.clear();
        }
        if !left.is_empty() || since(start) > SHOWS && left_of(name, &run.temporary()).is_empty() {
            return left.into_iter().map(|left| format!("left: {left}")).collect();
        }
        let _ = silence.recv_timeout(Duration::from_millis(200));
    }
}

/// Things of somebody else's, which look like a run's and carry no run's id.
struct Foreign {
    container: String,
    volume: String,
}

// === impl Foreign ===

impl Foreign {
    fn make() -> Self {
        let id = std::process::id();
        let foreign = Self {
            container: format!("rolecall-20260101t000000z-{id}-front"),
            volume: format!("rolecall-ledger-foreign-{id}"),
        };
        let container = ["run", "--detach", "--name", &foreign.container, "--entrypoint", "sleep"];
        docker(&[&container[..], &["kindest/node:v1.36.3", "7200"]].concat());
        docker(&["volume", "create", &foreign.volume]);
        foreign
    }

    fn missing(&self) -> Vec<String> {
        let gone = [
            ("container", ["container", "inspect", &self.container]),
            ("volume", ["volume", "inspect", &self.volume]),
        ];
        let is_gone = |words: &[&str]| {
            let asked = Command::new("docker").args(words).output().expect("docker");
            !asked.status.success()
        };
        gone.iter()
            .filter(|(_, words)| is_gone(words))
            .map(|(what, _)| (*what).to_owned())
            .collect()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let remove = [["rm", "--force", &self.container], ["volume", "rm", &self.volume]];
        for words in remove {
            let _ = Command::new("docker").args(words).output();
        }
    }
}

fn docker(words: &[&str]) {
    let made = Command::new("docker").args(words).output().expect("docker");
    assert!(made.status.success(), "{made:#?}");
}
