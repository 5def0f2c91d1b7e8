//! One clock for a process.
//!
//! Everything that asks for the time asks a [`Clock`]; clippy bans the operating system's clocks elsewhere. Two kinds of
//! time are told apart:
//!
//! * **wall** time, which a scenario may move (`advance: 15m`): expiry of keys, tokens and sessions is decided by
//!   comparing with it *when read*, never by a timer that was parked, so that a moved clock is seen at once;
//! * **monotonic** time, which nothing moves: deadlines, polling, durations in a report.
//!
//! The offset is shared: every clone of a clock sees an [`advance`](Clock::advance) at once.

mod sdk;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;

pub use sdk::SdkTime;

/// Wall time with an offset that can be moved. Clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
    /// What the operating system's time was when it stopped counting for this clock.
    stopped: Option<Timestamp>,
}

impl Clock {
    /// A clock that agrees with the operating system until it is [advanced](Clock::advance).
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that shows the present time and goes on only when it is [advanced](Clock::advance): for tests of the
    /// moment at which something ends, which a slow machine must not reach by itself.
    pub fn stopped() -> Self {
        Self {
            stopped: Some(real_wall()),
            ..Self::default()
        }
    }

    /// The world's time: the operating system's (or the one it [stopped](Clock::stopped) at), moved by every
    /// [`advance`](Clock::advance) so far.
    pub fn wall(&self) -> Timestamp {
        self.stopped.unwrap_or_else(real_wall)
            + jiff::SignedDuration::from_millis(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves the world's time forward. Milliseconds are the finest step; what is finer is cut off.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.offset_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// How far the world's time was advanced: how far it is ahead of the operating system's unless it is stopped.
    pub fn offset(&self) -> Duration {
        Duration::from_millis(self.offset_ms.load(Ordering::SeqCst).max(0).unsigned_abs())
    }
}

/// The operating system's wall time, which nothing moves: for the age of a signature made by a program that knows no
/// other clock, and for the date of a report.
#[expect(clippy::disallowed_methods, reason = "this is the module that reads the time")]
pub fn real_wall() -> Timestamp {
    Timestamp::now()
}

/// Monotonic time, for deadlines and durations.
#[expect(clippy::disallowed_methods, reason = "this is the module that reads the time")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Time passed since `start`, a reading of [`monotonic`].
pub fn since(start: Instant) -> Duration {
    monotonic().saturating_duration_since(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_one_clone_moves_all_of_them() {
        let clock = Clock::new();
        let other = clock.clone();
        clock.advance(Duration::from_secs(900));
        let ahead = other.wall().duration_since(real_wall());
        assert!((899..=900).contains(&ahead.as_secs()), "{ahead:?}");
        assert_eq!(other.offset(), Duration::from_secs(900));
    }

    #[test]
    fn a_stopped_clock_goes_on_only_when_it_is_advanced() {
        let clock = Clock::stopped();
        let start = clock.wall();
        let deadline = monotonic() + Duration::from_secs(10);
        while real_wall() <= start {
            assert!(monotonic() < deadline, "the operating system's clock stands still");
        }
        assert_eq!(clock.wall(), start);
        let other = clock.clone();
        clock.advance(Duration::from_secs(900));
        assert_eq!(other.wall(), start + Duration::from_secs(900));
    }
}
