//! `rolecall sweep`.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rolecall_clock::{monotonic, since};

use crate::{
    scenarios::{FAILS, entries, runs, shell},
    suite::{Ended, TemporarySuite},
};

/// The number of a process that is gone.
fn gone() -> u32 {
    let mut child = Command::new("true").spawn().expect("true");
    let id = child.id();
    child.wait().expect("it ends");
    id
}

#[test]
fn drafts_of_processes_that_are_gone_are_removed_and_nothing_else() {
    let (gone, here) = (gone(), std::process::id());
    let left = [
        format!(".report.json.{gone}.rolecall-draft"),
        format!("target/rolecall/one/.run.{gone}.rolecall-draft"),
    ];
    let kept = [
        format!(".report.json.{here}.rolecall-draft"),
        format!(".report.json.{gone}"),
        format!("target/rolecall/two/.run.{here}.rolecall-draft"),
        "target/rolecall/three/a/fails/proxy.log".to_owned(),
        "report.json".to_owned(),
    ];
    let files: Vec<_> = left.iter().chain(&kept).map(|name| (name.as_str(), "")).collect();
    let suite = TemporarySuite::new(&files);

    let dry = Ended::of(suite.rolecall(&["sweep", "--dry-run"]).output());
    let lines = |word: &str| format!("{word} .report.json.{gone}.rolecall-draft\n{word} target/rolecall/one\n");
    assert_eq!((dry.code, dry.out), (Some(0), lines("would remove")));
    assert!(
        left.iter().all(|name| suite.path(name).exists()),
        "a dry run removes nothing"
    );

    let swept = Ended::of(suite.rolecall(&["sweep"]).output());
    assert_eq!((swept.code, swept.out), (Some(0), lines("removed")));
    assert!(!suite.path(&left[0]).exists() && !suite.path("target/rolecall/one").exists());
    assert!(
        kept.iter().all(|name| suite.path(name).exists()),
        "what is not left is not touched"
    );

    let again = Ended::of(suite.rolecall(&["sweep"]).output());
    assert_eq!(
        (again.code, again.out.as_str()),
        (Some(0), "nothing is left of killed runs\n")
    );
}

#[test]
fn a_folder_that_is_named_is_swept_and_one_that_is_not_there_is_wrong_usage() {
    let name = format!("reports/.r.{}.rolecall-draft", gone());
    let suite = TemporarySuite::new(&[(&name, "")]);
    let absent = Ended::of(suite.rolecall(&["sweep", "absent"]).output());
    assert_eq!(absent.code, Some(2), "{absent:#?}");
    let swept = Ended::of(suite.rolecall(&["sweep", "reports"]).output());
    assert_eq!((swept.code, swept.out), (Some(0), format!("removed {name}\n")));
}

#[test]
fn the_folder_of_a_run_that_was_killed_is_removed() {
    let suite = TemporarySuite::new(&[
        ("scenarios/a/fails.yaml", FAILS),
        ("scenarios/a/slow.yaml", &shell("It takes its time", "sleep 60")),
    ]);
    let mut run = suite
        .rolecall(&["run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program can be started");
    let start = monotonic();
    while !runs(&suite)
        .first()
        .is_some_and(|run| run.join("a/fails/proxy.log").exists())
    {
        assert!(since(start) < Duration::from_secs(30), "no scenario failed");
        std::thread::yield_now();
    }
    let live = Ended::of(suite.rolecall(&["sweep"]).output());
    assert_eq!(
        live.out, "nothing is left of killed runs\n",
        "a run that goes on is not touched"
    );
    kill(Pid::from_raw(i32::try_from(run.id()).expect("an id")), Signal::SIGKILL).expect("the run is there");
    run.wait().expect("it ends");
    let swept = Ended::of(suite.rolecall(&["sweep"]).output());
    assert!(swept.out.starts_with("removed target/rolecall/"), "{swept:#?}");
    assert!(entries(&suite.path("target/rolecall")).is_empty());
    let _ = fs::remove_dir(suite.path("target/rolecall"));
}
