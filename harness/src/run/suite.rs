//! All scenarios of a run, several at a time.

use std::sync::Arc;

use rolecall_clock::{monotonic, since};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    plan::Plan,
    run::{Event, Verdict, scenario::run_steps},
    world::Worlds,
};

/// How a run is done.
#[derive(Clone, Debug)]
pub(crate) struct SuiteOptions {
    /// Scenarios at the same time.
    pub(crate) jobs: usize,
    /// Cancelled by Ctrl-C: running scenarios end, the rest is not started.
    pub(crate) interrupted: CancellationToken,
}

/// Runs every plan, several at once, and says what happens.
pub(crate) async fn run_suite<W: Worlds>(
    worlds: Arc<W>,
    plans: Vec<Plan>,
    options: SuiteOptions,
    say: impl Fn(Event) + Clone + Send + Sync + 'static,
) {
    let slots = Arc::new(Semaphore::new(options.jobs.max(1)));
    let mut running = JoinSet::new();
    for plan in plans {
        let (worlds, slots, say, stop) = (worlds.clone(), slots.clone(), say.clone(), options.interrupted.clone());
        running.spawn(async move {
            let _slot = slots.acquire().await;
            one(worlds.as_ref(), plan, &stop, &say).await;
        });
    }
    while let Some(ended) = running.join_next().await {
        // A panic inside a scenario is ours; it is shown by the default hook and must not hide the other verdicts.
        if let Err(error) = ended {
            tracing::error!(%error, "a scenario's task ended badly");
        }
    }
}

async fn one<W: Worlds>(worlds: &W, plan: Plan, stop: &CancellationToken, say: &impl Fn(Event)) {
    let start = monotonic();
    let (scenario, settings) = match plan {
        Plan::Skip { scenario, reason } => {
            say(Event::ScenarioEnded {
                scenario,
                verdict: Verdict::Skipped(reason),
                took: since(start),
                world_ready: None,
            });
            return;
        }
        Plan::Run { scenario, settings } => (scenario, settings),
    };
    let mut world_ready = None;
    let verdict = tokio::select! {
        biased;
        () = stop.cancelled() => Verdict::Interrupted,
        verdict = async {
            match worlds.bring_up(&scenario, &settings).await {
                Ok(world) => {
                    world_ready = Some(since(start));
                    let verdict = run_steps(&world, &scenario, say).await;
                    worlds.take_down(world).await;
                    verdict
                }
                Err(error) => Verdict::Errored { step: None, message: error.to_string() },
            }
        } => verdict,
    };
    say(Event::ScenarioEnded {
        scenario,
        verdict,
        took: since(start),
        world_ready,
    });
}
