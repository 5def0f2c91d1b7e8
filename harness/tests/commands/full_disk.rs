//! A disk without room, as a small file system of its own.

use std::process::Command;

use rstest::rstest;

use crate::{
    scenarios::FAILS,
    suite::{Ended, TemporarySuite},
};

/// Runs the program where `full` is a file system with room for so many files and folders, one of them its own.
fn with_room_for(files: u32, suite: &TemporarySuite, arguments: &[&str]) -> Option<Ended> {
    let mount = format!("mount -t tmpfs -o nr_inodes={files} none full");
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["-Urm", "sh", "-c", script, "sh"])
            .arg(suite.rolecall(&[]).get_program())
            .args(arguments)
            .current_dir(suite.path(""))
            .env("NO_COLOR", "1");
        command.output()
    };
    match run(&mount) {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            eprintln!("skipped: a small file system cannot be mounted for a test here: {why}");
            return None;
        }
        Err(error) => {
            eprintln!("skipped: unshare(1) of util-linux is needed: {error}");
            return None;
        }
    }
    Some(Ended::of(run(&format!("{mount} && exec \"$@\""))))
}

#[rstest]
#[case::embedded(&["run"])]
#[case::kind(&["run", "--world", "kind"])]
#[case::doctor(&["doctor"])]
fn an_output_folder_without_room_ends_with_5_and_what_to_do(#[case] arguments: &[&str]) {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS), ("full/.keep", "")]);
    let arguments = [arguments, &["--output", "full/out"]].concat();
    let Some(ended) = with_room_for(1, &suite, &arguments) else {
        return;
    };
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    let said = format!("{}{}", ended.out, ended.err);
    for says in ["full/out cannot be written", "No space left on device", "--output DIR"] {
        assert!(said.contains(says), "no `{says}` in {ended:#?}");
    }
}

#[test]
fn a_report_without_room_ends_with_5_before_anything_runs() {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS), ("full/.keep", "")]);
    let arguments = ["run", "--report", "json=full/report.json"];
    let Some(ended) = with_room_for(1, &suite, &arguments) else {
        return;
    };
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    for says in [
        "the report full/report.json cannot be written",
        "No space left on device",
    ] {
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
}

#[test]
fn a_disk_that_becomes_full_in_a_run_does_not_take_its_verdicts() {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS), ("full/.keep", "")]);
    // Room for what is tried, and not for all that is written in the end.
    let Some(ended) = with_room_for(3, &suite, &["run", "--output", "full/out"]) else {
        return;
    };
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    for says in ["the files of a/fails cannot be written: ", "No space left on device"] {
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
    assert!(ended.out.contains("FAIL  a/fails"), "{ended:#?}");
}
