//! Help, completions, the schema and explanations: what is said without running anything.

use rstest::rstest;

use crate::{
    scenarios::{FAILS, HOLDS},
    suite::{Ended, TemporarySuite},
};

#[rstest]
fn help_of_each_command_has_examples(
    #[values("run", "list", "lint", "explain", "schema", "doctor", "sweep", "completions")] command: &str,
) {
    let suite = TemporarySuite::new(&[]);
    let ended = Ended::of(suite.rolecall(&[command, "--help"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert!(ended.out.contains("Examples:\n"), "{ended:#?}");
    assert!(ended.out.contains(&format!("  rolecall {command}")), "{ended:#?}");
    // What every command has stands in the help of the program.
    let all = Ended::of(suite.rolecall(&["--help"]).output());
    assert!(all.out.contains(&format!("\n  {command} ")), "{all:#?}");
}

#[rstest]
#[case("bash", "complete -F _rolecall")]
#[case("zsh", "#compdef rolecall")]
#[case("fish", "complete -c rolecall")]
fn completions_are_printed_for_a_shell(#[case] shell: &str, #[case] says: &str) {
    let suite = TemporarySuite::new(&[]);
    let ended = Ended::of(suite.rolecall(&["completions", shell]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    assert!(ended.out.contains(says), "no `{says}` in the completions");
    assert!(ended.out.contains("proxy-binary") && ended.out.contains("sweep"));
}

#[test]
fn the_schema_is_json_and_knows_the_words_of_a_scenario() {
    let suite = TemporarySuite::new(&[]);
    let ended = Ended::of(suite.rolecall(&["schema"]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    let schema: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert!(schema["properties"]["given"].is_object(), "{schema:#}");
}

#[test]
fn a_scenario_is_explained_in_words_and_several_each_under_its_id() {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS), ("scenarios/a/holds.yaml", HOLDS)]);
    let one = Ended::of(suite.rolecall(&["explain", "a/holds"]).output());
    assert_eq!((one.code, one.err.as_str()), (Some(0), ""), "{one:#?}");
    assert!(one.out.starts_with("The pod is handed its role\n"), "{one:#?}");
    assert!(one.out.contains("Steps") && one.out.contains("MyPodRole"), "{one:#?}");
    let both = Ended::of(suite.rolecall(&["explain"]).output());
    let (first, second) = both.out.split_once("# a/holds\n\n").expect("two ids");
    assert!(first.starts_with("# a/fails\n\nThe pod is refused\n"), "{both:#?}");
    assert_eq!(second, one.out);
}

#[rstest]
#[case::run(&["run"], Some(0), "PASS")]
#[case::lint(&["lint"], Some(0), "1 scenario files are valid")]
#[case::lint_that_denies_them(&["lint", "--deny-warnings"], Some(3), "")]
fn what_can_hardly_be_meant_is_told_and_fails_only_where_that_is_wanted(
    #[case] arguments: &[&str],
    #[case] code: Option<i32>,
    #[case] out: &str,
) {
    let unexplained = HOLDS.replace("why: A test needs one.\n", "");
    let suite = TemporarySuite::new(&[("scenarios/a/odd.yaml", &unexplained)]);
    let ended = Ended::of(suite.rolecall(arguments).output());
    assert_eq!(ended.code, code, "{ended:#?}");
    assert!(
        ended.out.starts_with(out) && (!ended.out.is_empty() || out.is_empty()),
        "{ended:#?}"
    );
    assert!(
        ended.err.starts_with("warning: the scenario has no `why`\n"),
        "{ended:#?}"
    );
    assert!(ended.err.contains("scenarios/a/odd.yaml:1:"), "{ended:#?}");
    let denied = "error: 1 warning, and --deny-warnings takes them for errors\n";
    assert_eq!(ended.err.ends_with(denied), code == Some(3), "{ended:#?}");
}
