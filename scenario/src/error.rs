//! What is wrong with a scenario file.

use std::fmt;

use crate::{Source, Span, excerpt};

/// One thing that is wrong in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// What is wrong, a fragment in lower case.
    pub title: String,
    /// Where.
    pub span: Span,
    /// What was expected there, written beside the caret.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// A second place that belongs to it, such as the first of two equal keys, and what to write there.
    pub other: Option<(Span, String)>,
}

/// Everything that is wrong with one scenario file: never empty, in the order of the file.
#[derive(Clone, Debug)]
pub struct Errors {
    source: Source,
    all: Vec<ScenarioError>,
}

// === impl ScenarioError ===

impl ScenarioError {
    pub(crate) fn new(title: impl Into<String>, span: Span, label: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            span,
            label: label.into(),
            help: None,
            other: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn other(mut self, span: Span, label: impl Into<String>) -> Self {
        self.other = Some((span, label.into()));
        self
    }
}

// === impl Errors ===

impl Errors {
    /// The errors of a source, put into the order of the file.
    pub(crate) fn of(source: Source, mut all: Vec<ScenarioError>) -> Self {
        all.sort_by(|a, b| (a.span.start, a.span.end, &a.title).cmp(&(b.span.start, b.span.end, &b.title)));
        all.dedup();
        Self { source, all }
    }

    /// The errors in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, ScenarioError> {
        self.all.iter()
    }

    /// The file they are in.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// All errors with the lines they are in, and a last line that counts them. `color` puts in ANSI escapes.
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        for error in &self.all {
            text.push_str(&excerpt::error(&self.source, error, color));
            text.push_str("\n\n");
        }
        let (count, noun) = (self.all.len(), if self.all.len() == 1 { "error" } else { "errors" });
        text.push_str(&format!("{count} {noun} in {}", self.source.path().display()));
        text
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Errors {}

impl<'a> IntoIterator for &'a Errors {
    type Item = &'a ScenarioError;
    type IntoIter = std::slice::Iter<'a, ScenarioError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
