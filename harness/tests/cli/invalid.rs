//! Exit status 3: a scenario file is invalid, and nothing was run.

use rstest::rstest;

use crate::{
    scenarios::{FAILS, HOLDS},
    suite::{Ended, TemporarySuite},
};

const THREE_ERRORS: &str = "\
name: Three things are wrong here
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
stepps: []
steps:
  - as: aws-cly
    credentials: {}
    expect: { role: MyPodRole }
    within: 5
";

#[rstest]
#[case::run("run")]
#[case::lint("lint")]
#[case::list("list")]
fn an_invalid_file_is_told_with_all_its_errors_and_nothing_is_run(#[case] command: &str) {
    let suite = TemporarySuite::new(&[
        ("scenarios/a/holds.yaml", HOLDS),
        ("scenarios/a/wrong.yaml", THREE_ERRORS),
        ("scenarios/b/wrong-too.yaml", "name: Only a name\n"),
    ]);
    let ended = Ended::of(suite.rolecall(&[command]).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{ended:#?}");
    for says in [
        "scenarios/a/wrong.yaml:5:1",
        "scenarios/a/wrong.yaml:7:9",
        "`aws-cli`",
        "scenarios/a/wrong.yaml:10:13",
        "scenarios/b/wrong-too.yaml",
    ] {
        assert!(ended.err.contains(says), "no `{says}` in {}", ended.err);
    }
}

#[test]
fn two_scenarios_of_the_same_name_are_refused_by_their_ids() {
    let namesake = FAILS.replace("The pod is refused", "The pod is handed its role");
    let suite = TemporarySuite::new(&[("scenarios/a/one.yaml", HOLDS), ("scenarios/b/other.yaml", &namesake)]);
    let ended = Ended::of(suite.rolecall(&["run"]).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{ended:#?}");
    assert_eq!(
        ended.err,
        "error: a/one and b/other have the same name: The pod is handed its role\n"
    );
}

#[test]
fn a_valid_suite_is_linted_without_a_word_on_standard_error() {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS), ("scenarios/a/fails.yaml", FAILS)]);
    let ended = Ended::of(suite.rolecall(&["lint"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert_eq!(ended.out, "2 scenario files are valid\n");
}
