//! Right, not yet, wrong.

use super::Note;

/// Which of the three an answer is. Of several words the worst decides, hence the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// As expected.
    Right,
    /// May still come true; forgiven for `within`.
    NotYet,
    /// Will not come true by waiting.
    Wrong,
    /// Keys of a role that this pod was never given: nothing forgives them.
    ForeignKeys,
}

/// What an answer is, measured by one word of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) grade: Grade,
    /// What was found, for the caret line. Empty when right.
    pub(crate) found: String,
    /// Further lines: who signed, what decided.
    pub(crate) notes: Vec<Note>,
}

// === impl Judgement ===

impl Judgement {
    pub(crate) fn right() -> Self {
        Self {
            grade: Grade::Right,
            found: String::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn not_yet(found: impl Into<String>) -> Self {
        Self {
            grade: Grade::NotYet,
            found: found.into(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn wrong(found: impl Into<String>) -> Self {
        Self {
            grade: Grade::Wrong,
            found: found.into(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn foreign_keys(found: impl Into<String>) -> Self {
        Self {
            grade: Grade::ForeignKeys,
            found: found.into(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, notes: impl IntoIterator<Item = Note>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Right if `holds`, else what `otherwise` says.
    pub(crate) fn when(holds: bool, otherwise: impl FnOnce() -> Self) -> Self {
        if holds { Self::right() } else { otherwise() }
    }
}
