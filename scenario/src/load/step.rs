//! The rules of a step that no shape says.

use super::{bucket, expect, request, walk::Walk};
use crate::{
    ScenarioError, Spanned,
    nearest::{list, nearest},
    tree::{Entry, Kind, Node},
    words::{ACTIONS, ActionWord, By, EVERY_STEP, NameKind, Shape, Word},
};

/// Checks `steps:`.
pub(super) fn check_all(walk: &mut Walk<'_>, steps: &Node) {
    let Kind::List(items) = &steps.kind else { return };
    if items.is_empty() {
        let error = ScenarioError::new("`steps` is empty", steps.span.clone(), "expected at least one step");
        walk.report(error.help("a scenario without a step proves nothing"));
    }
    for (index, node) in items.iter().enumerate() {
        walk.names.enter_step(index);
        check(walk, node);
    }
}

/// The action of a step: the first of its words that is one.
pub(super) fn action(step: &Node) -> Option<(&'static ActionWord, &Entry)> {
    step.entries()
        .iter()
        .find_map(|entry| Some((action_word(&entry.key.value)?, entry)))
}

fn action_word(name: &str) -> Option<&'static ActionWord> {
    ACTIONS.iter().find(|action| action.word.name == name)
}

/// A word of an action, written beside it or, for `credentials`, `delete` and `recreate`, inside.
pub(super) fn beside<'n>(step: &'n Node, action: &'n Entry, word: &str) -> Option<&'n Node> {
    action.value.get(word).or_else(|| step.get(word))
}

fn check(walk: &mut Walk<'_>, step: &Node) {
    let Kind::Map { entries, flow } = &step.kind else {
        return walk.report(
            ScenarioError::new(
                "this is no step",
                step.span.clone(),
                format!("expected a map, found {}", step.describe()),
            )
            .help("a step is a map such as `{ as: app, credentials: {}, expect: { role: R } }`"),
        );
    };
    let action = action(step);
    for entry in entries {
        let name = entry.key.value.as_str();
        if let Some(second) = action_word(name) {
            match action {
                Some((first, at)) if first.word.name != name => {
                    let error = ScenarioError::new("two actions in a step", entry.key.span.clone(), "a second action");
                    walk.report(
                        error
                            .other(at.key.span.clone(), "the first action")
                            .help("one verb a step: make two steps of it"),
                    );
                }
                _ => walk.word(&second.word, entry),
            }
        } else if let Some(word) = find(EVERY_STEP, name) {
            every(walk, word, entry, action.map(|(action, _)| action), step);
        } else if let Some(word) = action.and_then(|(action, _)| find(action.beside, name)) {
            walk.word(word, entry);
        } else if ACTIONS.iter().any(|other| find(other.beside, name).is_some()) {
            if let Some((action, _)) = action {
                unfit(walk, entry, action);
            }
        } else {
            let beside = action.iter().flat_map(|(action, _)| action.beside);
            let mut words: Vec<&str> = EVERY_STEP.iter().chain(beside).map(|word| word.name).collect();
            if action.is_none() {
                words.extend(ACTIONS.iter().map(|action| action.word.name));
            }
            walk.unknown_key(entry, *flow, "a step", &words);
        }
    }
    match action {
        Some((action, entry)) => check_action(walk, step, action, entry),
        None => missing_action(walk, step),
    }
}

fn find(words: &'static [Word], name: &str) -> Option<&'static Word> {
    words.iter().find(|word| word.name == name)
}

fn missing_action(walk: &mut Walk<'_>, step: &Node) {
    let names = || ACTIONS.iter().map(|action| action.word.name);
    // A misspelt action has been reported as an unknown key, with the word that was meant.
    if step
        .entries()
        .iter()
        .any(|entry| find(EVERY_STEP, &entry.key.value).is_none() && nearest(&entry.key.value, names()).is_some())
    {
        return;
    }
    let error = ScenarioError::new("a step without an action", step.span.clone(), "this step does nothing");
    walk.report(error.help(format!("expected {}", list(names()))));
}

/// One of the words that every step may have.
fn every(walk: &mut Walk<'_>, word: &'static Word, entry: &Entry, action: Option<&ActionWord>, step: &Node) {
    let Some(action) = action else {
        // Without an action nothing says what would fit.
        return if word.name != "save" {
            walk.word(word, entry)
        };
    };
    if !action.takes(word.name) {
        return unfit(walk, entry, action);
    }
    match word.name {
        "as" if action.by == By::Pod => match entry.value.text() {
            Some(name) => walk.refer(NameKind::Pod, name, &entry.value.span),
            None => walk.word(word, entry),
        },
        "expect" => expect::check(walk, &entry.value, action),
        "save" => save(walk, word, entry, action, step),
        "name" => {
            walk.word(word, entry);
            if let Some(name) = entry.value.text() {
                walk.names.name_step(name);
            }
        }
        _ => walk.word(word, entry),
    }
}

fn save(walk: &mut Walk<'_>, word: &Word, entry: &Entry, action: &ActionWord, step: &Node) {
    let Some(name) = entry.value.text().filter(|name| !name.trim().is_empty()) else {
        let label = format!("expected {}, found {}", word.shape.describe(), entry.value.describe());
        return walk.report(ScenarioError::new(
            "`save` is not right",
            entry.value.span.clone(),
            label,
        ));
    };
    let requests = step.get("imds").map(Node::one_or_more).unwrap_or_default();
    let is_put = |node: &Node| {
        node.text()
            .and_then(|text| request::parse(text).ok())
            .is_some_and(|(method, _)| method == "PUT")
    };
    let token = action.word.name == "imds" && requests.iter().any(is_put);
    let kind = if token { NameKind::Token } else { NameKind::Keys };
    walk.names
        .save(kind, Spanned::new(name.to_owned(), entry.value.span.clone()));
    if let Some(at_once) = step.entry("at_once") {
        let error = ScenarioError::new(
            "`save` with `at_once`",
            entry.key.span.clone(),
            "of many answers none can be kept",
        );
        walk.report(error.other(at_once.key.span.clone(), "asks many times"));
    }
}

fn unfit(walk: &mut Walk<'_>, entry: &Entry, action: &ActionWord) {
    let (word, of) = (entry.key.value.as_str(), action.word.name);
    let label = match (word, action.by) {
        ("as" | "using", By::Operator) => format!("`{of}` is the operator's"),
        ("as" | "using", By::Observer) => format!("`{of}` looks at what was recorded: nobody in the world does it"),
        ("expect", _) => "it is done, or the scenario is in error".to_owned(),
        ("using", _) => "only a `call` is signed".to_owned(),
        ("save", _) => {
            let saving = ACTIONS.iter().filter(|other| other.saves).map(|other| other.word.name);
            format!("only what {} gives can be saved", list(saving))
        }
        ("within" | "throughout" | "at_once", _) => "only for what is observed".to_owned(),
        _ => match ACTIONS
            .iter()
            .filter(|other| find(other.beside, word).is_some())
            .map(|other| other.word.name)
            .collect::<Vec<_>>()
        {
            fitting if fitting.is_empty() => format!("not a word for `{of}`"),
            fitting => format!("a word for {}", list(fitting)),
        },
    };
    walk.report(ScenarioError::new(
        format!("`{word}` does not fit `{of}`"),
        entry.key.span.clone(),
        label,
    ));
}

/// What an action needs beside it.
fn check_action(walk: &mut Walk<'_>, step: &Node, action: &ActionWord, entry: &Entry) {
    let name = action.word.name;
    let at = entry.key.span.clone();
    let (acts, using) = (step.entry("as").is_some(), step.entry("using").is_some());
    match action.by {
        By::PodOrNode | By::Pod if !acts => {
            let who = if action.by == By::Pod { "a pod" } else { "a pod or node" };
            walk.report(ScenarioError::new(
                format!("nobody does `{name}`"),
                at.clone(),
                format!("expected `as:` {who} beside it"),
            ));
        }
        By::PodNodeOrKeys if !acts && !using => {
            let label = "expected `as:` a pod or node, or `using:` saved keys";
            walk.report(ScenarioError::new(format!("nobody does `{name}`"), at.clone(), label));
        }
        _ => {}
    }
    let judged = step.entry("expect").is_some() || (action.saves && step.entry("save").is_some());
    if action.by != By::Operator && !judged {
        let (what, label) = match action.saves {
            true => ("neither judged nor saved", "expected `expect` or `save` beside it"),
            false => ("not judged", "expected `expect` beside it"),
        };
        walk.report(ScenarioError::new(format!("`{name}` is {what}"), at, label));
    }
    for word in action
        .beside
        .iter()
        .filter(|word| matches!(name, "credentials" | "delete" | "recreate") && entry.value.entry(word.name).is_some())
    {
        if let (Some(outside), Some(inside)) = (step.entry(word.name), entry.value.entry(word.name)) {
            let error = ScenarioError::new(
                format!("duplicate key `{}`", word.name),
                outside.key.span.clone(),
                "written again here",
            );
            walk.report(error.other(inside.key.span.clone(), "and here"));
        }
    }
    match name {
        "call" => {
            if let Some(call) = entry.value.text() {
                bucket::names(walk, call, step);
            }
        }
        "inject" => check_faults(walk, action, &entry.value),
        "apply" if entry.value.entry("manifests").is_some() => walk.names.manifests(),
        _ => {}
    }
}

/// A fault says what goes wrong.
fn check_faults(walk: &mut Walk<'_>, action: &ActionWord, faults: &Node) {
    let Kind::Map { entries, .. } = &faults.kind else {
        return;
    };
    let known = |name: &str| matches!(action.word.shape, Shape::Struct(services) if services.word(name).is_some());
    let nothing = |node: &Node| matches!(&node.kind, Kind::Map { entries, .. } if entries.is_empty());
    if entries.is_empty() {
        let label = "expected a service and its fault, such as `sts: { delay: 2s }`";
        walk.report(ScenarioError::new("`inject` is empty", faults.span.clone(), label));
    }
    for entry in entries
        .iter()
        .filter(|entry| known(&entry.key.value) && nothing(&entry.value))
    {
        let label = "expected what goes wrong, such as `delay: 2s`";
        let title = format!("the fault of `{}` is empty", entry.key.value);
        walk.report(ScenarioError::new(title, entry.value.span.clone(), label));
    }
}
