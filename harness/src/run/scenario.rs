//! One scenario in its world, step by step.

use std::{sync::Arc, time::Duration};

use rolecall_clock::{monotonic, since};
use rolecall_scenario::model::{Action, Actor, Given, Scenario, Step};

use crate::{
    check::{Context, Grade, Observed, Saved},
    run::{
        Event, Failure, StepEnd, Verdict,
        ask::ask,
        faults::Faults,
        poll::{Times, until_judged},
    },
    subject::Settings,
    world::{JournalMark, World, WorldError},
};

/// What the steps so far have left behind.
pub(super) struct State {
    pub(super) context: Context,
    /// How many requests the world had recorded when each step began.
    pub(super) journal_marks: Vec<JournalMark>,
    /// Roles that each pod was given at some time.
    pods: Vec<(String, Vec<String>)>,
    faults: Faults,
}

/// Runs the steps in order; the first that does not hold ends the scenario.
///
/// `settling` grows by what was waited on purpose.
pub(super) async fn run_steps<W: World>(
    world: &W,
    scenario: &Arc<Scenario>,
    settling: &mut Duration,
    say: &impl Fn(Event),
) -> Verdict {
    let mut state = State {
        context: Context {
            node_role: world.node_role(),
            master_role: world.master_role(),
            ..Context::default()
        },
        journal_marks: Vec::new(),
        pods: Vec::new(),
        faults: Faults::default(),
    };
    state.remember_roles(&scenario.given);
    for (index, step) in scenario.steps.iter().enumerate() {
        let start = monotonic();
        state.know_actor(step.actor.as_ref().map(|actor| &actor.value));
        let end = match begin_step(world, step, index, &mut state).await {
            Ok(end) => end,
            Err(error) => {
                return Verdict::Errored {
                    step: Some(index),
                    message: error.to_string(),
                };
            }
        };
        let took = since(start);
        *settling += if restarts(&step.action.value) { took } else { end.held };
        for still in end.stood_still {
            say(Event::Noted {
                scenario: scenario.clone(),
                text: format!(
                    "step {}: this machine stood still for {:.1}s; what was not answered in that time was not counted",
                    index + 1,
                    still.as_secs_f64(),
                ),
            });
        }
        let step = StepEnd {
            index,
            held: end.failure.is_none(),
            asked: end.asked,
            took,
            held_for: end.held,
        };
        say(Event::StepEnded {
            scenario: scenario.clone(),
            step,
        });
        if let Some(failure) = end.failure {
            return Verdict::Failed(failure);
        }
    }
    let ended = state.faults.end(world).await;
    for text in state.faults.unmet() {
        say(Event::Noted {
            scenario: scenario.clone(),
            text,
        });
    }
    match ended {
        Ok(()) => Verdict::Passed,
        Err((step, error)) => Verdict::Errored {
            step: Some(step),
            message: error.to_string(),
        },
    }
}

/// Whether a step starts or stops the subject.
fn restarts(action: &Action) -> bool {
    match action {
        Action::Proxy(_) => true,
        Action::Apply(_, proxy) => !proxy.restored.is_empty() || Settings::default().with(proxy) != Settings::default(),
        _ => false,
    }
}

/// How a step ended.
#[derive(Default)]
struct End {
    asked: u32,
    /// How long it was seen to stay right.
    held: Duration,
    stood_still: Vec<Duration>,
    failure: Option<Box<Failure>>,
}

async fn begin_step<W: World>(world: &W, step: &Step, index: usize, state: &mut State) -> Result<End, WorldError> {
    state.journal_marks.push(world.journal_mark().await?);
    run_step(world, step, index, state).await
}

async fn run_step<W: World>(world: &W, step: &Step, index: usize, state: &mut State) -> Result<End, WorldError> {
    if let Action::Apply(given, _) = &step.action.value {
        state.remember_roles(given);
    }
    if state.faults.are_changed_by(world, step, index).await? {
        return Ok(End {
            asked: 1,
            ..End::default()
        });
    }
    let Some(expect) = &step.expect else {
        return without_expectation(world, step, state).await;
    };
    // A change is made once; asking again would make another.
    let once = matches!(
        step.action.value,
        Action::Apply(..) | Action::Delete { .. } | Action::Recreate { .. } | Action::Proxy(_) | Action::Advance(_)
    );
    let mut times = Times::of(step, world.patience());
    if once {
        times.within = Duration::ZERO;
        times.throughout = Duration::ZERO;
    }
    let shared = &*state;
    let outcome = until_judged(expect, &shared.context, times, || ask(world, step, shared)).await?;
    let mut end = End {
        asked: outcome.asked,
        held: outcome.held,
        stood_still: outcome.stood_still,
        failure: None,
    };
    if outcome.judgement.grade == Grade::Right {
        state.save(step, &outcome.observed)?;
    } else {
        end.failure = Some(Box::new(Failure {
            step: index,
            span: outcome.span,
            found: outcome.judgement.found,
            notes: outcome.judgement.notes,
            held: outcome.held,
            due: outcome.due,
            asked: outcome.asked,
        }));
    }
    Ok(end)
}

/// A step that only does or only saves. What it wants to save it waits for as for an expectation.
async fn without_expectation<W: World>(world: &W, step: &Step, state: &mut State) -> Result<End, WorldError> {
    let start = monotonic();
    let mut asked = 0;
    loop {
        let observed = ask(world, step, state).await?;
        asked += 1;
        if let Observed::Operator(Err(refusal)) = observed {
            return Err(WorldError::Refused(refusal));
        }
        match state.save(step, &observed) {
            Ok(()) => {
                return Ok(End {
                    asked,
                    ..End::default()
                });
            }
            Err(error) if since(start) >= world.patience().within => return Err(error),
            Err(_) => tokio::time::sleep(world.patience().interval).await,
        }
    }
}

// === impl State ===

impl State {
    /// Keys of a role that a pod had before are a former state; keys of any other are not.
    fn remember_roles(&mut self, given: &Given) {
        for (pod, spec) in &given.pods {
            let Some(role) = &spec.role else { continue };
            let name = self.context.role_name(&role.value).to_owned();
            match self.pods.iter_mut().find(|(known, _)| known == pod) {
                Some((_, roles)) => roles.push(name),
                None => self.pods.push((pod.clone(), vec![name])),
            }
        }
    }

    /// Whose keys the acting pod may have.
    fn know_actor(&mut self, actor: Option<&Actor>) {
        self.context.given_roles = match actor {
            Some(Actor::Pod(pod)) => self
                .pods
                .iter()
                .filter(|(known, _)| known == pod)
                .flat_map(|(_, roles)| roles.iter().cloned())
                .collect(),
            // A node's own role is what it is.
            Some(Actor::Node(_)) => [self.context.node_role.clone(), self.context.master_role.clone()]
                .into_iter()
                .collect(),
            None => Default::default(),
        };
    }

    /// Keeps what the step's `save:` names.
    fn save(&mut self, step: &Step, observed: &Observed) -> Result<(), WorldError> {
        let Some(name) = &step.save else { return Ok(()) };
        let Observed::Metadata(seen) = observed else {
            return Err(WorldError::new("only credentials and tokens can be saved"));
        };
        let last = seen.last().ok_or_else(|| WorldError::new("nothing was asked"))?;
        let is_token = last.request.starts_with("PUT ");
        let saved = match (&last.keys, &last.answer) {
            (Some(keys), _) => Saved::Keys(keys.clone()),
            (None, Some(answer)) if is_token && answer.status == 200 => Saved::Token(answer.body.clone()),
            _ => {
                return Err(WorldError::new(format!(
                    "nothing to save as {}: {}",
                    name.value,
                    last.says()
                )));
            }
        };
        self.context.saved.insert(name.value.clone(), saved);
        Ok(())
    }
}
