//! What is said while a run goes on, and where.

use rstest::rstest;

use crate::{
    scenarios::{FAILS, HOLDS},
    suite::{Ended, TemporarySuite},
};

#[test]
fn each_step_is_said_as_it_ends_only_where_that_is_wanted() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let ended = Ended::of(suite.rolecall(&["run", "-v"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    let [step, pass, ..] = ended.out.lines().collect::<Vec<_>>()[..] else {
        panic!("{ended:#?}")
    };
    assert!(
        step.starts_with("      a/holds  step 1: its own keys come back  "),
        "{ended:#?}"
    );
    // A busy machine may have to ask again.
    assert!(step.contains("s, asked "), "{ended:#?}");
    assert!(pass.starts_with("PASS  a/holds  "), "{ended:#?}");
    let quiet = Ended::of(suite.rolecall(&["run"]).output());
    assert!(!quiet.out.contains("step 1"), "{quiet:#?}");
}

#[rstest]
#[case::by_the_flag(&["run", "--log", "trace"], None, true)]
#[case::by_the_environment(&["run"], Some("trace"), true)]
#[case::the_flag_is_stronger(&["run", "--log", "off"], Some("trace"), false)]
#[case::neither(&["run"], None, false)]
fn the_harness_says_its_own_doings_on_standard_error_where_asked(
    #[case] arguments: &[&str],
    #[case] environment: Option<&str>,
    #[case] says: bool,
) {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let mut command = suite.rolecall(arguments);
    command.env_remove("RUST_LOG");
    if let Some(filter) = environment {
        command.env("RUST_LOG", filter);
    }
    let ended = Ended::of(command.output());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.err.contains("TRACE"), says, "{}", ended.err);
    assert!(
        ended.out.starts_with("PASS") && !ended.out.contains("TRACE"),
        "{}",
        ended.out
    );
}

#[test]
fn a_word_that_is_no_level_is_wrong_usage() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let ended = Ended::of(suite.rolecall(&["list", "--log", "lots"]).output());
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(
        ended.err.contains("write error, warn, info, debug, trace or off"),
        "{ended:#?}"
    );
}

#[rstest]
#[case::not_for_a_pipe(&[], false)]
#[case::where_they_are_forced(&[("CLICOLOR_FORCE", "1")], true)]
#[case::never_with_no_color(&[("NO_COLOR", "1"), ("CLICOLOR", "1")], false)]
fn colours_are_written_where_they_are_wanted(#[case] environment: &[(&str, &str)], #[case] wanted: bool) {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS)]);
    let mut command = suite.rolecall(&["run", "-v"]);
    command.env_remove("NO_COLOR").envs(environment.iter().copied());
    let ended = Ended::of(command.output());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(ended.out.contains('\u{1b}'), wanted, "{ended:#?}");
}

#[test]
fn nothing_of_the_progress_line_is_written_to_a_pipe() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let ended = Ended::of(
        suite
            .rolecall(&["run"])
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .output(),
    );
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert!(!ended.out.contains('\r') && !ended.out.contains("1 of 1"), "{ended:#?}");
}
