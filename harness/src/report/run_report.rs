use std::collections::BTreeMap;

use serde::Serialize;

use super::DiagnosticsReport;

/// Version of the JSON report. It grows by one when a member changes its meaning or goes; new members may come at any
/// time.
pub(crate) const REPORT_VERSION: u32 = 1;

/// A whole run, as every writer sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunReport {
    /// [`REPORT_VERSION`].
    pub(crate) version: u32,
    /// `rolecall` and its version.
    pub(crate) tool: String,
    /// The run's name: when it started, and a few random digits. Names sort by time.
    pub(crate) run: String,
    /// When the run started, in real time.
    pub(crate) started: jiff::Timestamp,
    /// How long it took.
    pub(crate) seconds: f64,
    /// `embedded`.
    pub(crate) world: String,
    /// The proxy under test.
    pub(crate) subject: String,
    /// What the world was made of, by name; empty where it is this program alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) versions: BTreeMap<String, String>,
    /// Whether the AWS front enforced its decisions. A run without is a test of the suite and proves nothing of a proxy.
    pub(crate) enforcement: bool,
    /// How often each scenario was to be run.
    pub(crate) repeats: u32,
    /// The median of `verdict_seconds` of the scenarios that passed or failed.
    pub(crate) median_verdict_seconds: Option<f64>,
    /// How many ended how, each repetition by itself.
    pub(crate) summary: Summary,
    /// Scenarios whose repetitions did not all end alike; the run fails with them.
    pub(crate) unsteady: Vec<UnsteadyReport>,
    /// By id and repetition.
    pub(crate) scenarios: Vec<ScenarioReport>,
}

/// A scenario that ended now so, now so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct UnsteadyReport {
    pub(crate) id: String,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) error: usize,
}

/// How many scenarios ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) error: usize,
    pub(crate) skipped: usize,
    pub(crate) interrupted: usize,
}

/// How one scenario ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerdictWord {
    Passed,
    Failed,
    Error,
    Skipped,
    Interrupted,
}

/// One scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ScenarioReport {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) why: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) tags: Vec<String>,
    /// Which repetition this is, from 1.
    pub(crate) repeat: u32,
    pub(crate) verdict: VerdictWord,
    /// Why it was skipped, or what the harness met.
    pub(crate) reason: Option<String>,
    pub(crate) seconds: f64,
    /// From the start until its world was ready for the first step.
    pub(crate) world_ready_seconds: Option<f64>,
    /// How much of `seconds` was waited on purpose: a place for the scenario was made, the subject was started or stopped, and
    /// what was right had to stay so (`held_seconds` of the steps).
    pub(crate) settling_seconds: Option<f64>,
    /// The rest: from the first thing applied to the verdict.
    pub(crate) verdict_seconds: Option<f64>,
    pub(crate) steps: Vec<StepReport>,
    /// What a person should know and what decides nothing, such as a fault that nobody met.
    pub(crate) notes: Vec<String>,
    pub(crate) failure: Option<FailureReport>,
    /// Where one reads more of a scenario that failed or met an error.
    pub(crate) diagnostics: Option<DiagnosticsReport>,
    /// The command that runs it again and keeps its world.
    pub(crate) again: Option<String>,
}

/// One step that was run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StepReport {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) held: bool,
    pub(crate) asked: u32,
    pub(crate) seconds: f64,
    /// How long it was seen to stay right, where it must.
    pub(crate) held_seconds: f64,
}

/// An expectation that did not hold.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FailureReport {
    /// Number of the step, from 1.
    pub(crate) step: usize,
    pub(crate) step_name: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// What was found instead.
    pub(crate) found: String,
    /// The source line with the caret.
    pub(crate) excerpt: String,
    /// Who signed, what decided, how long it held.
    pub(crate) notes: Vec<String>,
}
