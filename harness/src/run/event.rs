//! What the runner says happened. A report is a fold over these and knows nothing else.

use std::{sync::Arc, time::Duration};

use rolecall_scenario::{Span, model::Scenario};

use crate::world::Diagnostics;

/// An event, and the repetition it belongs to: two of one scenario may run side by side.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    /// From 1.
    pub(crate) repeat: u32,
    pub(crate) event: Event,
}

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A scenario's turn came: its world is being brought up.
    ScenarioStarted { scenario: Arc<Scenario> },
    /// A step ended.
    StepEnded { scenario: Arc<Scenario>, step: StepEnd },
    /// Something of a scenario that a person should know and that decides nothing.
    Noted { scenario: Arc<Scenario>, text: String },
    /// A scenario ended, or was not run.
    ScenarioEnded {
        scenario: Arc<Scenario>,
        verdict: Verdict,
        /// From the first thing made for it to its last answer.
        took: Duration,
        /// How long its world took to be ready for the first step; `None` if it never was.
        world_ready: Option<Duration>,
        /// How much of `took` was waited on purpose and belongs to no verdict: a place for the scenario was made, the subject was
        /// started or stopped, and what was right had to stay so for a while.
        settling: Duration,
        /// What was collected of its world before that was taken down; empty unless it failed or met an error there.
        diagnostics: Diagnostics,
    },
    /// The world of the scenario that just ended stands until somebody ends the run.
    WorldHeld {
        scenario: Arc<Scenario>,
        /// How a person enters it: one line for each host or service.
        doors: Vec<String>,
    },
}

/// How a scenario ended. `Failed` (the subject is wrong) and `Errored` (we are wrong) never mix.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Passed,
    Failed(Box<Failure>),
    /// The harness could not find out: what went wrong, and at which step.
    Errored {
        step: Option<usize>,
        message: String,
    },
    /// Not run, and why.
    Skipped(String),
    /// Ctrl-C came first.
    Interrupted,
}

/// An expectation that did not hold.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// Index of the step, from 0.
    pub(crate) step: usize,
    /// The word that failed.
    pub(crate) span: Span,
    /// What was found instead.
    pub(crate) found: String,
    /// Who signed, what decided.
    pub(crate) notes: Vec<String>,
    /// How long it had held before.
    pub(crate) held: Duration,
    /// How long it had to hold, or to come true.
    pub(crate) due: Due,
    /// How often it was asked.
    pub(crate) asked: u32,
}

/// What time was given to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// It was wrong in a way that no waiting mends.
    AtOnce,
    /// It had this long to come true.
    Within(Duration),
    /// It had to stay true for this long.
    Throughout(Duration),
}

/// A step that ended, well or not.
#[derive(Clone, Debug)]
pub(crate) struct StepEnd {
    pub(crate) index: usize,
    pub(crate) held: bool,
    pub(crate) asked: u32,
    pub(crate) took: Duration,
    /// How long it was seen to stay right, for words that must.
    pub(crate) held_for: Duration,
}
