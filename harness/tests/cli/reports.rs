//! Files that a run writes, and readers that go away.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
};

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    scenarios::{ERRS, FAILS, HOLDS, SKIPS},
    suite::{Ended, TemporarySuite},
};

fn suite() -> TemporarySuite {
    TemporarySuite::new(&[
        ("scenarios/a/errs.yaml", ERRS),
        ("scenarios/a/fails.yaml", FAILS),
        ("scenarios/a/holds.yaml", HOLDS),
        ("scenarios/a/skips.yaml", SKIPS),
    ])
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a report")).expect("JSON")
}

fn positive(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number > 0.0)
}

#[test]
fn the_json_report_tells_every_verdict_and_every_step() {
    let suite = suite();
    let arguments = [
        "run",
        "--report",
        "json=made/for/it.json",
        "--report",
        "json=second.json",
    ];
    let ended = Ended::of(suite.rolecall(&arguments).output());
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    let report = read(&suite.path("made/for/it.json"));
    assert_eq!(report, read(&suite.path("second.json")));
    assert_eq!(report["version"], 1);
    assert_eq!(report["tool"], concat!("rolecall ", env!("CARGO_PKG_VERSION")));
    assert_eq!(
        (&report["world"], &report["subject"], &report["enforcement"]),
        (&json!("embedded"), &json!("rolecall-proxy"), &json!(true))
    );
    assert!(
        report["started"].as_str().is_some_and(|text| text.ends_with('Z')),
        "{report:#}"
    );
    assert_eq!(
        report["summary"],
        json!({ "passed": 1, "failed": 1, "error": 1, "skipped": 1, "interrupted": 0 })
    );
    let [errs, fails, holds, skips] = report["scenarios"].as_array().expect("scenarios").as_slice() else {
        panic!("four scenarios, by id: {report:#}");
    };

    assert_eq!((&holds["id"], &holds["verdict"]), (&json!("a/holds"), &json!("passed")));
    assert_eq!(holds["name"], "The pod is handed its role");
    assert_eq!(holds["file"], "scenarios/a/holds.yaml");
    assert_eq!(holds["why"], "Every test of a passing run needs one.");
    assert_eq!(
        (&holds["profile"], &holds["tags"]),
        (&json!("pod-role"), &json!(["small"]))
    );
    assert_eq!((&holds["failure"], &holds["reason"]), (&Value::Null, &Value::Null));
    assert!(positive(&holds["world_ready_seconds"]), "{holds:#}");
    assert!(
        holds["world_ready_seconds"].as_f64() < holds["seconds"].as_f64(),
        "{holds:#}"
    );
    let [handed, denied] = holds["steps"].as_array().expect("steps").as_slice() else {
        panic!("two steps: {holds:#}");
    };
    assert_eq!((&handed["number"], &handed["line"]), (&json!(1), &json!(9)));
    assert!(handed["asked"].as_u64() >= Some(1), "{handed:#}");
    assert_eq!((&denied["number"], &denied["line"]), (&json!(2), &json!(12)));
    assert_eq!(
        (&denied["name"], &denied["held"]),
        (&json!("and S3 denies it"), &json!(true))
    );
    // What must hold is asked again and again for 300 ms.
    assert!(denied["asked"].as_u64() > Some(1), "{denied:#}");
    assert!(denied["held_seconds"].as_f64() >= Some(0.3), "{denied:#}");
    times_to_verdicts(&report, holds);

    assert_eq!((&fails["id"], &fails["verdict"]), (&json!("a/fails"), &json!("failed")));
    assert_eq!(fails["steps"][0]["held"], false);
    let failure = &fails["failure"];
    assert_eq!(
        (&failure["step"], &failure["line"], &failure["column"]),
        (&json!(1), &json!(9), &json!(13))
    );
    assert_eq!(failure["found"], "the keys of role MyPodRole");

    assert_eq!((&errs["verdict"], &errs["steps"]), (&json!("error"), &json!([])));
    assert!(
        errs["reason"].as_str().is_some_and(|text| text.contains("absent.json")),
        "{errs:#}"
    );
    for member in ["world_ready_seconds", "settling_seconds", "verdict_seconds"] {
        assert_eq!(errs[member], Value::Null, "{member}");
    }

    assert_eq!((&skips["verdict"], &skips["steps"]), (&json!("skipped"), &json!([])));
    assert!(
        skips["reason"].as_str().is_some_and(|text| text.contains("moon")),
        "{skips:#}"
    );
}

/// What had to stay right is no part of a time to a verdict, and all that is none is what the scenario took.
fn times_to_verdicts(report: &Value, holds: &Value) {
    let seconds = |member: &str| holds[member].as_f64().expect(member);
    let (settling, verdict) = (seconds("settling_seconds"), seconds("verdict_seconds"));
    assert!(settling > 0.3 && verdict > 0.0, "{holds:#}");
    assert!((settling + verdict - seconds("seconds")).abs() < 0.003, "{holds:#}");
    let fails = report["scenarios"][1]["verdict_seconds"].as_f64().expect("its time");
    // The lower of the two in the middle.
    assert_eq!(report["median_verdict_seconds"], json!(verdict.min(fails)));
}

#[test]
fn a_report_leaves_no_other_file_beside_it() {
    let suite = TemporarySuite::new(&[("scenarios/a/skips.yaml", SKIPS)]);
    let ended = Ended::of(suite.rolecall(&["run", "--report", "json=out/report.json"]).output());
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    let names: Vec<_> = fs::read_dir(suite.path("out"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["report.json"]);
}

#[rstest]
#[case::below_a_file("scenarios/a/holds.yaml/report.json")]
#[case::below_a_folder_of_the_kernel("/proc/rolecall/report.json")]
fn a_report_that_cannot_be_written_is_told_before_anything_runs(#[case] path: &str) {
    let suite = suite();
    let ended = Ended::of(suite.rolecall(&["run", "--report", &format!("json={path}")]).output());
    cannot_be_written(&ended, path);
}

#[test]
fn a_report_in_a_folder_of_somebody_else_is_told_before_anything_runs() {
    let suite = suite();
    let path = if nix::unistd::geteuid().is_root() {
        // Root writes anywhere, but in the world's user namespace it is root of nothing that others own.
        fs::create_dir(suite.path("sealed")).expect("a folder");
        fs::set_permissions(suite.path("sealed"), fs::Permissions::from_mode(0o555)).expect("permissions");
        chown(suite.path("sealed"), Some(65534), Some(65534)).expect("another owner");
        "sealed/report.json"
    } else {
        "/report.json"
    };
    let ended = Ended::of(suite.rolecall(&["run", "--report", &format!("json={path}")]).output());
    cannot_be_written(&ended, path);
    assert!(ended.err.contains("Permission denied"), "{ended:#?}");
}

fn cannot_be_written(ended: &Ended, path: &str) {
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    let says = format!("error: the report {path} cannot be written: ");
    assert!(ended.err.starts_with(&says), "no `{says}` in {ended:#?}");
    assert!(
        ended.err.contains("choose another folder, or make this one writable"),
        "{ended:#?}"
    );
}

#[rstest]
#[case::list(&["list"], 0)]
#[case::list_in_json(&["list", "--json"], 0)]
#[case::lint(&["lint"], 0)]
#[case::help(&["--help"], 0)]
#[case::run(&["run", "a/fails", "--report", "json=report.json"], 1)]
fn a_reader_that_has_gone_away_changes_neither_the_status_nor_the_report(
    #[case] arguments: &[&str],
    #[case] code: i32,
) {
    let suite = suite();
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let ended = Ended::of(suite.rolecall(arguments).stdout(writer).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(code), ""), "{ended:#?}");
    if arguments.contains(&"--report") {
        assert_eq!(read(&suite.path("report.json"))["summary"]["failed"], 1);
    }
}

#[test]
fn a_reader_of_errors_that_has_gone_away_does_not_change_the_status() {
    let suite = TemporarySuite::new(&[("scenarios/a/wrong.yaml", "name: Only a name\n")]);
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    for (arguments, code) in [(["run", "a/"], 3), (["run", "zzz"], 4), (["run", "--nope"], 2)] {
        let status = suite
            .rolecall(&arguments)
            .stderr(writer.try_clone().expect("a pipe"))
            .status();
        assert_eq!(status.expect("the program can be started").code(), Some(code));
    }
}
