//! What a step expects: checked against its action, and read.

use super::{bounds, walk::Walk};
use crate::{
    ScenarioError, Span, Spanned,
    model::{Bounds, Expect, Expectation},
    nearest::{list, nearest},
    tree::{Kind, Node},
    words::{ACTIONS, ActionWord, Availability, Shape, Word},
};

/// Checks the value of `expect:`.
pub(super) fn check(walk: &mut Walk<'_>, node: &Node, action: &ActionWord) {
    if let Some(text) = node.text() {
        return check_bare(walk, node, text, action);
    }
    let Kind::Map { entries, flow } = &node.kind else {
        let error = ScenarioError::new("`expect` has the wrong type", node.span.clone(), {
            format!(
                "expected a word such as `{}`, or a map, found {}",
                bare(action),
                node.describe()
            )
        });
        return walk.report(error);
    };
    if entries.is_empty() {
        walk.report(ScenarioError::new(
            "`expect` is empty",
            node.span.clone(),
            "expected at least one word",
        ));
    }
    for entry in entries {
        match find(action, &entry.key.value) {
            Some(word) => walk.word(word, entry),
            None if elsewhere(&entry.key.value) => unfit(walk, &entry.key.value, entry.key.span.clone(), action),
            None => {
                let words: Vec<&str> = action.expect.iter().map(|word| word.name).collect();
                walk.unknown_key(entry, *flow, &format!("what `{}` can give", action.word.name), &words);
            }
        }
    }
    bounds::check(walk, node);
}

fn check_bare(walk: &mut Walk<'_>, node: &Node, text: &str, action: &ActionWord) {
    let at = node.span.clone();
    match find(action, text) {
        Some(Word {
            shape: Shape::Flag,
            availability,
            ..
        }) => {
            if let Availability::NotYet(reason) = availability {
                walk.pending(text, *reason, at);
            }
        }
        Some(word) => {
            let label = format!("expected `{{ {text}: … }}`, with {}", word.shape.describe());
            walk.report(ScenarioError::new(format!("`{text}` needs a value"), at, label));
        }
        None if elsewhere(text) => unfit(walk, text, at, action),
        None => {
            let words = || action.expect.iter().map(|word| word.name);
            let label = match nearest(text, words()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("not a word of what `{}` can give", action.word.name),
            };
            let help = format!("expected {}", list(words()));
            walk.report(ScenarioError::new(format!("unknown word `{text}`"), at, label).help(help));
        }
    }
}

/// A word that can stand alone for an action.
fn bare(action: &ActionWord) -> &'static str {
    action
        .expect
        .iter()
        .find(|word| matches!(word.shape, Shape::Flag))
        .map_or("contains: …", |word| word.name)
}

fn find(action: &ActionWord, name: &str) -> Option<&'static Word> {
    action.expect.iter().find(|word| word.name == name)
}

fn elsewhere(name: &str) -> bool {
    ACTIONS.iter().any(|action| find(action, name).is_some())
}

fn unfit(walk: &mut Walk<'_>, word: &str, at: Span, action: &ActionWord) {
    let of = action.word.name;
    let mut fitting: Vec<&str> = ACTIONS
        .iter()
        .filter(|other| find(other, word).is_some())
        .map(|other| other.word.name)
        .collect();
    fitting.dedup();
    let label = format!("a word for {}", list(fitting));
    let help = format!("`{of}` can give {}", list(action.expect.iter().map(|word| word.name)));
    walk.report(ScenarioError::new(format!("`{word}` does not fit `{of}`"), at, label).help(help));
}

/// Reads a checked `expect:`.
pub(super) fn read(node: &Node) -> Expect {
    let all = match node.text() {
        Some(word) => expectation(word, node)
            .map(|value| Spanned::new(value, node.span.clone()))
            .into_iter()
            .collect(),
        None => node
            .entries()
            .iter()
            .filter_map(|entry| Some(Spanned::new(expectation(&entry.key.value, &entry.value)?, entry.span())))
            .collect(),
    };
    Expect {
        span: node.span.clone(),
        all,
    }
}

fn expectation(word: &str, node: &Node) -> Option<Expectation> {
    let text = || node.text().map(str::to_owned);
    let texts = || {
        node.one_or_more()
            .iter()
            .filter_map(Node::raw)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let number = || node.integer().and_then(|number| u64::try_from(number).ok());
    Some(match word {
        "role" => Expectation::Role(text()?),
        "refused" => Expectation::Refused,
        "same_key_as" => Expectation::SameKeyAs(text()?),
        "new_key_since" => Expectation::NewKeySince(text()?),
        "valid_for" => {
            let bound = |word| node.get(word).and_then(Node::duration);
            Expectation::ValidFor(Bounds {
                at_least: bound("at_least"),
                at_most: bound("at_most"),
            })
        }
        "well_formed" => Expectation::WellFormed,
        "answered_in" => Expectation::AnsweredIn(node.duration()?),
        "status" => Expectation::Status(texts()),
        "body" => Expectation::Body(text()?),
        "contains" => Expectation::Contains(texts()),
        "not_contains" => Expectation::NotContains(texts()),
        "json" => Expectation::Json(members(node, Node::json)),
        "headers" => Expectation::Headers(members(node, |value| value.raw().unwrap_or_default().to_owned())),
        "no_node_credentials" => Expectation::NoNodeCredentials,
        "allowed" => Expectation::Allowed,
        "denied" => Expectation::Denied(node.raw()?.to_owned()),
        "error" => Expectation::Error(node.raw()?.to_owned()),
        "no_credentials" => Expectation::NoCredentials,
        "lists" => Expectation::Lists(texts()),
        "caller" => Expectation::Caller(text()?),
        "exit" => Expectation::Exit(i32::try_from(node.integer()?).ok()?),
        "stdout_contains" => Expectation::StdoutContains(texts()),
        "stderr_contains" => Expectation::StderrContains(texts()),
        "count" => Expectation::Count(number()?),
        "at_least" => Expectation::AtLeast(number()?),
        "at_most" => Expectation::AtMost(number()?),
        "never" => Expectation::Never,
        "applied" => Expectation::Applied,
        "rejected" => Expectation::Rejected(text()?),
        _ => return None,
    })
}

fn members<T>(node: &Node, value: impl Fn(&Node) -> T) -> std::collections::BTreeMap<String, T> {
    node.entries()
        .iter()
        .map(|entry| (entry.key.value.clone(), value(&entry.value)))
        .collect()
}
