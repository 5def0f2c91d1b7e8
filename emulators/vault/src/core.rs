//! What all rooms of one server share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rolecall_clock::Clock;
use tokio::sync::Notify;

use crate::{fault::Faults, journal::Journal, outgoing::Outgoing, settings::Settings, state::State};

/// One server.
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) region: String,
    pub(crate) authorities: Option<String>,
    pub(crate) outgoing: Outgoing,
    pub(crate) journal: Journal,
    pub(crate) faults: Arc<Faults>,
    /// Wakes the reaper, which has something to do at once.
    pub(crate) wake: Notify,
    state: Mutex<State>,
}

// === impl Core ===

impl Core {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = State::new(&settings);
        Self {
            clock: settings.clock,
            region: settings.region,
            authorities: settings.authorities,
            outgoing: Outgoing::new(settings.dial),
            journal: Journal::default(),
            faults: Arc::new(Faults::new()),
            wake: Notify::new(),
            state: Mutex::new(state),
        }
    }

    /// The state, which is never held over an await. A panic elsewhere leaves no half-made change behind that would be
    /// worse than no answer at all.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.wall()
    }
}
