//! Which scenarios the words of the command line select.

use rstest::rstest;
use serde_json::json;

use crate::{
    scenarios::HOLDS,
    suite::{Ended, TemporarySuite},
};

/// Four scenarios of a suite and one beside it.
fn suite() -> TemporarySuite {
    let named = |name: &str| HOLDS.replace("The pod is handed its role", name);
    TemporarySuite::new(&[
        ("scenarios/cache/first.yaml", &named("first")),
        ("scenarios/cache/first-again.yaml", &named("first again")),
        ("scenarios/cache/deep/inner.yml", &named("inner")),
        ("scenarios/roles/named.yaml", &named("named")),
        ("scenarios/roles/notes.txt", "no scenario"),
        ("mine/own.yaml", &named("own")),
    ])
}

#[rstest]
#[case::nothing_means_all(&[], &["cache/deep/inner", "cache/first", "cache/first-again", "roles/named"])]
#[case::a_name_means_itself_alone(&["cache/first"], &["cache/first"])]
#[case::the_beginning_of_names(&["cache/f"], &["cache/first", "cache/first-again"])]
#[case::a_chapter(&["cache/"], &["cache/deep/inner", "cache/first", "cache/first-again"])]
#[case::a_folder_of_the_suite(&["scenarios/cache/deep"], &["cache/deep/inner"])]
#[case::a_file_of_the_suite_goes_by_its_name(&["scenarios/roles/named.yaml"], &["roles/named"])]
#[case::a_file_outside_the_suite_goes_by_its_path(&["mine/own.yaml"], &["mine/own"])]
#[case::a_folder_outside_the_suite(&["mine"], &["mine/own"])]
#[case::two_words_for_one_scenario(&["roles/", "scenarios/../scenarios/roles/named.yaml"], &["roles/named"])]
fn words_select(#[case] words: &[&str], #[case] ids: &[&str]) {
    let mut arguments = vec!["list"];
    arguments.extend(words);
    let ended = Ended::of(suite().rolecall(&arguments).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    let listed: Vec<_> = ended
        .out
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(listed, ids);
}

#[rstest]
#[case::a_near_miss(&["cache/frist"], "`cache/frist` is no file and no scenario's name begins with it; did you mean `cache/first`?")]
#[case::nothing_near(&["zzz"], "`zzz` is no file and no scenario's name begins with it (`rolecall list` shows them all)")]
#[case::a_file_that_is_absent(&["mine/absent.yaml"], "`mine/absent.yaml` is no file")]
#[case::one_word_of_several(&["cache/first", "zzz"], "`zzz` is no file")]
fn what_selects_nothing_ends_with_4_and_runs_nothing(#[case] words: &[&str], #[case] says: &str) {
    for command in ["run", "list", "lint"] {
        let mut arguments = vec![command];
        arguments.extend(words);
        let ended = Ended::of(suite().rolecall(&arguments).output());
        assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{ended:#?}");
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
}

#[test]
fn a_folder_without_a_suite_ends_with_4_and_says_how_to_name_one() {
    let empty = TemporarySuite::new(&[("scenarios/readme.txt", "nothing")]);
    let ended = Ended::of(empty.rolecall(&["run"]).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{ended:#?}");
    assert!(ended.err.contains("--suite DIR"), "{ended:#?}");
}

#[test]
fn the_suite_is_found_from_a_folder_within_it_and_by_its_flag() {
    let suite = suite();
    let mut within = suite.rolecall(&["list", "roles/"]);
    within.current_dir(suite.path("scenarios/cache/deep"));
    let mut elsewhere = suite.rolecall(&["list", "roles/"]);
    elsewhere
        .current_dir("/")
        .arg("--suite")
        .arg(suite.path("").as_os_str());
    for mut command in [within, elsewhere] {
        let ended = Ended::of(command.output());
        assert_eq!(ended.out, "roles/named  named\n", "{ended:#?}");
    }
}

#[test]
fn the_list_in_json_is_the_same_every_time() {
    let suite = suite();
    let list = || Ended::of(suite.rolecall(&["list", "--json", "roles/", "mine/own.yaml"]).output());
    let first = list();
    let found: serde_json::Value = serde_json::from_str(&first.out).expect("JSON");
    let entry = |id: &str, name: &str, file: &str| json!({ "id": id, "name": name, "file": file, "profile": "pod-role", "tags": ["small"] });
    assert_eq!(
        found,
        json!([
            entry("mine/own", "own", "mine/own.yaml"),
            entry("roles/named", "named", "scenarios/roles/named.yaml"),
        ])
    );
    assert_eq!(first.out, list().out);
}
