//! Whatever the text, `load` answers; and every answer can be shown.

mod vocabulary;

use std::path::Path;

use proptest::prelude::*;
use rolecall_scenario::{Source, caret, explain, load, warnings};
use vocabulary::vocabulary;

/// Loads a text and shows whatever comes of it.
fn answer(text: &str) {
    let source = Source::new("any.yaml", text);
    match load(source.clone(), "any".to_owned(), &vocabulary()) {
        Ok(scenario) => {
            assert!(explain(&scenario).ends_with('\n'));
            for warning in warnings(&scenario) {
                assert!(text.get(warning.span.range()).is_some());
                assert!(warning.render(&source, false).starts_with("warning: "));
            }
            for step in &scenario.steps {
                let spans = step.expect.iter().flat_map(|expect| &expect.all).map(|word| &word.span);
                spans.chain([&step.span, &step.action.span]).for_each(|span| {
                    assert!(text.get(span.range()).is_some(), "{span:?} is no place in the text");
                    caret(&source, span, "here");
                });
            }
        }
        Err(errors) => {
            assert!(errors.iter().len() > 0);
            let plain = errors.render(false);
            assert!(plain.ends_with("in any.yaml"));
            errors.render(true);
            for error in &errors {
                let (line, column) = source.line_column(error.span.start);
                assert!(
                    text.get(error.span.range()).is_some(),
                    "{:?} is no place in the text",
                    error.span
                );
                assert!(
                    plain.contains(&format!("any.yaml:{line}:{column}\n")),
                    "{line}:{column} is not in\n{plain}"
                );
            }
        }
    }
}

/// The texts of the suite and of the contract.
fn valid() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "tests/contract",
        "tests/wrong",
        "tests/warned",
        "../scenarios/kube2iam",
        "../scenarios/kops",
    ];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let mut paths: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// Pieces that mean something to YAML or to the language.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "- ",
    "\n",
    "\r\n",
    "\t",
    "#",
    " #",
    "&a",
    "*a",
    "<<",
    "!!str",
    "\"",
    "'",
    "|\n",
    "null",
    "---\n",
    "é\u{1F980}",
    "\u{feff}",
    "save: x",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        answer(&text);
    }

    #[test]
    fn any_text_of_yamls_own_characters_is_answered(text in "[a-c:,{}\\[\\]\\-#&*!|>'\"%@` \n\t\r0-9é]{0,200}") {
        answer(&text);
    }

    #[test]
    fn a_scenario_with_pieces_put_in_and_cut_out_is_answered(
        file in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..12), 1..6),
    ) {
        let files = valid();
        let mut text = file.get(&files).clone();
        for (at, piece, cut) in edits {
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let first = at.index(starts.len());
            let last = (first + cut).min(starts.len() - 1);
            text.replace_range(starts[first]..starts[last], PIECES[piece.index(PIECES.len())]);
        }
        answer(&text);
    }
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_refused() {
    let text = format!("name: {}\n", "x".repeat(1024 * 1024));
    let errors = load(Source::new("big.yaml", text), "big".to_owned(), &vocabulary()).unwrap_err();
    assert!(errors.iter().any(|error| error.title == "the file is too large"));
}

#[test]
fn colour_is_a_choice() {
    let errors = load(Source::new("a.yaml", "nam: x\n"), "a".to_owned(), &vocabulary()).unwrap_err();
    assert!(errors.render(true).contains("\u{1b}["));
    assert!(!errors.render(false).contains('\u{1b}'));
    assert_eq!(errors.to_string(), errors.render(false));
}

#[test]
fn many_unknown_names_are_answered_soon() {
    let pods: String = (0..6_000)
        .map(|pod| format!("    pod-{pod:05}: {{ role: role-{pod:05} }}\n"))
        .collect();
    let roles: String = (0..3_000).map(|role| format!("    rule-{role:05}: {{}}\n")).collect();
    answer(&format!("name: n\ngiven:\n  roles:\n{roles}  pods:\n{pods}steps: []\n"));
}
