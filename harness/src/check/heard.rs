//! What was heard: an observation without the answers that tell nothing.

use super::{CallOutcome, Metadata, Observed};

// === impl Observed ===

impl Observed {
    /// What is left without the answers that tell nothing of who may do what: silence, and errors of a server that could
    /// not find out. None if nothing is left.
    pub(crate) fn heard(&self) -> Option<Self> {
        match self {
            Self::Metadata(seen) => left(seen, Metadata::tells_nothing).map(Self::Metadata),
            Self::Calls(calls) => left(calls, |call| call.outcome.tells_nothing()).map(Self::Calls),
            Self::Exec(_) | Self::Journal(_) | Self::Text { .. } | Self::Operator(_) => Some(self.clone()),
        }
    }
}

fn left<T: Clone>(answers: &[T], tells_nothing: impl Fn(&T) -> bool) -> Option<Vec<T>> {
    let left: Vec<T> = answers
        .iter()
        .filter(|answer| !tells_nothing(answer))
        .cloned()
        .collect();
    (!left.is_empty()).then_some(left)
}

// === impl CallOutcome ===

impl CallOutcome {
    fn tells_nothing(&self) -> bool {
        match self {
            Self::Succeeded { .. } => false,
            Self::Failed { status, .. } => *status >= 500,
            Self::NoCredentials(_) | Self::Silence(_) => true,
        }
    }
}

// === impl Metadata ===

impl Metadata {
    fn tells_nothing(&self) -> bool {
        let answered = self.answer.as_ref().is_some_and(|answer| answer.status < 500);
        !answered && self.keys.is_none() && self.stray_key.is_none() && self.node_secrets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::check::{Answer, Keys};

    fn silent() -> Metadata {
        Metadata {
            silence: Some("timed out".to_owned()),
            ..Metadata::blank()
        }
    }

    fn answered(status: u16) -> Metadata {
        let answer = Answer {
            status,
            headers: Vec::new(),
            body: String::new(),
        };
        Metadata {
            answer: Some(answer),
            ..Metadata::blank()
        }
    }

    fn with_keys(seen: Metadata) -> Metadata {
        let keys = Keys {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
            expiration: None,
        };
        Metadata {
            keys: Some(keys),
            ..seen
        }
    }

    fn with_stray_key(seen: Metadata) -> Metadata {
        Metadata {
            stray_key: Some("ASIAEXAMPLE".to_owned()),
            ..seen
        }
    }

    fn with_a_secret(seen: Metadata) -> Metadata {
        Metadata {
            node_secrets: vec!["user data".to_owned()],
            ..seen
        }
    }

    #[rstest]
    #[case::silence(&[silent()], None)]
    #[case::an_error_of_a_server(&[answered(503), silent()], None)]
    #[case::a_refusal(&[answered(403), answered(500), answered(404)], Some(2))]
    #[case::keys_before_a_silence(&[with_keys(silent())], Some(1))]
    #[case::a_key_in_an_error(&[with_stray_key(answered(500))], Some(1))]
    #[case::a_secret_of_the_node(&[silent(), with_a_secret(silent())], Some(1))]
    fn what_tells_of_nothing_is_left_out(#[case] seen: &[Metadata], #[case] expected: Option<usize>) {
        let heard = match Observed::Metadata(seen.to_vec()).heard() {
            Some(Observed::Metadata(heard)) => Some(heard.len()),
            other => other.map(|_| 0),
        };
        assert_eq!(heard, expected);
    }
}
