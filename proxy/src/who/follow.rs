//! Following a kind of object, whatever becomes of the connection.

use std::{fmt::Debug, pin::pin, time::Duration};

use futures::StreamExt as _;
use kube::{
    Api, Resource,
    runtime::watcher::{self, Event, watcher},
};
use serde::de::DeserializeOwned;
use tracing::{debug, info, warn};

/// Pauses between attempts: the first is short, because pods wait for what is missed meanwhile.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// Pause after being told that an object that may be followed may not: whoever grants it is not in a hurry.
const FORBIDDEN: Duration = Duration::from_secs(600);

/// Whether a kind of object has to be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing can be served without.
    Must,
    /// It is of use, and the account may lack the right to.
    May,
}

/// Where objects go.
pub(super) trait Follower<K> {
    /// What is kept of one object.
    type Record;
    fn read(&self, object: &K) -> Option<Self::Record>;
    fn apply(&self, record: Self::Record);
    fn remove(&self, record: Self::Record);
    fn replace(&self, records: Vec<Self::Record>);
}

/// Lists and watches for ever. What is known stays in use while the API server cannot be reached.
pub(super) async fn follow<K, F>(api: Api<K>, config: watcher::Config, (kind, need): (&'static str, Need), follower: F)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    F: Follower<K>,
{
    let mut failures = 0usize;
    let mut told = false;
    loop {
        let mut events = pin!(watcher(api.clone(), config.clone()));
        let mut list = Vec::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    // A list only begins with `Init`; that it succeeds shows later.
                    if !matches!(event, Event::Init) {
                        failures = 0;
                    }
                    match event {
                        Event::Init => list.clear(),
                        Event::InitApply(object) => list.extend(follower.read(&object)),
                        Event::InitDone => {
                            debug!(kind, count = list.len(), "listed");
                            follower.replace(std::mem::take(&mut list));
                        }
                        Event::Apply(object) => {
                            if let Some(record) = follower.read(&object) {
                                follower.apply(record);
                            }
                        }
                        Event::Delete(object) => {
                            if let Some(record) = follower.read(&object) {
                                follower.remove(record);
                            }
                        }
                    }
                }
                Err(error) if need == Need::May && is_forbidden(&error) => {
                    if !std::mem::replace(&mut told, true) {
                        info!(kind, "may not be listed and watched; going on without");
                    }
                    tokio::time::sleep(FORBIDDEN).await;
                }
                Err(error) => {
                    let pause = PAUSES[failures.min(PAUSES.len() - 1)];
                    failures = failures.saturating_add(1);
                    // The first is often no more than a closed connection.
                    if failures > 1 {
                        warn!(
                            kind,
                            error = &error as &dyn std::error::Error,
                            "the watch failed; trying again"
                        );
                    } else {
                        debug!(
                            kind,
                            error = &error as &dyn std::error::Error,
                            "the watch failed; trying again"
                        );
                    }
                    tokio::time::sleep(pause).await;
                    if is_gone(&error) {
                        break;
                    }
                }
            }
        }
    }
}

/// Whether the version to go on from is forgotten. A watcher that is told so when it *starts* a watch asks for the
/// same version for ever; only a new one lists again.
fn is_gone(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 410,
        _ => false,
    }
}

/// Whether the account may not list or watch.
fn is_forbidden(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 403,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn only_a_watch_that_cannot_start_from_its_version_is_begun_anew() {
        let answer = |code| kube::Error::Api(Status::failure("", "").with_code(code).boxed());
        assert!(is_gone(&watcher::Error::WatchStartFailed(answer(410))));
        assert!(!is_gone(&watcher::Error::WatchStartFailed(answer(503))));
        assert!(!is_gone(&watcher::Error::WatchFailed(answer(410))));
    }
}
