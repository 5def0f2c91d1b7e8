use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::{AccountRef, Iam, State};

/// What of IAM is seen by now, where its changes take a while: IAM itself answers with what it was last told, while
/// authentication and authorisation go by what has arrived.
#[derive(Debug, Default)]
pub(super) struct Propagation {
    delay: SignedDuration,
    /// What has arrived; none if that is everything.
    seen: Option<Vec<Iam>>,
    /// What is under way, with the time of its arrival.
    coming: VecDeque<(Timestamp, Vec<Iam>)>,
}

// === impl State ===

impl State {
    /// The IAM of an account as it is seen by now.
    pub(crate) fn seen(&self, account: AccountRef) -> &Iam {
        let accounts = self.propagation.seen.as_ref().unwrap_or(&self.accounts);
        &accounts[account.0]
    }

    /// Changes from now on are seen this late. Nothing is late any more when it is zero.
    pub(crate) fn set_propagation(&mut self, delay: SignedDuration) {
        self.propagation.delay = delay;
        if delay.is_zero() {
            self.propagation = Propagation::default();
        }
    }

    /// Whether changes are seen late.
    pub(crate) fn is_late(&self) -> bool {
        !self.propagation.delay.is_zero()
    }

    /// Whether everything has arrived that is due.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        let Propagation { seen, coming, .. } = &self.propagation;
        coming.front().map_or(seen.is_none(), |(at, _)| *at > now)
    }

    /// Lets arrive what is due.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let Propagation { seen, coming, .. } = &mut self.propagation;
        while let Some((_, arrived)) = coming.pop_front_if(|(at, _)| *at <= now) {
            *seen = Some(arrived);
        }
        if coming.is_empty() {
            *seen = None;
        }
    }

    /// Keeps what is seen now before IAM changes.
    pub(crate) fn before_change(&mut self) {
        if !self.propagation.delay.is_zero() && self.propagation.seen.is_none() {
            self.propagation.seen = Some(self.accounts.clone());
        }
    }

    /// Sends what IAM has become on its way.
    pub(crate) fn after_change(&mut self, now: Timestamp) {
        if !self.propagation.delay.is_zero() {
            let at = now.checked_add(self.propagation.delay).unwrap_or(Timestamp::MAX);
            self.propagation.coming.push_back((at, self.accounts.clone()));
        }
    }
}
