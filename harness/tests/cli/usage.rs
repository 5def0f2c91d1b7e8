//! Exit status 2: the command line is wrong, and nothing was done.

use rstest::rstest;

use crate::{
    scenarios::HOLDS,
    suite::{Ended, TemporarySuite},
};

#[rstest]
#[case::an_unknown_flag(&["run", "--nope"], "unexpected argument '--nope'")]
#[case::an_unknown_command(&["rnu"], "unrecognized subcommand 'rnu'")]
#[case::an_unknown_kind_of_report(&["run", "--report", "xml=x.xml"], "there is no report of kind `xml`")]
#[case::a_report_without_a_file(&["run", "--report", "json="], "write json=FILE")]
#[case::no_jobs_at_all(&["run", "--jobs", "0"], "--jobs <N>")]
#[case::a_proxy_that_does_not_exist(&["run", "--proxy-binary", "absent/kube2iam"], "--proxy-binary absent/kube2iam: No such file")]
#[case::arguments_for_no_proxy(&["run", "--", "--log-level=debug"], "--proxy-binary <PATH>")]
fn wrong_usage_says_what_is_wrong_and_runs_nothing(#[case] arguments: &[&str], #[case] says: &str) {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let ended = Ended::of(suite.rolecall(arguments).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:#?}");
    assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
}

#[rstest]
#[case::of_the_program(&["--help"], "130 interrupted")]
#[case::of_run(&["run", "--help"], "rolecall run --jobs 1 --report json=target/report.json")]
#[case::of_the_version(&["--version"], concat!("rolecall ", env!("CARGO_PKG_VERSION")))]
fn help_is_an_answer(#[case] arguments: &[&str], #[case] says: &str) {
    let suite = TemporarySuite::new(&[]);
    let ended = Ended::of(suite.rolecall(arguments).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert!(ended.out.contains(says), "no `{says}` in {ended:#?}");
}
