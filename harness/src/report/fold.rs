//! The one way from events to a report.

use std::{collections::BTreeMap, time::Duration};

use rolecall_clock::{monotonic, real_wall, since};
use rolecall_scenario::model::{Scenario, Step};

use super::{
    DiagnosticsReport, FailureReport, RunReport, ScenarioReport, StepReport, UnsteadyReport, VerdictWord,
    run_report::{REPORT_VERSION, Summary},
};
use crate::{
    run::{Due, Event, Failure, Happened, StepEnd, Verdict},
    secrets::mask,
};

/// What is known of a run before anything happens in it.
#[derive(Clone, Debug)]
pub(crate) struct RunFacts {
    /// `embedded`.
    pub(crate) world: String,
    /// The proxy under test.
    pub(crate) subject: String,
    /// Whether the AWS front enforces its decisions.
    pub(crate) enforcement: bool,
    /// How often each scenario is run.
    pub(crate) repeats: u32,
    /// What follows `rolecall run <id>` to have the same again, such as ` --proxy-binary ./kube2iam`.
    pub(crate) flags: String,
}

/// Collects events until the run is over.
#[derive(Debug)]
pub(crate) struct Fold {
    facts: RunFacts,
    versions: BTreeMap<String, String>,
    run: String,
    started: jiff::Timestamp,
    start: std::time::Instant,
    steps: BTreeMap<Place, Vec<StepReport>>,
    notes: BTreeMap<Place, Vec<String>>,
    scenarios: BTreeMap<Place, ScenarioReport>,
}

/// An id and which repetition.
type Place = (String, u32);

/// What an event added to the report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Added<'a> {
    Step {
        id: &'a str,
        repeat: u32,
        step: &'a StepReport,
    },
    Scenario(&'a ScenarioReport),
    Nothing,
}

// === impl Fold ===

impl Fold {
    /// A run that starts now.
    pub(crate) fn new(facts: RunFacts) -> Self {
        let started = real_wall();
        Self {
            facts,
            versions: BTreeMap::new(),
            run: format!("{}-{:04x}", started.strftime("%Y%m%dT%H%M%SZ"), rand::random::<u16>()),
            started,
            start: monotonic(),
            steps: BTreeMap::new(),
            notes: BTreeMap::new(),
            scenarios: BTreeMap::new(),
        }
    }

    /// The run's name; names sort by time.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// What the world was made of: told when it is up.
    pub(crate) fn made_of(&mut self, versions: BTreeMap<String, String>) {
        self.versions = versions;
    }

    /// Takes one event in. `diagnostics` is where those of a scenario that ended were written.
    pub(crate) fn take<'a>(&'a mut self, happened: &'a Happened, diagnostics: Option<DiagnosticsReport>) -> Added<'a> {
        match &happened.event {
            Event::ScenarioStarted { .. } | Event::WorldHeld { .. } => Added::Nothing,
            Event::StepEnded { scenario, step } => {
                let place = (scenario.id.clone(), happened.repeat);
                let steps = self.steps.entry(place).or_default();
                steps.push(step_report(scenario, step));
                match steps.last() {
                    Some(step) => Added::Step {
                        id: &scenario.id,
                        repeat: happened.repeat,
                        step,
                    },
                    None => Added::Nothing,
                }
            }
            Event::Noted { scenario, text } => {
                let place = (scenario.id.clone(), happened.repeat);
                self.notes.entry(place).or_default().push(mask(text));
                Added::Nothing
            }
            Event::ScenarioEnded {
                scenario,
                verdict,
                took,
                world_ready,
                settling,
                diagnostics: _,
            } => {
                let place = (scenario.id.clone(), happened.repeat);
                let mut report = scenario_report(scenario, verdict);
                report.repeat = happened.repeat;
                report.seconds = seconds(*took);
                report.world_ready_seconds = world_ready.map(seconds);
                if world_ready.is_some() {
                    report.settling_seconds = Some(seconds(*settling));
                    report.verdict_seconds = Some(seconds(took.saturating_sub(*settling)));
                }
                report.steps = self.steps.remove(&place).unwrap_or_default();
                report.notes = self.notes.remove(&place).unwrap_or_default();
                report.diagnostics = diagnostics;
                if matches!(report.verdict, VerdictWord::Failed | VerdictWord::Error) {
                    report.again = Some(format!(
                        "rolecall run {} --keep{}",
                        quoted(&scenario.id),
                        self.facts.flags
                    ));
                }
                Added::Scenario(self.scenarios.entry(place).insert_entry(report).into_mut())
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
            run: self.run,
            started: self.started,
            seconds: seconds(since(self.start)),
            world: self.facts.world,
            versions: self.versions,
            subject: self.facts.subject,
            enforcement: self.facts.enforcement,
            repeats: self.facts.repeats,
            median_verdict_seconds: median(self.scenarios.values()),
            summary,
            unsteady: unsteady(self.scenarios.values()),
            scenarios: self.scenarios.into_values().collect(),
        }
    }
}

/// The median of the times to a verdict, of scenarios that passed or failed.
fn median<'a>(scenarios: impl Iterator<Item = &'a ScenarioReport>) -> Option<f64> {
    let judged = scenarios.filter(|scenario| matches!(scenario.verdict, VerdictWord::Passed | VerdictWord::Failed));
    let mut times: Vec<f64> = judged.filter_map(|scenario| scenario.verdict_seconds).collect();
    times.sort_by(f64::total_cmp);
    // The lower of the two in the middle: a time that was measured.
    times.get(times.len().checked_sub(1)? / 2).copied()
}

/// Which scenarios did not always end alike. What was skipped or interrupted says nothing.
fn unsteady<'a>(scenarios: impl Iterator<Item = &'a ScenarioReport>) -> Vec<UnsteadyReport> {
    let mut counts: BTreeMap<&str, UnsteadyReport> = BTreeMap::new();
    for scenario in scenarios {
        let of_this = counts.entry(&scenario.id).or_insert_with(|| UnsteadyReport {
            id: scenario.id.clone(),
            passed: 0,
            failed: 0,
            error: 0,
        });
        match scenario.verdict {
            VerdictWord::Passed => of_this.passed += 1,
            VerdictWord::Failed => of_this.failed += 1,
            VerdictWord::Error => of_this.error += 1,
            VerdictWord::Skipped | VerdictWord::Interrupted => {}
        }
    }
    let kinds = |of: &UnsteadyReport| {
        [of.passed, of.failed, of.error]
            .iter()
            .filter(|count| **count > 0)
            .count()
    };
    counts.into_values().filter(|of| kinds(of) > 1).collect()
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
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
    // A long action is named by its beginning, its lines joined.
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(70).collect();
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

/// How it ended; when, where and after which steps is still to come.
fn scenario_report(scenario: &Scenario, verdict: &Verdict) -> ScenarioReport {
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
        repeat: 1,
        verdict: word,
        reason,
        seconds: 0.0,
        world_ready_seconds: None,
        settling_seconds: None,
        verdict_seconds: None,
        steps: Vec::new(),
        notes: Vec::new(),
        failure,
        diagnostics: None,
        again: None,
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
        Due::AtOnce => format!("no waiting mends this, {asked}"),
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
