//! Every reversal of the suite, in one run; those that reverse a flag of the run, in another.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use crate::{
    kind_run::{KindRun, root},
    table::{ALL, Fact, Of, Reversal},
};

/// What section 9 of the format denies this world, as the reason of a skip says it: then nothing can be reversed.
const DENIED: &[&str] = &[
    "has no `addresses`",
    "has no `ipv6`",
    "the kind world has the nodes master-1, node-1 and node-2",
    "the kind world cannot let kubernetes",
    // A real Vault's clock cannot be moved.
    "no clock that can be moved",
];

/// One reversal, and the file in which it is.
struct Written {
    scenario: &'static str,
    reversal: &'static Reversal,
    file: String,
}

/// The reversals that one run has together.
struct Part {
    name: &'static str,
    flags: &'static [&'static str],
    chosen: fn(&Fact) -> bool,
}

const PARTS: &[Part] = &[
    Part {
        name: "words",
        flags: &[],
        chosen: |fact| matches!(fact, Fact::Words(_)),
    },
    Part {
        name: "enforcement",
        flags: &["--no-enforcement"],
        chosen: |fact| matches!(fact, Fact::Enforcement),
    },
];

/// How one ended: a word for the table, and whether it is what was due.
struct Judged {
    word: &'static str,
    why: String,
    right: bool,
}

/// ROLECALL_REVERSALS takes those of some scenarios alone: `kube2iam/`, `vault/switch-role`.
#[test]
#[ignore = "takes a kind cluster and more than half an hour"]
fn every_reversal_fails_at_its_step_or_is_denied_this_world() {
    let Some(run) = KindRun::new() else { return };
    let mut table = String::new();
    let (mut count, mut wrong) = (0, 0);
    for Part { name, flags, chosen } in PARTS {
        let all = written(&run, name, *chosen);
        count += all.len();
        if all.is_empty() {
            continue;
        }
        let mut arguments: Vec<&str> = flags.to_vec();
        arguments.extend(all.iter().map(|written| written.file.as_str()));
        let ended = run.end(run.kind(&arguments));
        let scenarios = ended.report["scenarios"].as_array().cloned().unwrap_or_default();
        assert_eq!(
            scenarios.len(),
            all.len(),
            "not all were run, exit status {:?}: {}\n{}",
            ended.code,
            ended.out,
            ended.err
        );
        for written in &all {
            let found = scenarios.iter().find(|found| found["file"] == written.file.as_str());
            let judged = judge(written.reversal, found.unwrap_or(&Value::Null));
            wrong += usize::from(!judged.right);
            let mark = if judged.right { "  " } else { "! " };
            // Writing to a string never fails.
            let _ = writeln!(
                table,
                "{mark}{:<8} {:<42} {}{}",
                judged.word, written.scenario, written.reversal.0, judged.why
            );
        }
    }
    println!("{table}");
    assert_ne!(count, 0, "there are no such reversals");
    assert_eq!(wrong, 0, "reversals that did not end as they must (marked !):\n{table}");
}

fn written(run: &KindRun, part: &str, chosen: fn(&Fact) -> bool) -> Vec<Written> {
    let folder = run.path(part);
    fs::create_dir_all(&folder).expect("a folder");
    let all = ALL.iter().copied().flatten();
    let all = all.flat_map(|Of(scenario, reversals)| reversals.iter().map(move |reversal| (*scenario, reversal)));
    let only = std::env::var("ROLECALL_REVERSALS").unwrap_or_default();
    let all = all.filter(|(scenario, _)| scenario.starts_with(&only));
    let mut written = Vec::new();
    for (index, (scenario, reversal)) in all.filter(|(_, reversal)| chosen(&reversal.1)).enumerate() {
        let file = folder.join(format!("{}-{index:03}.yaml", scenario.replace('/', "-")));
        let text = reversal.1.text(&root(), scenario).expect("the reversed scenario");
        fs::write(&file, named(&text, index, reversal.0)).expect("the reversed scenario");
        written.push(Written {
            scenario,
            reversal,
            file: file.display().to_string(),
        });
    }
    written
}

/// The scenario by a name of its own: no two of a run have the same.
fn named(text: &str, index: usize, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("name: ")).expect("its name");
    text.replacen(line, &format!("name: \"{index}: {name}\""), 1)
}

fn judge(Reversal(_, _, step, finding): &Reversal, found: &Value) -> Judged {
    let judged = |word, why: String, right| Judged { word, why, right };
    let reason = found["reason"].as_str().unwrap_or_default();
    let told = |text: &str| format!("\n             {text}");
    match found["verdict"].as_str() {
        Some("skipped") => {
            let right = DENIED.iter().any(|denied| reason.contains(denied));
            judged("skipped", told(reason), right)
        }
        Some("failed") => {
            let failure = &found["failure"];
            let text = failure_text(failure);
            let right = failure["step"].as_u64() == Some(*step) && text.contains(finding);
            let why = format!("at step {}: {text}; due was step {step}: {finding}", failure["step"]);
            judged("caught", if right { String::new() } else { told(&why) }, right)
        }
        Some("passed") => judged("missed", String::new(), false),
        _ => judged("error", told(reason), false),
    }
}

/// All that a person is told of a failure.
fn failure_text(failure: &Value) -> String {
    let notes = failure["notes"].as_array().into_iter().flatten();
    [&failure["found"], &failure["excerpt"]]
        .into_iter()
        .chain(notes)
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}
