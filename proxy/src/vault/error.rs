use std::fmt;

use super::error_kind::{Pause, VaultErrorKind};

/// Vault, or what has to be asked before it, gave no keys. Its text is for the log: it names the path and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultError {
    /// What went wrong.
    pub kind: VaultErrorKind,
    /// The path that was asked, below `/v1/`; of the API server's for service account tokens.
    pub path: String,
    /// What was answered, on one line and cut to a reasonable length.
    pub said: String,
}

// === impl VaultError ===

impl VaultError {
    pub(super) fn new(kind: VaultErrorKind, path: impl Into<String>, said: &str) -> Self {
        Self {
            kind,
            path: path.into(),
            said: one_line(said),
        }
    }

    /// How long the pod is not asked for again. What may have made an IAM user is not repeated soon; what has changed
    /// nothing anywhere is.
    pub(super) fn pause(&self) -> Pause {
        match self.kind {
            VaultErrorKind::Slow if !self.may_have_reached_aws() => VaultErrorKind::Unreachable.pause(),
            kind => kind.pause(),
        }
    }

    /// Whether something may have been made in AWS, and would be made again.
    pub(super) fn may_have_reached_aws(&self) -> bool {
        match self.kind {
            VaultErrorKind::AwsRefused | VaultErrorKind::AwsThrottles => true,
            VaultErrorKind::Slow => !self.path.starts_with("auth/"),
            _ => false,
        }
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, to_do) = self.kind.words();
        write!(f, "{what} (path {}", self.path)?;
        if !self.said.is_empty() {
            write!(f, ": {}", self.said)?;
        }
        write!(f, "); {to_do}")
    }
}

impl std::error::Error for VaultError {}

/// The text on one line, of at most 300 characters.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_the_path_and_what_to_do() {
        let said = "1 error occurred:\n\t* permission denied\n\n";
        let error = VaultError::new(VaultErrorKind::PolicyDenied, "aws/sts/readonly", said);
        let text = error.to_string();
        assert!(
            text.contains("(path aws/sts/readonly: 1 error occurred: * permission denied)"),
            "{text}"
        );
        assert!(text.ends_with("with the capability `read` on the path"), "{text}");
        assert!(!text.contains('\n'));
        let long = VaultError::new(VaultErrorKind::Refused, "x", &"ä".repeat(10_000));
        assert!(long.to_string().chars().count() < 400);
    }
}
