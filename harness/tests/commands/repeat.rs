//! `--repeat` and `--tag`.

use std::fs;

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    scenarios::{FAILS, HOLDS, SKIPS, entries, runs, shell},
    suite::{Ended, TemporarySuite},
};

fn report(suite: &TemporarySuite) -> Value {
    let text = fs::read_to_string(suite.path("report.json")).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_scenario_that_does_not_always_end_alike_is_shown_and_fails_the_run() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    // Only one can make the folder.
    let first_only = format!("mkdir {}", suite.path("taken").display());
    fs::write(suite.path("scenarios/a/once.yaml"), shell("It holds once", &first_only)).expect("a scenario");
    let ended = Ended::of(
        suite
            .rolecall(&["run", "--repeat", "3", "--report", "json=report.json"])
            .output(),
    );
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{ended:#?}");
    assert!(
        ended.out.contains("\nUNSTEADY  a/once  1 passed, 2 failed\n"),
        "{ended:#?}"
    );
    assert!(ended.out.contains("\n4 passed, 2 failed in "), "{ended:#?}");
    for repeat in 1..=3 {
        assert!(
            ended.out.contains(&format!("PASS  a/holds ({repeat} of 3)  ")),
            "{ended:#?}"
        );
    }
    let report = report(&suite);
    assert_eq!(
        report["unsteady"],
        json!([{ "id": "a/once", "passed": 1, "failed": 2, "error": 0 }])
    );
    let scenarios = report["scenarios"].as_array().expect("scenarios");
    let rounds: Vec<_> = scenarios
        .iter()
        .map(|one| (one["id"].as_str(), one["repeat"].as_u64()))
        .collect();
    let of = |id| (1..=3).map(move |repeat| (Some(id), Some(repeat)));
    assert_eq!(rounds, of("a/holds").chain(of("a/once")).collect::<Vec<_>>());
    // Steps of repetitions that ran side by side are not mixed.
    assert!(
        scenarios
            .iter()
            .all(|one| one["steps"].as_array().is_some_and(|steps| steps.len() == 1))
    );
    // Each that failed has files of its own.
    let [run] = runs(&suite).try_into().expect("one run");
    assert_eq!(entries(&run.join("a/once")).len(), 2);
}

#[test]
fn a_scenario_that_always_holds_is_steady_and_a_skip_is_said_once() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS), ("scenarios/a/skips.yaml", SKIPS)]);
    let ended = Ended::of(
        suite
            .rolecall(&["run", "--repeat", "2", "--report", "json=report.json"])
            .output(),
    );
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert!(ended.out.contains("\n2 passed, 1 skipped in "), "{ended:#?}");
    assert_eq!(
        (&report(&suite)["unsteady"], &report(&suite)["repeats"]),
        (&json!([]), &json!(2))
    );
}

#[rstest]
#[case::with_the_tag(&["--tag", "quick"], &["a/fails", "a/holds"])]
#[case::with_any_of_several(&["--tag", "small", "--tag", "quick"], &["a/fails", "a/holds"])]
#[case::beside_a_word(&["a/h", "--tag", "quick"], &["a/holds"])]
fn a_tag_selects(#[case] arguments: &[&str], #[case] ids: &[&str]) {
    let suite = TemporarySuite::new(&[
        ("scenarios/a/fails.yaml", FAILS),
        ("scenarios/a/holds.yaml", HOLDS),
        ("scenarios/a/skips.yaml", SKIPS),
    ]);
    let ended = Ended::of(suite.rolecall(&[&["list"], arguments].concat()).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    let listed: Vec<_> = ended
        .out
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(listed, ids);
}

#[test]
fn a_tag_that_no_scenario_has_runs_nothing_and_says_which_there_are() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS), ("scenarios/a/skips.yaml", SKIPS)]);
    let ended = Ended::of(suite.rolecall(&["run", "--tag", "quikc"]).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{ended:#?}");
    assert_eq!(
        ended.err,
        "error: no scenario has the tag `quikc`; there are quick, small\n"
    );
}
