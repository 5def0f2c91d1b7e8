//! The text a scenario was read from, and places in it.

use std::{ops::Range, path::PathBuf, sync::Arc};

/// One scenario file, kept so that every later message can point into it.
#[derive(Clone, Debug)]
pub struct Source(Arc<Text>);

#[derive(Debug)]
struct Text {
    path: PathBuf,
    text: String,
    line_starts: Vec<usize>,
}

/// A place in a [`Source`]: a range of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

// === impl Source ===

impl Source {
    /// A source that messages call `path` (as the user wrote it).
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self(Arc::new(Text {
            path: path.into(),
            text,
            line_starts,
        }))
    }

    /// The path as the user wrote it.
    pub fn path(&self) -> &std::path::Path {
        &self.0.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Line and column of a byte, both counted from 1; the column counts characters.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.0.text.len());
        let line = self.0.line_starts.partition_point(|start| *start <= byte).max(1);
        let start = self.0.line_starts[line - 1];
        let column = self
            .0
            .text
            .get(start..byte)
            .map_or(1, |before| before.chars().count() + 1);
        (line, column)
    }

    /// The text of a line, counted from 1, without its line break.
    pub fn line(&self, number: usize) -> Option<&str> {
        let start = *self.0.line_starts.get(number.checked_sub(1)?)?;
        self.0.text.get(start..)?.lines().next()
    }

    /// The bytes of a line, counted from 1, without its line break; of the last line if there are fewer.
    pub(crate) fn line_range(&self, number: usize) -> Range<usize> {
        let starts = &self.0.line_starts;
        let index = number.saturating_sub(1).min(starts.len() - 1);
        let start = starts[index];
        let end = starts.get(index + 1).map_or(self.0.text.len(), |next| next - 1);
        start..end
    }
}

// === impl Span ===

impl Span {
    /// The range of bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

// === impl Spanned ===

impl<T> Spanned<T> {
    /// A value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
