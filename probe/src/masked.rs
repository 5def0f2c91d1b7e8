use std::fmt;

use serde::{Deserialize, Serialize};

/// A string that must not be seen in a log: `Debug` shows its length alone. It is written to JSON in full, because a
/// task and a report travel through pipes that only the harness and its probe hold.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Masked(String);

// === impl Masked ===

impl Masked {
    /// Masks `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The string itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The string itself, owned.
    pub fn into_revealed(self) -> String {
        self.0
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<masked, {} bytes>", self.0.len())
    }
}

impl<T: Into<String>> From<T> for Masked {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}
