//! The one way from events to a report.

use std::{collections::BTreeMap, time::Duration};

use rolecall_clock::{monotonic, real_wall, since};
use rolecall_scenario::model::{Scenario, Step};

use super::{
    FailureReport, RunReport, ScenarioReport, StepReport, VerdictWord, mask,
    run_report::{REPORT_VERSION, Summary},
};
use crate::run::{Due, Event, Failure, StepEnd, Verdict};

/// Collects events until the run is over.
#[derive(Debug)]
pub(crate) struct Fold {
    started: jiff::Timestamp,
    start: std::time::Instant,
    world: String,
    subject: String,
    enforcement: bool,
    steps: BTreeMap<String, Vec<StepReport>>,
    scenarios: BTreeMap<String, ScenarioReport>,
}

// === impl Fold ===

impl Fold {
    pub(crate) fn new(world: &str, subject: &str, enforcement: bool) -> Self {
        Self {
            started: real_wall(),
            start: monotonic(),
            world: world.to_owned(),
            subject: subject.to_owned(),
            enforcement,
            steps: BTreeMap::new(),
            scenarios: BTreeMap::new(),
        }
    }

    /// Takes one event in. Returns the scenario's report when the event ended it.
    pub(crate) fn take(&mut self, event: &Event) -> Option<&ScenarioReport> {
        match event {
            Event::StepEnded { scenario, step } => {
                self.steps
                    .entry(scenario.id.clone())
                    .or_default()
                    .push(step_report(scenario, step));
                None
            }
            Event::ScenarioEnded {
                scenario,
                verdict,
                took,
                world_ready,
            } => {
                let steps = self.steps.remove(&scenario.id).unwrap_or_default();
                let report = scenario_report(scenario, verdict, *took, *world_ready, steps);
                self.scenarios.insert(scenario.id.clone(), report);
                self.scenarios.get(&scenario.id)
            }
        }
    }

    /// The report of all that was taken in.
    pub(crate) fn finish(self) -> RunReport {
        let mut summary = Summary::default();
        for scenario in self.scenarios.values() {
            *match scenario.verdict {
                VerdictWord::Passed => &mut summary.passed,
                VerdictWord::Failed => &mut summary.failed,
                VerdictWord::Error => &mut summary.error,
                VerdictWord::Skipped => &mut summary.skipped,
                VerdictWord::Interrupted => &mut summary.interrupted,
            } += 1;
        }
        RunReport {
            version: REPORT_VERSION,
            tool: concat!("rolecall ", env!("CARGO_PKG_VERSION")).to_owned(),
            started: self.started,
            seconds: seconds(since(self.start)),
            world: self.world,
            subject: self.subject,
            enforcement: self.enforcement,
            summary,
            scenarios: self.scenarios.into_values().collect(),
        }
    }
}

/// Seconds to the millisecond; more digits would only differ from run to run.
fn seconds(duration: Duration) -> f64 {
    duration.as_millis() as f64 / 1000.0
}

/// What a step is called: its own name, or its words.
fn step_name(scenario: &Scenario, step: &Step) -> String {
    if let Some(name) = &step.name {
        return name.clone();
    }
    let text = scenario.source.text().get(step.action.span.range()).unwrap_or_default();
    let line = text.lines().next().unwrap_or_default().trim();
    match &step.actor {
        Some(actor) => match &actor.value {
            rolecall_scenario::model::Actor::Pod(name) | rolecall_scenario::model::Actor::Node(name) => {
                format!("{name}: {line}")
            }
        },
        None => line.to_owned(),
    }
}

fn step_report(scenario: &Scenario, end: &StepEnd) -> StepReport {
    let step = scenario.steps.get(end.index);
    StepReport {
        number: end.index + 1,
        name: step.map(|step| step_name(scenario, step)).unwrap_or_default(),
        line: step
            .map(|step| scenario.source.line_column(step.span.start).0)
            .unwrap_or_default(),
        held: end.held,
        asked: end.asked,
        seconds: seconds(end.took),
        held_seconds: seconds(end.held_for),
    }
}

fn scenario_report(
    scenario: &Scenario,
    verdict: &Verdict,
    took: Duration,
    world_ready: Option<Duration>,
    steps: Vec<StepReport>,
) -> ScenarioReport {
    let (word, reason, failure) = match verdict {
        Verdict::Passed => (VerdictWord::Passed, None, None),
        Verdict::Failed(failure) => (VerdictWord::Failed, None, Some(failure_report(scenario, failure))),
        Verdict::Errored { step, message } => {
            let place = match step {
                None => "bringing up its world".to_owned(),
                Some(step) => match scenario.steps.get(*step) {
                    Some(which) => format!("step {}: {}", step + 1, step_name(scenario, which)),
                    None => format!("step {}", step + 1),
                },
            };
            (VerdictWord::Error, Some(mask(&format!("{place}: {message}"))), None)
        }
        Verdict::Skipped(reason) => (VerdictWord::Skipped, Some(reason.clone()), None),
        Verdict::Interrupted => (VerdictWord::Interrupted, Some("interrupted".to_owned()), None),
    };
    ScenarioReport {
        id: scenario.id.clone(),
        name: scenario.name.value.clone(),
        file: scenario.source.path().display().to_string(),
        why: scenario.why.clone(),
        profile: scenario.profile.clone(),
        tags: scenario.tags.clone(),
        verdict: word,
        reason,
        seconds: seconds(took),
        world_ready_seconds: world_ready.map(seconds),
        steps,
        failure,
    }
}

fn failure_report(scenario: &Scenario, failure: &Failure) -> FailureReport {
    let found = mask(&failure.found);
    let (line, column) = scenario.source.line_column(failure.span.start);
    let mut notes: Vec<String> = failure.notes.iter().map(|note| mask(note)).collect();
    notes.push(held(failure));
    FailureReport {
        step: failure.step + 1,
        step_name: scenario
            .steps
            .get(failure.step)
            .map(|step| step_name(scenario, step))
            .unwrap_or_default(),
        line,
        column,
        excerpt: rolecall_scenario::caret(&scenario.source, &failure.span, &found),
        found,
        notes,
    }
}

/// `held for 0s of 300ms, asked once`
fn held(failure: &Failure) -> String {
    let asked = match failure.asked {
        1 => "asked once".to_owned(),
        times => format!("asked {times} times"),
    };
    match failure.due {
        Due::Throughout(throughout) => format!("held for {} of {}, {asked}", span(failure.held), span(throughout)),
        Due::Within(within) => format!("did not come true within {}, {asked}", span(within)),
    }
}

fn span(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "0s".to_owned(),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms if ms < 1000 => format!("{ms}ms"),
        ms => format!("{:.1}s", ms as f64 / 1000.0),
    }
}
