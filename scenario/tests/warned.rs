//! Scenarios that load and can hardly be meant, each beside the text that says so.
//!
//! `UPDATE_GOLDEN=1 cargo test -p rolecall-scenario --test warned` writes the texts anew.

mod vocabulary;

use std::path::PathBuf;

use rolecall_scenario::{Source, load, model::Scenario, warnings};
use rstest::rstest;
use vocabulary::vocabulary;

fn scenario(path: &PathBuf) -> Scenario {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    load(Source::new(name, text), "warned".to_owned(), &vocabulary()).unwrap_or_else(|errors| panic!("{errors}"))
}

#[rstest]
fn an_odd_file_is_answered_with_exactly_these_warnings(#[files("tests/warned/*.yaml")] path: PathBuf) {
    let scenario = scenario(&path);
    let shown: Vec<String> = warnings(&scenario)
        .iter()
        .map(|warning| warning.render(&scenario.source, false))
        .collect();
    assert!(!shown.is_empty(), "nothing is found odd");
    let found = format!("{}\n", shown.join("\n\n"));
    let golden = path.with_extension("txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_else(|error| panic!("{}: {error}", golden.display()));
    assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
}

#[rstest]
fn the_texts_of_the_contract_are_free_of_warnings(
    #[files("tests/contract/*.yaml")]
    #[exclude("every-word")]
    path: PathBuf,
) {
    assert_eq!(warnings(&scenario(&path)), []);
}

#[test]
fn what_can_be_meant_is_not_warned_of() {
    let text = r#"name: nothing here is odd
why: the rules must not cry wolf
given:
  roles: { R: {} }
  pods:
    app: { role: R }
    far: { role: R, node: node-2 }
    host: { role: R, host_network: true }
steps:
  - { as: app, credentials: {}, expect: { role: R }, save: keys }
  - { as: host, credentials: {}, save: hosts }
  - { stop: { proxy: node-1 } }
  - { as: app, credentials: {}, expect: refused, within: 0s, throughout: 2s }
  - { as: far, credentials: {}, expect: { role: R } }
  - { as: node-1, credentials: {}, save: own }
  - { as: app, credentials: {}, expect: { same_key_as: own, new_key_since: keys } }
  - { delete: { pods: [host] }, expect: { rejected: host } }
  - { as: host, credentials: {}, expect: { role: node, same_key_as: hosts } }
  - { apply: { pods: { far: { node: node-2, role: R }, app: { node: node-1 } } } }
  - { apply: { pods: { app: { image: other } } }, expect: { rejected: image } }
  - { as: app, call: s3:ListBuckets, using: keys, expect: { denied: AccessDenied, caller: R } }
  - { as: app, call: s3:ListBuckets, expect: no_credentials }
  - { start: proxy }
  - { as: app, credentials: {}, expect: { role: R, new_key_since: keys, valid_for: { at_least: 15m, at_most: 12h }, status: 2xx } }
  - { stop: proxy }
  - { apply: { proxy: { cache_ttl: 1m } } }
  - { as: app, credentials: {}, expect: { role: R } }
  - { delete: { pods: [app] } }
  - { apply: { pods: { app: { role: R, node: node-2, image: other } } } }
  - { as: app, imds: GET /, expect: { contains: a, not_contains: b, refused: true, status: 404, body: a } }
  - { advance: 14m }
  - { journal: sts:AssumeRole, expect: { count: 1, at_least: 1, at_most: 1 }, throughout: 300ms }
  - { kill: proxy }
  - { as: app, credentials: {}, expect: { role: R } }
"#;
    let scenario = load(Source::new("a.yaml", text), "a".to_owned(), &vocabulary()).unwrap();
    let found = warnings(&scenario);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_warning_is_coloured_by_choice() {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/warned/no-why.yaml"));
    let scenario = scenario(&path);
    let warning = &warnings(&scenario)[0];
    assert!(warning.render(&scenario.source, true).contains("\u{1b}["));
    assert!(!warning.render(&scenario.source, false).contains('\u{1b}'));
}
