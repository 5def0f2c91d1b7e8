//! All scenarios of a run, several at a time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rolecall_clock::{monotonic, since};
use rolecall_scenario::model::Scenario;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    plan::Plan,
    run::{Event, Happened, Verdict, scenario::run_steps},
    subject::Settings,
    world::{Diagnostics, World, Worlds},
};

/// How a run is done.
#[derive(Clone, Debug)]
pub(crate) struct SuiteOptions {
    /// Scenarios at the same time.
    pub(crate) jobs: usize,
    /// How often each scenario is run; 0 counts as 1.
    pub(crate) repeats: u32,
    /// Whether a world stands after its scenario until `stop` is cancelled.
    pub(crate) hold: bool,
    /// Cancelled by Ctrl-C: running scenarios end, the rest is not started, and no world is held any longer.
    pub(crate) stop: CancellationToken,
}

/// Runs every plan, several at once, and says what happens. A plan that is a skip is said once.
pub(crate) async fn run_suite<W: Worlds>(
    worlds: Arc<W>,
    plans: Vec<Plan>,
    options: SuiteOptions,
    say: impl Fn(Happened) + Clone + Send + Sync + 'static,
) {
    let (slots, options) = (Arc::new(Semaphore::new(options.jobs.max(1))), Arc::new(options));
    let (mut running, mut started) = (JoinSet::new(), HashMap::new());
    let mut runs = Vec::new();
    for plan in plans {
        match plan {
            Plan::Run { scenario, settings } => runs.push((scenario, settings)),
            Plan::Skip { scenario, reason } => skip(scenario, reason, &say),
        }
    }
    for repeat in 1..=options.repeats.max(1) {
        for (scenario, settings) in runs.iter().cloned() {
            // Before the task is there, so that turns come in the order of the plans: a world may have grouped them.
            let slot = slots.clone().acquire_owned().await;
            let (worlds, options, say) = (worlds.clone(), options.clone(), say.clone());
            let shown = scenario.clone();
            let task = running.spawn(async move {
                let _slot = slot;
                one(worlds.as_ref(), scenario, settings, &options, &|event| {
                    say(Happened { repeat, event })
                })
                .await;
            });
            started.insert(task.id(), (repeat, shown));
        }
    }
    while let Some(ended) = running.join_next_with_id().await {
        // A panic inside a scenario is ours: it is a verdict like any other, and hides no other.
        if let Err(error) = ended
            && let Some((repeat, scenario)) = started.remove(&error.id())
        {
            let message = format!("the harness broke off: {error}");
            let event = ended_without_world(scenario, Verdict::Errored { step: None, message });
            say(Happened { repeat, event });
        }
    }
}

/// Says that a scenario is not run.
pub(crate) fn skip(scenario: Arc<Scenario>, reason: String, say: &impl Fn(Happened)) {
    let event = ended_without_world(scenario, Verdict::Skipped(reason));
    say(Happened { repeat: 1, event });
}

fn ended_without_world(scenario: Arc<Scenario>, verdict: Verdict) -> Event {
    Event::ScenarioEnded {
        scenario,
        verdict,
        took: Duration::ZERO,
        world_ready: None,
        settling: Duration::ZERO,
        diagnostics: Diagnostics::default(),
    }
}

async fn one<W: Worlds>(
    worlds: &W,
    scenario: Arc<Scenario>,
    settings: Settings,
    options: &SuiteOptions,
    say: &impl Fn(Event),
) {
    if options.stop.is_cancelled() {
        return say(ended_without_world(scenario, Verdict::Interrupted));
    }
    let start = monotonic();
    say(Event::ScenarioStarted {
        scenario: scenario.clone(),
    });
    let (mut world_ready, mut settling) = (None, Duration::ZERO);
    let (verdict, world) = tokio::select! {
        biased;
        () = options.stop.cancelled() => (Verdict::Interrupted, None),
        ended = async {
            match worlds.bring_up(&scenario, &settings).await {
                Ok(world) => {
                    world_ready = Some(since(start));
                    settling = world.settled();
                    (run_steps(&world, &scenario, &mut settling, say).await, Some(world))
                }
                Err(error) => (Verdict::Errored { step: None, message: error.to_string() }, None),
            }
        } => ended,
    };
    let took = since(start);
    let diagnostics = match (&verdict, &world) {
        (Verdict::Failed(_) | Verdict::Errored { .. }, Some(world)) => world.diagnose().await,
        _ => Diagnostics::default(),
    };
    say(Event::ScenarioEnded {
        scenario: scenario.clone(),
        verdict,
        took,
        world_ready,
        settling,
        diagnostics,
    });
    let Some(world) = world else { return };
    if options.hold {
        let doors = world.doors();
        say(Event::WorldHeld { scenario, doors });
        options.stop.cancelled().await;
    }
    worlds.take_down(world).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use rolecall_scenario::{Source, Vocabulary, load};

    use super::*;
    use crate::world::{WorldError, embedded::EmbeddedWorld};

    /// Worlds of which one breaks the harness and the others cannot be brought up.
    struct Broken;

    impl Worlds for Broken {
        type World = EmbeddedWorld;

        async fn bring_up(&self, scenario: &Scenario, _settings: &Settings) -> Result<EmbeddedWorld, WorldError> {
            assert!(scenario.id != "breaks", "a rule of the harness is broken");
            Err(WorldError::new("no world today"))
        }

        async fn take_down(&self, _world: EmbeddedWorld) {}
    }

    fn plan(id: &str) -> Plan {
        let text = format!(
            "name: {id}\ngiven:\n  roles: {{ R: {{}} }}\n  pods: {{ p: {{ role: R }} }}\nsteps:\n  - as: p\n    \
             credentials: {{}}\n    expect: refused\n"
        );
        let vocabulary = Vocabulary {
            operations: &|_| None,
            managed_policies: &[],
        };
        let scenario = load(Source::new(format!("{id}.yaml"), text), id.to_owned(), &vocabulary).expect("a scenario");
        Plan::Run {
            scenario: Arc::new(scenario),
            settings: Settings::default(),
        }
    }

    async fn messages(plans: Vec<Plan>, repeats: u32) -> Vec<(String, u32, String)> {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        let options = SuiteOptions {
            jobs: 2,
            repeats,
            hold: false,
            stop: CancellationToken::new(),
        };
        run_suite(Arc::new(Broken), plans, options, move |happened: Happened| {
            if let Event::ScenarioEnded { scenario, verdict, .. } = happened.event
                && let Verdict::Errored { message, .. } = verdict
            {
                let ended = (scenario.id.clone(), happened.repeat, message);
                heard.lock().expect("no listener panics").push(ended);
            }
        })
        .await;
        let mut said = said.lock().expect("no listener panics").clone();
        said.sort();
        said
    }

    #[tokio::test]
    async fn a_harness_that_panics_is_an_error_of_that_scenario_and_hides_no_other() {
        let said = messages(vec![plan("breaks"), plan("other")], 1).await;
        let [(first, 1, broke), (second, 1, message)] = said.as_slice() else {
            panic!("two scenarios end: {said:#?}");
        };
        assert_eq!((first.as_str(), second.as_str()), ("breaks", "other"));
        assert!(broke.contains("a rule of the harness is broken"), "{broke}");
        assert_eq!(message, "no world today");
    }

    #[tokio::test]
    async fn each_repetition_of_a_scenario_ends_by_itself() {
        let said = messages(vec![plan("other")], 3).await;
        let rounds: Vec<u32> = said.iter().map(|(_, repeat, _)| *repeat).collect();
        assert_eq!(rounds, [1, 2, 3]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn with_one_job_the_turns_come_in_the_order_of_the_plans() {
        let ids: Vec<String> = (0..40).map(|number| format!("other-{number}")).collect();
        let started = Arc::new(Mutex::new(Vec::new()));
        let heard = started.clone();
        let options = SuiteOptions {
            jobs: 1,
            repeats: 1,
            hold: false,
            stop: CancellationToken::new(),
        };
        let plans = ids.iter().map(|id| plan(id)).collect();
        run_suite(Arc::new(Broken), plans, options, move |happened: Happened| {
            if let Event::ScenarioStarted { scenario } = happened.event {
                heard.lock().expect("no listener panics").push(scenario.id.clone());
            }
        })
        .await;
        assert_eq!(*started.lock().expect("no listener panics"), ids);
    }
}
