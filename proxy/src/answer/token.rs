//! Session tokens (IMDSv2), of our own.
//!
//! A token is a time and a signature over it and the pod's UID: nothing is stored, so pods cannot fill the memory, and
//! a token is worth nothing to another pod, or to a later one at the same address.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rolecall_clock::Clock;
use sha2::Sha256;

/// Longest life of a token, in seconds: six hours, as the metadata service's.
const LONGEST: u32 = 21_600;

const TIME: usize = 8;
const NONCE: usize = 8;

/// Makes and checks session tokens. The key is random, so that tokens end with the process.
pub struct Tokens {
    /// As long as a block of the hash, which is the most that a key can be worth.
    key: [u8; 64],
    clock: Clock,
}

/// The life that is asked for is not a number of seconds from 1 to 21600.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the token's life must be a number of seconds from 1 to 21600")]
pub struct InvalidTtl;

/// The token is not one of ours, another pod's, or over.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidToken {
    /// Not made by this process for this pod.
    #[error("the session token was not made for this pod")]
    Foreign,
    /// Its time is over.
    #[error("the session token has expired")]
    Expired,
}

impl Tokens {
    /// With a fresh key.
    pub fn new(clock: Clock) -> Self {
        let mut key = [0; 64];
        rand::fill(&mut key);
        Self { key, clock }
    }

    /// A token for the pod of that UID. `ttl` is the header's value: seconds, 1 to 21600.
    ///
    /// # Errors
    /// If `ttl` is anything else.
    pub fn issue(&self, uid: &str, ttl: &str) -> Result<String, InvalidTtl> {
        let digits = !ttl.is_empty() && ttl.bytes().all(|b| b.is_ascii_digit());
        let seconds = ttl
            .parse::<u32>()
            .ok()
            .filter(|s| digits && (1..=LONGEST).contains(s))
            .ok_or(InvalidTtl)?;
        let until = self.now().saturating_add(i64::from(seconds) * 1000);
        let mut token = until.to_be_bytes().to_vec();
        token.extend(rand::random::<[u8; NONCE]>());
        let signature = self.sign(&token, uid).finalize().into_bytes();
        token.extend(signature);
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// Checks a token that the pod of that UID presents.
    ///
    /// # Errors
    /// See [`InvalidToken`].
    pub fn check(&self, uid: &str, token: &str) -> Result<(), InvalidToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken::Foreign)?;
        let (payload, signature) = bytes.split_at_checked(TIME + NONCE).ok_or(InvalidToken::Foreign)?;
        self.sign(payload, uid)
            .verify_slice(signature)
            .map_err(|_| InvalidToken::Foreign)?;
        let until = payload.first_chunk::<TIME>().map(|bytes| i64::from_be_bytes(*bytes));
        match until {
            Some(until) if self.now() < until => Ok(()),
            _ => Err(InvalidToken::Expired),
        }
    }

    fn sign(&self, payload: &[u8], uid: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(payload);
        mac.update(uid.as_bytes());
        mac
    }

    fn now(&self) -> i64 {
        self.clock.wall().as_millisecond()
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;

    #[test]
    fn a_token_is_its_pods_alone_and_ends_with_its_time() {
        let clock = Clock::stopped();
        let tokens = Tokens::new(clock.clone());
        let token = tokens.issue("uid-1", "60").unwrap();
        assert!(!token.contains(['\n', '\r', ' ']));
        assert_eq!(tokens.check("uid-1", &token), Ok(()));
        assert_eq!(tokens.check("uid-2", &token), Err(InvalidToken::Foreign));
        assert_eq!(
            Tokens::new(clock.clone()).check("uid-1", &token),
            Err(InvalidToken::Foreign)
        );
        clock.advance(Duration::from_secs(59));
        assert_eq!(tokens.check("uid-1", &token), Ok(()));
        clock.advance(Duration::from_secs(1));
        assert_eq!(tokens.check("uid-1", &token), Err(InvalidToken::Expired));
    }

    #[test]
    fn a_token_that_was_touched_is_foreign() {
        let tokens = Tokens::new(Clock::stopped());
        let token = tokens.issue("uid", "60").unwrap();
        for at in 0..token.len() {
            let mut touched = token.clone().into_bytes();
            touched[at] = if touched[at] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(touched).unwrap();
            assert_eq!(tokens.check("uid", &touched), Err(InvalidToken::Foreign), "at {at}");
        }
        assert_eq!(tokens.check("uid", ""), Err(InvalidToken::Foreign));
    }

    #[rstest]
    #[case("1", true)]
    #[case("21600", true)]
    #[case("0", false)]
    #[case("21601", false)]
    #[case("-1", false)]
    #[case("+1", false)]
    #[case("1.5", false)]
    #[case("", false)]
    #[case("many", false)]
    #[case("99999999999", false)]
    fn a_token_lives_for_one_second_to_six_hours(#[case] ttl: &str, #[case] taken: bool) {
        assert_eq!(Tokens::new(Clock::stopped()).issue("uid", ttl).is_ok(), taken);
    }
}
