use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use rand::RngExt;
use rolecall_clock::Clock;

/// The most a token may live, in seconds (six hours).
pub(crate) const LONGEST: u32 = 21_600;

/// Tokens kept at once; beyond that the one that would expire first is forgotten.
const KEPT: usize = 10_000;

/// The session tokens given out (IMDSv2). One is good for the instance it was given to.
pub(crate) struct Sessions {
    clock: Clock,
    tokens: Mutex<HashMap<String, Session>>,
}

struct Session {
    instance_id: String,
    expires: Timestamp,
}

// === impl Sessions ===

impl Sessions {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            tokens: Mutex::default(),
        }
    }

    /// A new token for an instance, good for `ttl` seconds.
    pub(crate) fn open(&self, instance_id: &str, ttl: u32) -> String {
        // Of the form of AWS's: 56 characters of base64.
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut random = rand::rng();
        let mut token: String = (0..54)
            .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
            .collect();
        token.push_str("==");
        let now = self.clock.wall();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= KEPT {
            tokens.retain(|_, session| now < session.expires);
        }
        if tokens.len() >= KEPT
            && let Some(first) = tokens
                .iter()
                .min_by_key(|(_, session)| session.expires)
                .map(|(token, _)| token.clone())
        {
            tokens.remove(&first);
        }
        let session = Session {
            instance_id: instance_id.to_owned(),
            expires: now + Duration::from_secs(ttl.into()),
        };
        tokens.insert(token.clone(), session);
        token
    }

    /// The seconds that a token is still good for; none if it is unknown, another instance's or has expired.
    pub(crate) fn remaining(&self, instance_id: &str, token: &str) -> Option<i64> {
        let now = self.clock.wall();
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let session = tokens.get(token)?;
        let left = session.expires.duration_since(now);
        (session.instance_id == instance_id && left.is_positive()).then_some(left.as_secs())
    }
}

/// The life asked for a token, in seconds: 1 to [`LONGEST`], in digits.
pub(crate) fn ttl(header: Option<&[u8]>) -> Option<u32> {
    let text = std::str::from_utf8(header?).ok()?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|ttl| (1..=LONGEST).contains(ttl))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_forgotten_beyond_a_bound() {
        let sessions = Sessions::new(Clock::stopped());
        let short = sessions.open("i-1", 1);
        let long = sessions.open("i-1", LONGEST);
        for _ in 0..KEPT {
            sessions.open("i-1", 60);
        }
        assert_eq!(
            sessions.tokens.lock().unwrap_or_else(PoisonError::into_inner).len(),
            KEPT
        );
        assert_eq!(sessions.remaining("i-1", &short), None);
        assert!(sessions.remaining("i-1", &long).is_some());
    }
}
