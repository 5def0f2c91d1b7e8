//! What is kept of one pod and its Vault role. No I/O, no lock: the clock's reading comes in.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{VaultError, error_kind::Pause, lease::Token};
use crate::{
    credentials::{Credentials, Slot, Term},
    provider::ProviderError,
};

/// How long after a failure its number in a row is remembered, beyond the time that it is the answer.
const MEMORY: SignedDuration = SignedDuration::from_secs(300);

#[derive(Debug)]
pub(super) struct Entry {
    /// Tells it from a later one of the same pod and role.
    pub(super) number: u64,
    pub(super) slot: Slot,
    pub(super) token: Option<Token>,
    /// Whether a renewal is under way.
    pub(super) renewing: bool,
    /// No renewal is tried before that time, because one has failed.
    pub(super) renew_after: Option<Timestamp>,
    /// Failures in a row, and until when that is remembered.
    failures: (u32, Timestamp),
}

// === impl Entry ===

impl Entry {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            slot: Slot::default(),
            token: None,
            renewing: false,
            renew_after: None,
            failures: (0, Timestamp::MIN),
        }
    }

    /// A fetch has ended well. Gives the token that is no longer needed.
    pub(super) fn land(&mut self, credentials: Arc<Credentials>, token: Token) -> Option<Token> {
        let (token, former) = match self.token.take() {
            // It may have been renewed meanwhile, or be about to be.
            Some(held) if held.is_same(&token) => (if held.until > token.until { held } else { token }, None),
            former => {
                (self.renewing, self.renew_after) = (false, None);
                (token, former)
            }
        };
        let term = term(&credentials, &token);
        self.slot.replace(credentials, term);
        self.failures = (0, Timestamp::MIN);
        self.token = Some(token);
        former
    }

    /// A fetch has failed.
    pub(super) fn fail(&mut self, now: Timestamp, error: Arc<ProviderError>) {
        let pause = match &*error {
            ProviderError::Vault(error) => self.pause(now, error),
            _ => Duration::from_secs(1),
        };
        let until = later(now, pause);
        self.failures.1 = until.checked_add(MEMORY).unwrap_or(until);
        self.slot.fail(error, until);
    }

    fn pause(&mut self, now: Timestamp, error: &VaultError) -> Duration {
        if now >= self.failures.1 {
            self.failures.0 = 0;
        }
        let pause = error.pause().after(self.failures.0);
        self.failures.0 = self.failures.0.saturating_add(1);
        pause
    }

    /// A renewal has ended well.
    pub(super) fn renewed(&mut self, token: Token) {
        (self.renewing, self.renew_after) = (false, None);
        self.slot.change_term(|credentials| term(credentials, &token));
        self.token = Some(token);
    }

    /// Whether a token is to be renewed now.
    pub(super) fn wants_renewal(&self, now: Timestamp) -> bool {
        !self.renewing
            && self.renew_after.is_none_or(|after| now >= after)
            && self.token.as_ref().is_some_and(|token| token.wants_renewal(now))
    }

    /// Whether a token has ended. One that is being renewed may have been given more time, and is the renewal's.
    pub(super) fn token_is_over(&self, now: Timestamp) -> bool {
        !self.renewing && self.token.as_ref().is_some_and(|token| now >= token.until)
    }

    /// Whether it can be forgotten: nobody waits, no key is left, and no failure is to be remembered.
    pub(super) fn is_over(&mut self, now: Timestamp) -> bool {
        self.slot.is_empty(now) && !self.renewing && now >= self.failures.1
    }

    /// Whether the token holds no lease any more, and nobody is about to read one.
    pub(super) fn token_is_idle(&mut self, now: Timestamp) -> bool {
        self.token.is_some() && !self.renewing && !self.slot.is_busy() && self.slot.unexpired(now).is_none()
    }
}

/// Keys are handed out for half their life, and never when their token has ended: Vault has revoked the lease then. A
/// token that cannot be renewed is replaced, with the keys, in the last third of its time.
fn term(credentials: &Credentials, token: &Token) -> Term {
    let by_life = Term::of(credentials, Duration::MAX);
    let ahead = if token.renewable || token.until == Timestamp::MAX {
        by_life.ahead
    } else {
        let left = token.until.duration_since(credentials.obtained).min(token.ttl);
        by_life
            .ahead
            .min(token.until.checked_sub(left / 3).unwrap_or(token.until))
    };
    Term {
        ahead,
        until: by_life.until.min(token.until),
    }
}

pub(super) fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| now.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

// === impl Pause ===

impl Pause {
    /// The pause after that many failures before this one.
    pub(super) fn after(self, failures: u32) -> Duration {
        self.first.saturating_mul(1 << failures.min(16)).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{credentials::Decision, vault::VaultErrorKind};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn keys(life: i64) -> Arc<Credentials> {
        Arc::new(Credentials {
            access_key_id: "ASIA".to_owned(),
            secret_access_key: "s".to_owned(),
            session_token: "t".to_owned(),
            expiration: at(life),
            obtained: at(0),
        })
    }

    fn token(secret: &str, life: i64, renewable: bool) -> Token {
        Token {
            secret: secret.into(),
            until: at(life),
            ttl: SignedDuration::from_secs(life),
            renewable,
            revocable: true,
        }
    }

    #[test]
    fn keys_are_not_handed_out_once_their_token_has_ended() {
        let mut entry = Entry::new(0);
        entry.land(keys(900), token("a", 60, true));
        assert!(matches!(entry.slot.decide(at(59)), Decision::Serve(_)));
        assert!(entry.wants_renewal(at(59)) && !entry.wants_renewal(at(39)) && !entry.wants_renewal(at(60)));
        entry.renewed(token("a", 119, true));
        assert!(matches!(entry.slot.decide(at(118)), Decision::Serve(_)));
        assert!(matches!(entry.slot.decide(at(119)), Decision::Fetch));
    }

    #[test]
    fn keys_of_a_token_that_cannot_be_renewed_are_fetched_ahead_of_its_end() {
        let mut entry = Entry::new(0);
        entry.land(keys(900), token("a", 60, false));
        assert!(matches!(entry.slot.decide(at(39)), Decision::Serve(_)));
        assert!(matches!(entry.slot.decide(at(40)), Decision::ServeAndFetch(_)));
        assert!(matches!(entry.slot.decide(at(60)), Decision::Fetch));
    }

    #[test]
    fn a_token_that_is_replaced_is_given_back_and_the_same_one_is_not() {
        let mut entry = Entry::new(0);
        assert!(entry.land(keys(900), token("a", 60, true)).is_none());
        assert!(entry.land(keys(900), token("a", 60, true)).is_none());
        let former = entry.land(keys(900), token("b", 60, true));
        assert!(former.is_some_and(|former| former.is_same(&token("a", 1, false))));
    }

    #[test]
    fn a_fetch_that_lands_takes_back_no_renewal() {
        let mut entry = Entry::new(0);
        entry.land(keys(900), token("a", 60, true));
        entry.renewed(token("a", 119, true));
        entry.renewing = true;
        assert!(entry.land(keys(900), token("a", 60, true)).is_none());
        assert!(entry.renewing && !entry.token_is_over(at(119)));
        entry.renewing = false;
        assert!(!entry.token_is_over(at(118)) && entry.token_is_over(at(119)));
    }

    #[test]
    fn what_may_be_awss_failure_is_asked_for_less_and_less_often() {
        let mut entry = Entry::new(0);
        let error = VaultError::new(VaultErrorKind::AwsRefused, "aws/sts/x", "400");
        let error = Arc::new(ProviderError::Vault(error));
        let mut now = 0;
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            entry.fail(at(now), error.clone());
            assert!(
                matches!(entry.slot.decide(at(now + pause - 1)), Decision::Fail(_)),
                "{pause}"
            );
            now += pause;
            assert!(matches!(entry.slot.decide(at(now)), Decision::Fetch), "{pause}");
        }
        assert!(!entry.is_over(at(now)));
        assert!(entry.is_over(at(now + 300)));
    }

    #[test]
    fn a_token_without_a_lease_is_idle() {
        let mut entry = Entry::new(0);
        entry.land(keys(900), token("a", 3600, true));
        assert!(!entry.token_is_idle(at(899)));
        assert!(entry.token_is_idle(at(900)));
    }
}
