//! The other exit statuses of a run, and what is said with them.

use std::process::Command;

use rstest::rstest;

use crate::{
    scenarios::{ERRS, FAILS, HOLDS, SKIPS},
    suite::{Ended, TemporarySuite},
};

#[test]
fn a_run_in_which_all_holds_ends_with_0() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS), ("scenarios/a/skips.yaml", SKIPS)]);
    let ended = Ended::of(suite.rolecall(&["run"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert!(
        ended.out.contains("PASS  a/holds  The pod is handed its role"),
        "{ended:#?}"
    );
    assert!(ended.out.contains("\n1 passed, 1 skipped in "), "{ended:#?}");
}

#[test]
fn the_program_alone_runs_the_whole_suite() {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS)]);
    let ended = Ended::of(suite.rolecall(&[]).output());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.out.contains("\n0 passed, 1 failed in "), "{ended:#?}");
}

#[rstest]
#[case::a_need_that_the_world_lacks(SKIPS, &[], "the embedded world has no `moon`")]
#[case::a_clock_that_cannot_be_moved(
    &HOLDS.replace("steps:\n", "steps:\n  - advance: 15m\n"),
    &["--proxy-binary", "/bin/sh"],
    "clock"
)]
#[case::a_setting_that_the_subject_lacks(
    &format!("proxy: {{ require_token: true }}\n{HOLDS}"),
    &["--proxy-binary", "/bin/sh"],
    "sh does not support `require_token`"
)]
fn a_run_in_which_all_is_skipped_ends_with_4_and_shows_the_reason(
    #[case] scenario: &str,
    #[case] flags: &[&str],
    #[case] reason: &str,
) {
    let suite = TemporarySuite::new(&[("scenarios/a/skips.yaml", scenario)]);
    let mut arguments = vec!["run"];
    arguments.extend(flags);
    let ended = Ended::of(suite.rolecall(&arguments).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(4), ""), "{ended:#?}");
    let first = ended.out.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("SKIP  a/skips  ") && first.contains(reason),
        "no `{reason}` in {ended:#?}"
    );
    assert!(ended.out.contains("\n0 passed, 1 skipped in "), "{ended:#?}");
}

#[test]
fn a_missing_fixture_is_an_error_that_names_it_and_outranks_a_failure() {
    let suite = TemporarySuite::new(&[("scenarios/a/errs.yaml", ERRS), ("scenarios/a/fails.yaml", FAILS)]);
    let ended = Ended::of(suite.rolecall(&["run"]).output());
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    assert!(ended.out.contains("ERROR a/errs\n"), "{ended:#?}");
    assert!(
        ended.out.contains("fixtures/trust/absent.json: No such file"),
        "{ended:#?}"
    );
    // What the proxy did wrong is still said.
    assert!(ended.out.contains("FAIL  a/fails"), "{ended:#?}");
    assert!(ended.out.contains("\n0 passed, 1 failed, 1 in error in "), "{ended:#?}");
}

#[test]
fn where_user_namespaces_are_forbidden_a_run_ends_with_5_and_says_what_to_do() {
    // An own user namespace in which no further one may be made.
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces";
    let possible = Command::new("unshare").args(["-Ur", "sh", "-c", forbid]).output();
    match possible {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return eprintln!("skipped: user namespaces cannot be forbidden for a test here: {why}");
        }
        Err(error) => return eprintln!("skipped: unshare(1) of util-linux is needed: {error}"),
    }
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS), ("scenarios/a/skips.yaml", SKIPS)]);
    let program = suite.rolecall(&[]).get_program().to_owned();
    let run = |scenario: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["-Ur", "sh", "-c", &format!("{forbid}; exec \"$@\""), "sh"])
            .arg(&program)
            .args(["run", scenario])
            .current_dir(suite.path(""))
            .env("NO_COLOR", "1");
        Ended::of(command.output())
    };
    let ended = run("a/holds");
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    for says in [
        "error: the embedded world cannot start here: ",
        "user.max_user_namespaces is 0: run `sudo sysctl -w user.max_user_namespaces=",
    ] {
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
    // What needs no world does not ask for one.
    assert_eq!(run("a/skips").code, Some(4));
}
