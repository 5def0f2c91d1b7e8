//! Scenarios in words.

mod vocabulary;

use std::path::PathBuf;

use rolecall_scenario::{Source, explain, load};
use rstest::rstest;
use vocabulary::vocabulary;

#[rstest]
fn a_scenario_is_said_in_words(#[files("tests/contract/*.yaml")] path: PathBuf) {
    let text = std::fs::read_to_string(&path).unwrap();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let scenario = load(Source::new(&path, text), name.clone(), &vocabulary()).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, explain(&scenario)));
}
