use std::{fmt, sync::Arc};

use subtle::ConstantTimeEq;

/// A text that is never printed: `Debug` shows `***`.
#[derive(Clone)]
pub struct Secret(Arc<str>);

/// A long-lived key pair as its owner holds it.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The access key id, sent with every request.
    pub id: String,
    /// The secret access key, which signs.
    pub secret: Secret,
}

// === impl Secret ===

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for signing and for handing it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not depend on where the texts differ (their lengths may show).
    pub(crate) fn is(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
