//! One step's action, asked of a world once.

use rolecall_scenario::model::{Action, Actor, Expectation, Step};

use crate::{
    check::{Metadata, Observed, Refusal, Saved},
    run::scenario::State,
    world::{MetadataTask, World, WorldError},
};

/// Does what the step says, once.
///
/// # Errors
/// The harness could not find out. A refusal by an API is an answer, not an error.
pub(super) async fn ask<W: World>(world: &W, step: &Step, state: &State) -> Result<Observed, WorldError> {
    match &step.action.value {
        Action::Credentials(walk) => Ok(Observed::Metadata(
            metadata(world, step, &MetadataTask::Walk(walk), state).await?,
        )),
        Action::Imds(requests) => {
            let mut seen = Vec::with_capacity(requests.len());
            for request in requests {
                seen.extend(metadata(world, step, &MetadataTask::Raw(request), state).await?);
            }
            Ok(Observed::Metadata(seen))
        }
        Action::Call(call) => {
            let keys = match &step.using {
                None => None,
                Some(name) => match state.context.saved.get(name.value.as_str()) {
                    Some(Saved::Keys(keys)) => Some(keys.clone()),
                    _ => match world.user_keys(&name.value) {
                        Some(keys) => Some(keys),
                        None => return Err(WorldError::new(format!("nothing was saved as {}", name.value))),
                    },
                },
            };
            let actor = step.actor.as_ref().map(|actor| &actor.value);
            let calls = (0..volley(step)).map(|_| world.call(actor, call, keys.as_ref()));
            Ok(Observed::Calls(futures::future::try_join_all(calls).await?))
        }
        Action::Exec(words) => Ok(Observed::Exec(world.exec(actor(step)?, words).await?)),
        Action::Apply(given, proxy) => Ok(Observed::Operator(refusal(world.apply(given, proxy).await)?)),
        Action::Delete { pods, grace } => {
            for pod in pods {
                if let Err(refused) = refusal(world.delete(&pod.value, *grace).await)? {
                    return Ok(Observed::Operator(Err(refused)));
                }
            }
            Ok(Observed::Operator(Ok(())))
        }
        Action::Recreate { pods, grace } => {
            for pod in pods {
                if let Err(refused) = refusal(world.recreate(&pod.value, *grace).await)? {
                    return Ok(Observed::Operator(Err(refused)));
                }
            }
            Ok(Observed::Operator(Ok(())))
        }
        Action::Proxy(command) => {
            world.proxy(command).await?;
            Ok(Observed::Operator(Ok(())))
        }
        Action::Journal(journal) => {
            let from = journal
                .since
                .and_then(|step| state.journal_marks.get(step).copied())
                .unwrap_or_default();
            Ok(Observed::Journal(world.journal(journal, from, &state.context).await?))
        }
        Action::Advance(by) => {
            world.advance(*by).await?;
            Ok(Observed::Operator(Ok(())))
        }
        Action::Inject(_) | Action::Heal(_) => Err(WorldError::new("a fault is no question")),
        Action::Metrics { node } => {
            let node = node.as_ref().map(|node| node.value.as_str());
            Ok(Observed::Text {
                what: "the metrics",
                text: world.metrics(node).await?,
            })
        }
        Action::Log { node } => Ok(Observed::Text {
            what: "the log",
            text: world.log(node.as_ref().map(|node| node.value.as_str())).await?,
        }),
    }
}

/// How many at the same moment.
fn volley(step: &Step) -> usize {
    step.at_once.as_ref().map_or(1, |times| times.value as usize)
}

/// Asks once, or three times where the time is judged: then the best counts, because a busy machine is not a slow proxy.
async fn metadata<W: World>(
    world: &W,
    step: &Step,
    task: &MetadataTask<'_>,
    state: &State,
) -> Result<Vec<Metadata>, WorldError> {
    let actor = actor(step)?;
    let mut seen = world.metadata(actor, task, volley(step), &state.context).await?;
    let words = step.expect.iter().flat_map(|expect| &expect.all);
    if words
        .into_iter()
        .any(|word| matches!(word.value, Expectation::AnsweredIn(_)))
    {
        for _ in 0..2 {
            let again = world.metadata(actor, task, volley(step), &state.context).await?;
            for (seen, again) in seen.iter_mut().zip(again) {
                seen.took = seen.took.min(again.took);
            }
        }
    }
    Ok(seen)
}

fn actor(step: &Step) -> Result<&Actor, WorldError> {
    let actor = step
        .actor
        .as_ref()
        .ok_or_else(|| WorldError::new("the step says not who acts (`as:`)"))?;
    Ok(&actor.value)
}

/// Keeps a refusal as an answer and lets every other failure be an error.
fn refusal(result: Result<(), WorldError>) -> Result<Result<(), Refusal>, WorldError> {
    match result {
        Ok(()) => Ok(Ok(())),
        Err(WorldError::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}
