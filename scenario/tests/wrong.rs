//! Scenarios that are wrong, each beside the text that says so.
//!
//! `UPDATE_GOLDEN=1 cargo test -p rolecall-scenario --test wrong` writes the texts anew.

mod vocabulary;

use std::path::PathBuf;

use rolecall_scenario::{Source, load};
use rstest::rstest;
use vocabulary::vocabulary;

#[rstest]
fn a_wrong_file_is_answered_with_exactly_this_text(#[files("tests/wrong/*.yaml")] path: PathBuf) {
    let text = std::fs::read_to_string(&path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let errors = load(Source::new(name, text), "wrong".to_owned(), &vocabulary()).expect_err("nothing is found wrong");
    let found = format!("{errors}\n");
    let golden = path.with_extension("txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_else(|error| panic!("{}: {error}", golden.display()));
    assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
}
