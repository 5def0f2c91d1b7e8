use std::collections::BTreeSet;

use super::{Vocabulary, leaf, names::Names};
use crate::{
    ScenarioError, Source, Span, Spanned,
    model::Pending,
    nearest::{list, nearest},
    tree::{Entry, Kind, Node, Scalar},
    words::{Availability, Choice, Key, NameKind, Shape, Structure, Word},
};

/// The longest value that a title repeats, in bytes.
const SHORT: usize = 60;

/// The walk over a file by the table of words: it collects what is wrong, what is not built yet, and all names.
pub(super) struct Walk<'a> {
    pub(super) source: &'a Source,
    pub(super) vocabulary: &'a Vocabulary<'a>,
    pub(super) names: Names,
    pub(super) needs: BTreeSet<String>,
    errors: Vec<ScenarioError>,
    pending: Vec<Pending>,
    /// The word whose value is looked at, for messages.
    word: String,
    /// Whether `null` restores a default here, as in `given` and `apply`.
    null_is_default: bool,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a Source, vocabulary: &'a Vocabulary<'a>, errors: Vec<ScenarioError>) -> Self {
        Self {
            source,
            vocabulary,
            names: Names::default(),
            needs: BTreeSet::new(),
            errors,
            pending: Vec::new(),
            word: "the file".to_owned(),
            null_is_default: false,
        }
    }

    /// What was collected, the names resolved.
    pub(super) fn finish(mut self) -> (Vec<ScenarioError>, Vec<Pending>, BTreeSet<String>) {
        self.errors.extend(self.names.resolve());
        (self.errors, self.pending, self.needs)
    }

    pub(super) fn report(&mut self, error: ScenarioError) {
        self.errors.push(error);
    }

    pub(super) fn pending(&mut self, word: impl Into<String>, reason: impl Into<String>, span: Span) {
        self.pending.push(Pending {
            word: word.into(),
            reason: reason.into(),
            span,
        });
    }

    /// A map with known words.
    pub(super) fn structure(&mut self, node: &Node, structure: &Structure) {
        let Kind::Map { entries, flow } = &node.kind else {
            return self.mistyped(node, &format!("{} as a map", structure.what));
        };
        for entry in entries {
            match (structure.word(&entry.key.value), structure.rest) {
                (Some(word), _) => self.word(word, entry),
                (None, Some((key, shape))) => self.free(key, shape, entry),
                (None, None) => {
                    let words: Vec<&str> = structure.words.iter().map(|word| word.name).collect();
                    self.unknown_key(entry, *flow, structure.what, &words);
                }
            }
        }
        for word in structure
            .words
            .iter()
            .filter(|word| word.required && node.entry(word.name).is_none())
        {
            // A misspelt word has been reported with the word that was meant.
            let meant = |entry: &Entry| nearest(&entry.key.value, [word.name]).is_some();
            if entries
                .iter()
                .any(|entry| structure.word(&entry.key.value).is_none() && meant(entry))
            {
                continue;
            }
            let error = ScenarioError::new(format!("`{}` is missing", word.name), node.span.clone(), {
                format!("{} needs `{}`: {}", structure.what, word.name, word.doc)
            });
            self.report(error);
        }
    }

    /// A known word and its value.
    pub(super) fn word(&mut self, word: &Word, entry: &Entry) {
        if let Availability::NotYet(reason) = word.availability {
            self.pending(word.name, reason, entry.span());
        }
        self.needs.extend(word.needs.map(str::to_owned));
        let restores = matches!(word.name, "given" | "proxy" | "apply");
        let before = self.null_is_default;
        self.null_is_default |= restores;
        self.value(word.name, &word.shape, &entry.value);
        self.null_is_default = before;
    }

    fn free(&mut self, key: Key, shape: &Shape, entry: &Entry) {
        if let Key::New(kind) = key {
            leaf::new_key(self, kind, &entry.key);
        }
        let whole = matches!(shape, Shape::Struct(_));
        let before = self.null_is_default;
        self.null_is_default &= whole;
        self.value(&entry.key.value, shape, &entry.value);
        self.null_is_default = before;
    }

    fn value(&mut self, word: &str, shape: &Shape, node: &Node) {
        if node.is_null() && self.null_is_default {
            return;
        }
        let before = std::mem::replace(&mut self.word, word.to_owned());
        self.shape(node, shape);
        self.word = before;
    }

    /// A value that must have a shape.
    pub(super) fn shape(&mut self, node: &Node, shape: &Shape) {
        match shape {
            Shape::Value | Shape::Step | Shape::Expect => {}
            Shape::Struct(structure) => self.structure(node, structure),
            Shape::Map { key, value } => match &node.kind {
                Kind::Map { entries, .. } => entries.iter().for_each(|entry| self.free(*key, value, entry)),
                _ => self.mistyped(node, &shape.describe()),
            },
            Shape::List(item) => match &node.kind {
                Kind::List(items) => items.iter().for_each(|node| self.shape(node, item)),
                _ => self.mistyped(node, &shape.describe()),
            },
            Shape::OneOrMore(item) => match &node.kind {
                Kind::List(items) if items.is_empty() => {
                    let title = format!("`{}` is an empty list", self.word);
                    self.report(ScenarioError::new(
                        title,
                        node.span.clone(),
                        format!("expected {}", item.describe()),
                    ));
                }
                Kind::List(items) => items.iter().for_each(|node| self.shape(node, item)),
                _ => self.shape(node, item),
            },
            Shape::Either(shapes) => match choose(node, shapes) {
                Some(shape) => self.shape(node, shape),
                None => self.mistyped(node, &shape.describe()),
            },
            Shape::OneOf(choices) => self.one_of(node, choices, shape),
            Shape::Flag => match node.bool() {
                Some(true) => {}
                Some(false) => {
                    let title = format!("`{}` can only be true", self.word);
                    self.report(ScenarioError::new(
                        title,
                        node.span.clone(),
                        "leave the word out instead",
                    ));
                }
                None => self.mistyped(node, "`true`"),
            },
            _ => leaf::check(self, node, shape),
        }
    }

    fn one_of(&mut self, node: &Node, choices: &[Choice], shape: &Shape) {
        let Some(text) = node.text() else {
            return self.mistyped(node, &shape.describe());
        };
        match choices.iter().find(|choice| choice.name == text) {
            Some(Choice {
                availability: Availability::NotYet(reason),
                ..
            }) => {
                self.pending(format!("{}: {text}", self.word), *reason, node.span.clone());
            }
            Some(_) => {}
            None => {
                let names = choices.iter().map(|choice| choice.name);
                let title = format!("`{}` cannot be `{text}`", self.word);
                let label = match nearest(text, names) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("expected {}", shape.describe()),
                };
                let help = format!("`{}` is {}", self.word, shape.describe());
                self.report(ScenarioError::new(title, node.span.clone(), label).help(help));
            }
        }
    }

    /// A name that must be known in the end.
    pub(super) fn refer(&mut self, kind: NameKind, name: &str, span: &Span) {
        self.names.refer(kind, Spanned::new(name.to_owned(), span.clone()));
    }

    /// An error about a value that is well-formed text but not what is due.
    pub(super) fn wrong(&mut self, node: &Node, label: impl Into<String>, help: Option<String>) {
        let title = match node.raw() {
            Some(raw) if raw.len() <= SHORT && !raw.contains('\n') => format!("`{}` cannot be `{raw}`", self.word),
            _ => format!("`{}` is not right", self.word),
        };
        let mut error = ScenarioError::new(title, node.span.clone(), label);
        error.help = help;
        self.report(error);
    }

    /// A value of another kind than is due.
    pub(super) fn mistyped(&mut self, node: &Node, expected: &str) {
        let title = format!("`{}` has the wrong type", self.word);
        let title = if self.word == "the file" {
            "the file is no scenario".to_owned()
        } else {
            title
        };
        let mut error = ScenarioError::new(
            title,
            node.span.clone(),
            format!("expected {expected}, found {}", node.describe()),
        );
        let text_due = !expected.contains("map") && !expected.contains("list");
        error.help = match node.scalar() {
            Some(Scalar::Text(text)) if !text_due && text.contains(':') && !text.contains(": ") => {
                Some("put a space after the colon of `key: value`".to_owned())
            }
            Some(Scalar::Text(text))
                if matches!(
                    text.to_lowercase().as_str(),
                    "yes" | "no" | "on" | "off" | "true" | "false"
                ) =>
            {
                Some("only `true` and `false` are booleans: every other word is text".to_owned())
            }
            Some(Scalar::Bool(_) | Scalar::Integer(_) | Scalar::Float(_)) if text_due && !expected.contains("true") => {
                node.raw().map(|raw| format!("quote it to make it text: \"{raw}\""))
            }
            Some(Scalar::Text(text)) if expected.starts_with("a list") => Some(format!("a list of one is `[{text}]`")),
            None if node.is_null() && expected.contains("map") => {
                Some("write `{}` if nothing is to be said in it".to_owned())
            }
            _ => None,
        };
        self.report(error);
    }

    /// A key that is no word here.
    pub(super) fn unknown_key(&mut self, entry: &Entry, flow: bool, what: &str, words: &[&str]) {
        let key = &entry.key.value;
        let label = match nearest(key, words.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("not a word of {what}"),
        };
        let help = if flow && entry.value.is_null() {
            "inside `{ … }` a comma ends an unquoted value: quote a value that contains one".to_owned()
        } else {
            format!("known here: {}", list(words.iter().copied()))
        };
        self.report(ScenarioError::new(format!("unknown key `{key}`"), entry.key.span.clone(), label).help(help));
    }
}

/// The one of several shapes that a value is meant to have.
fn choose<'s>(node: &Node, shapes: &'s [Shape]) -> Option<&'s Shape> {
    let keys: Vec<&str> = node.entries().iter().map(|entry| entry.key.value.as_str()).collect();
    let likeness = |shape: &Shape| match shape {
        Shape::Struct(structure) => {
            let words = || structure.words.iter().map(|word| word.name);
            let exact = keys.iter().filter(|key| structure.word(key).is_some()).count();
            2 * exact + keys.iter().filter(|key| nearest(key, words()).is_some()).count()
        }
        _ => 0,
    };
    // The last of the greatest would win, and the order of a table is by likelihood.
    shapes
        .iter()
        .rev()
        .filter(|shape| fits(node, shape))
        .max_by_key(|shape| likeness(shape))
}

/// Whether a value is of the kind that a shape wants.
fn fits(node: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::Struct(_) | Shape::Map { .. } => matches!(node.kind, Kind::Map { .. }),
        Shape::List(_) => matches!(node.kind, Kind::List(_)),
        Shape::OneOrMore(item) => matches!(node.kind, Kind::List(_)) || fits(node, item),
        Shape::Bool => node.bool().is_some(),
        _ => node.text().is_some(),
    }
}
