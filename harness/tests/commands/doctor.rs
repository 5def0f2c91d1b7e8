//! `rolecall doctor`.

use std::process::Command;

use serde_json::Value;

use crate::{
    scenarios::HOLDS,
    suite::{Ended, TemporarySuite},
};

const NEEDED: [&str; 6] = [
    "user namespaces",
    "PID namespaces",
    "network namespaces",
    "NAT by nf_tables",
    "a private /run",
    "the output folder",
];

#[test]
fn a_machine_that_runs_scenarios_is_well() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let ended = Ended::of(suite.rolecall(&["doctor"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    for check in NEEDED.iter().chain(&["the suite"]) {
        assert!(
            ended.out.contains(&format!("\nok  {check} ")) || ended.out.starts_with(&format!("ok  {check} ")),
            "{ended:#?}"
        );
    }
    let ended = Ended::of(suite.rolecall(&["doctor", "--json"]).output());
    let checks: Value = serde_json::from_str(&ended.out).expect("JSON");
    let checks = checks.as_array().expect("checks");
    let needed: Vec<_> = checks.iter().filter(|check| check["needed"] == true).collect();
    assert_eq!(
        needed
            .iter()
            .filter_map(|check| check["check"].as_str())
            .collect::<Vec<_>>(),
        NEEDED
    );
    assert!(needed.iter().all(|check| check["ok"] == true), "{checks:#?}");
    for program in ["aws", "docker", "kind", "kubectl"] {
        let check = checks.iter().find(|check| check["check"] == program);
        assert!(
            check.is_some_and(|check| check["needed"] == false),
            "{program} is only information"
        );
    }
    // It leaves nothing.
    assert!(!suite.path("target").exists());
}

#[test]
fn a_missing_suite_and_missing_programs_are_told_and_forbid_nothing() {
    let suite = TemporarySuite::new(&[]);
    let ended = Ended::of(
        suite
            .rolecall(&["doctor", "--suite", "absent"])
            .env("PATH", "")
            .output(),
    );
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for says in ["no  the suite ", "--suite DIR", "no  kubectl ", "no  aws "] {
        assert!(ended.out.contains(says), "no `{says}` in {ended:#?}");
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_ends_with_5_and_what_to_do() {
    let suite = TemporarySuite::new(&[("file", "")]);
    let ended = Ended::of(suite.rolecall(&["doctor", "--output", "file/below"]).output());
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(
        ended.out.contains("no  the output folder ") && ended.out.contains("= choose another"),
        "{ended:#?}"
    );
}

#[test]
fn a_machine_that_forbids_networks_is_told_the_setting_and_what_stands_on_it_is_not_tried() {
    let suite = TemporarySuite::new(&[]);
    // An own user namespace in which no network may be made.
    let forbid = "echo 0 > /proc/sys/user/max_net_namespaces";
    let unshare = ["-Ur", "sh", "-c"];
    match Command::new("unshare").args(unshare).arg(forbid).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return eprintln!("skipped: networks cannot be forbidden for a test here: {why}");
        }
        Err(error) => return eprintln!("skipped: unshare(1) of util-linux is needed: {error}"),
    }
    let mut command = Command::new("unshare");
    command
        .args(unshare)
        .args([&format!("{forbid}; exec \"$@\""), "sh"])
        .arg(suite.rolecall(&[]).get_program())
        .arg("doctor")
        .current_dir(suite.path(""))
        .env("NO_COLOR", "1");
    let ended = Ended::of(command.output());
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    for says in [
        "ok  user namespaces ",
        "no  network namespaces ",
        "?   NAT by nf_tables ",
        "not tried, because of the above",
    ] {
        assert!(ended.out.contains(says), "no `{says}` in {ended:#?}");
    }
}
