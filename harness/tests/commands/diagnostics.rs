//! What is kept of a scenario that failed.

use std::{fs, os::unix::fs::PermissionsExt};

use rstest::rstest;
use serde_json::Value;

use crate::{
    scenarios::{ERRS, FAILS, HOLDS, entries, runs, shell},
    suite::{Ended, TemporarySuite},
};

#[test]
fn a_failed_scenario_leaves_its_files_and_its_text_names_them() {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS), ("scenarios/a/holds.yaml", HOLDS)]);
    let ended = Ended::of(suite.rolecall(&["run", "--report", "json=report.json"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{ended:#?}");
    let [run] = runs(&suite).try_into().expect("one run");
    // Of what held nothing is kept, and no marker is left of a run that is over.
    assert_eq!(entries(&run), [run.join("a")]);
    assert_eq!(entries(&run.join("a")), [run.join("a/fails")]);
    let name = run.file_name().expect("a name").to_string_lossy().into_owned();
    let last: Vec<_> = ended.out.lines().filter(|line| line.starts_with("   = ")).collect();
    assert_eq!(
        last.last_chunk().expect("two lines"),
        &[
            format!("   = more: target/rolecall/{name}/a/fails/ (proxy.log, http.txt, decisions.txt, events.txt)")
                .as_str(),
            "   = again: rolecall run a/fails --keep",
        ]
    );
    let read = |file: &str| fs::read_to_string(run.join("a/fails").join(file)).expect("a file");
    assert!(read("proxy.log").contains("node-1: "), "{}", read("proxy.log"));
    assert!(read("http.txt").contains("sts:AssumeRole"), "{}", read("http.txt"));
    assert!(
        read("decisions.txt").contains("trust policy"),
        "{}",
        read("decisions.txt")
    );
    assert!(read("events.txt").contains("aws-cli"), "{}", read("events.txt"));

    let report: Value =
        serde_json::from_str(&fs::read_to_string(suite.path("report.json")).expect("a report")).expect("JSON");
    assert_eq!(report["run"], name);
    let [fails, holds] = report["scenarios"].as_array().expect("scenarios").as_slice() else {
        panic!("two scenarios: {report:#}");
    };
    assert_eq!(
        fails["diagnostics"]["folder"],
        format!("target/rolecall/{name}/a/fails")
    );
    assert_eq!(fails["again"], "rolecall run a/fails --keep");
    assert_eq!((&holds["diagnostics"], &holds["again"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_error_in_a_world_leaves_its_files_too() {
    let suite = TemporarySuite::new(&[("scenarios/a/errs.yaml", ERRS)]);
    let ended = Ended::of(suite.rolecall(&["run", "--output", "kept"]).output());
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    assert!(ended.out.contains("   = more: kept/"), "{ended:#?}");
    let [run] = entries(&suite.path("kept")).try_into().expect("one run");
    assert_eq!(entries(&run.join("a/errs")).len(), 5, "{ended:#?}");
}

#[test]
fn a_run_in_which_nothing_fails_makes_no_folder() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let ended = Ended::of(suite.rolecall(&["run"]).output());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(!suite.path("target").exists());
}

#[rstest]
#[case::below_a_file("scenarios/a/fails.yaml/below")]
#[case::below_a_folder_of_the_kernel("/proc/rolecall")]
fn an_output_folder_that_cannot_be_written_is_told_before_anything_runs(#[case] output: &str) {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS)]);
    let ended = Ended::of(suite.rolecall(&["run", "--output", output]).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    let says = format!("error: the output folder {output} cannot be written: ");
    assert!(ended.err.starts_with(&says), "{ended:#?}");
    assert!(ended.err.contains("choose another with --output DIR"), "{ended:#?}");
}

#[test]
fn files_that_cannot_be_written_at_the_end_are_told_and_end_with_6() {
    let suite = TemporarySuite::new(&[]);
    let spoil = format!("echo in the way > {}; exit 1", suite.path("out").display());
    fs::write(
        suite.path("case.yaml"),
        shell("The output folder becomes a file", &spoil),
    )
    .expect("a scenario");
    let ended = Ended::of(suite.rolecall(&["run", "case.yaml", "--output", "out"]).output());
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    assert!(
        ended.err.contains("the files of case cannot be written: "),
        "{ended:#?}"
    );
    // The verdict is still said, and no file is named that is not there.
    assert!(
        ended.out.contains("FAIL  case") && !ended.out.contains("= more: "),
        "{ended:#?}"
    );
}

#[test]
fn what_is_to_be_run_again_is_told_with_the_flags_that_it_depends_on() {
    let suite = TemporarySuite::new(&[("my cases/fails.yaml", FAILS)]);
    talkative_proxy(&suite, ":");
    let arguments = [
        "run",
        "my cases/fails.yaml",
        "--proxy-binary",
        "./proxy",
        "--",
        "--log-level=debug",
    ];
    let ended = Ended::of(suite.rolecall(&arguments).output());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let again = "   = again: rolecall run 'my cases/fails' --keep --proxy-binary ./proxy -- --log-level=debug\n";
    assert!(ended.out.contains(again), "{ended:#?}");
    // The name that is told there is one that is understood.
    let listed = Ended::of(suite.rolecall(&["list", "my cases/fails"]).output());
    assert_eq!(listed.out, "my cases/fails  The pod is refused\n", "{listed:#?}");
}

#[test]
fn no_file_of_a_failed_scenario_has_a_secret() {
    const SECRETS: [&str; 2] = ["wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12", "ASIAQWERTYUIOPASDF7Q"];
    let suite = TemporarySuite::new(&[("case.yaml", FAILS)]);
    // A proxy that tells its keys in its log.
    talkative_proxy(&suite, &format!("echo given {} {} >&2", SECRETS[0], SECRETS[1]));
    let arguments = ["run", "case.yaml", "--output", "out", "--proxy-binary", "./proxy"];
    let ended = Ended::of(suite.rolecall(&arguments).output());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let [run] = entries(&suite.path("out")).try_into().expect("one run");
    let files = entries(&run.join("case"));
    assert_eq!(files.len(), 5, "{files:?}");
    let log = fs::read_to_string(run.join("case/proxy.log")).expect("text");
    assert!(log.contains("given [secret] ASIA…7Q"), "{log}");
    for file in files {
        let text = fs::read_to_string(&file).expect("text");
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {}", file.display());
        }
    }
}

/// The bundled proxy, started by a script that first does something else.
fn talkative_proxy(suite: &TemporarySuite, first: &str) {
    let program = suite.rolecall(&[]).get_program().to_string_lossy().into_owned();
    let proxy = suite.path("proxy");
    fs::write(&proxy, format!("#!/bin/sh\n{first}\nexec {program} proxy \"$@\"\n")).expect("a proxy");
    fs::set_permissions(&proxy, fs::Permissions::from_mode(0o755)).expect("permissions");
}
