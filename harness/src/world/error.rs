use crate::check::Refusal;

/// Why a world could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorldError {
    /// An API refused the operator.
    #[error("{} was refused: {}", .0.what, .0.message)]
    Refused(Refusal),
    /// This machine cannot bring the world up: what is missing and what to do.
    #[error("{reason}")]
    Unable { reason: String },
    /// Anything else: the harness is wrong, or the machine is.
    #[error("{0}")]
    Broken(String),
}

// === impl WorldError ===

impl WorldError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Broken(message.into())
    }

    /// An error of something that was being done, such as `cannot list pods: connection refused`.
    pub(crate) fn doing(what: impl std::fmt::Display, error: &dyn std::error::Error) -> Self {
        let mut message = format!("cannot {what}: {error}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            // Many libraries repeat their cause in their own text.
            if !message.contains(&inner_text) {
                message.push_str(&format!(": {inner_text}"));
            }
            cause = inner.source();
        }
        Self::Broken(message)
    }
}
