use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use rolecall_accept::CancellationToken;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Sleep, sleep},
};

use super::{
    ApiError, FieldError,
    accept::{Form, Include},
    answer::named,
    query::Query,
    table,
};
use crate::{
    fault::{Faults, WatchEnd},
    registry::Registry,
    store::{Compacted, EventKind, Selection},
};

/// What a watch shows, and to whom.
pub(super) struct View {
    pub(super) selection: Selection,
    pub(super) form: Form,
    /// The faults that the one who watches meets.
    pub(super) faults: Option<Arc<Faults>>,
}

/// One open watch: what of the history it has sent, and when it ends.
pub(super) struct Watch {
    registry: Arc<Registry>,
    view: View,
    /// Every change up to this version has been sent, or is in `lines`.
    seen: u64,
    lines: VecDeque<Bytes>,
    ended: bool,
    published: watch::Receiver<u64>,
    dropped: watch::Receiver<u64>,
    /// Wakes when a fault is injected.
    faulty: Option<watch::Receiver<()>>,
    /// Whether a table has been sent, and with it its columns.
    columns: bool,
    stop: CancellationToken,
    timeout: Pin<Box<Sleep>>,
    /// When the next bookmark is due, if the client allows bookmarks.
    bookmark: Option<Pin<Box<Sleep>>>,
}

/// Between two bookmarks. A real server takes about a minute; the protocol promises nothing.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(10);
/// Without `timeoutSeconds` a watch lasts between this and twice this (`--min-request-timeout`).
const LEAST_TIMEOUT: u64 = 1800;

// === impl Watch ===

impl Watch {
    /// Starts a watch. Without a version, or from version 0, it begins with what is there (as `ADDED`), unless
    /// `sendInitialEvents=false`; from any other version with what came after it. If that has been forgotten, the
    /// watch consists of one `ERROR` with the `Status` 410, as on a real server.
    pub(super) fn start(
        registry: Arc<Registry>,
        view: View,
        query: &Query,
        stop: CancellationToken,
    ) -> Result<Self, ApiError> {
        let initial = query.optional_flag("sendInitialEvents");
        let bookmarks = query.flag("allowWatchBookmarks");
        check_match(initial, query.text("resourceVersionMatch"))?;
        let from = query.resource_version()?.filter(|version| *version > 0);
        let seconds = query
            .number::<u64>("timeoutSeconds")?
            .filter(|seconds| *seconds > 0)
            .unwrap_or_else(|| LEAST_TIMEOUT + rand::random::<u64>() % LEAST_TIMEOUT);
        let mut watch = Self {
            published: registry.store.published(),
            dropped: registry.store.watches(),
            faulty: view.faults.as_ref().map(|faults| faults.changed()),
            columns: false,
            registry,
            view,
            seen: 0,
            lines: VecDeque::new(),
            ended: false,
            stop,
            timeout: Box::pin(sleep(Duration::from_secs(seconds))),
            bookmark: bookmarks.then(|| Box::pin(sleep(BOOKMARK_INTERVAL))),
        };
        match (initial, from) {
            (Some(true), _) => {
                watch.send_initial();
                if bookmarks {
                    watch.send_bookmark(true);
                }
            }
            (None, None) => watch.send_initial(),
            (Some(false), None) => watch.seen = watch.registry.store.read(|state| state.version()),
            (_, Some(version)) => {
                watch.seen = version;
                if watch
                    .view
                    .faults
                    .as_ref()
                    .is_some_and(|faults| faults.version_is_gone())
                {
                    watch.send_gone();
                }
            }
        }
        Ok(watch)
    }

    /// The lines of the answer, each with its line feed.
    pub(super) fn into_stream(self) -> impl Stream<Item = Bytes> + Send + 'static {
        stream::unfold(
            self,
            |mut watch| async move { watch.next().await.map(|line| (line, watch)) },
        )
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            if self.ended {
                return None;
            }
            // Marked as seen before the history is read, so that a write in between wakes this again.
            self.published.borrow_and_update();
            self.send_changes();
            if !self.lines.is_empty() || self.ended {
                continue;
            }
            if let Some(faulty) = &mut self.faulty {
                faulty.borrow_and_update();
            }
            match self.view.faults.as_ref().and_then(|faults| faults.of_watch()) {
                None => {}
                Some(WatchEnd::Dropped) => {
                    self.ended = true;
                    continue;
                }
                Some(WatchEnd::Gone) => {
                    self.send_gone();
                    continue;
                }
            }
            let faulty = async {
                match &mut self.faulty {
                    Some(faulty) => drop(faulty.changed().await),
                    None => std::future::pending().await,
                }
            };
            let due = async {
                match &mut self.bookmark {
                    Some(due) => due.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.published.changed() => self.ended = changed.is_err(),
                _ = self.dropped.changed() => self.ended = true,
                () = faulty => {}
                () = self.stop.cancelled() => self.ended = true,
                () = &mut self.timeout => {
                    if self.bookmark.is_some() {
                        self.send_bookmark(false);
                    }
                    self.ended = true;
                }
                () = due => {
                    self.send_bookmark(false);
                    self.bookmark = Some(Box::pin(sleep(BOOKMARK_INTERVAL)));
                }
            }
        }
    }

    /// Sends an object in the form that was asked for.
    fn send_object(&mut self, kind: EventKind, object: &Value) {
        let resource = self.view.selection.resource;
        let shown = match self.view.form {
            Form::Object => named(resource, object),
            Form::Table(include) => self.table_of(&[object], &object["metadata"]["resourceVersion"], include),
        };
        self.send(kind.as_str(), &shown);
    }

    /// A table of a watch; its columns are said once.
    fn table_of(&mut self, objects: &[&Value], version: &Value, include: Include) -> Value {
        let (resource, now) = (self.view.selection.resource, self.registry.clock.wall());
        let metadata = json!({"resourceVersion": version});
        let mut table = table::of(resource, objects.iter().copied(), metadata, include, now);
        if self.columns {
            table["columnDefinitions"] = json!([]);
        }
        self.columns = true;
        table
    }

    fn send_gone(&mut self) {
        let current = self.registry.store.read(|state| state.version());
        self.send("ERROR", &ApiError::too_old(self.seen, current).to_status());
        self.ended = true;
    }

    fn send(&mut self, kind: &str, object: &Value) {
        let mut line = json!({"type": kind, "object": object}).to_string();
        line.push('\n');
        self.lines.push_back(line.into());
    }

    fn send_initial(&mut self) {
        let selection = &self.view.selection;
        let (version, objects) = self.registry.store.read(|state| {
            let objects: Vec<Arc<Value>> = state
                .list(selection.resource, selection.namespace.as_deref())
                .filter(|(key, object)| selection.contains(key, object, state.is_hidden(key)))
                .map(|(_, object)| object.clone())
                .collect();
            (state.version(), objects)
        });
        self.seen = version;
        for object in objects {
            self.send_object(EventKind::Added, &object);
        }
    }

    fn send_changes(&mut self) {
        match self.registry.store.changes_after(self.seen) {
            Ok((changes, version)) => {
                for change in changes {
                    if let Some(event) = self.view.selection.event(&change) {
                        self.send_object(event.kind, &event.object);
                    }
                }
                self.seen = self.seen.max(version);
            }
            Err(Compacted { oldest }) => {
                self.send("ERROR", &ApiError::too_old(self.seen, oldest).to_status());
                self.ended = true;
            }
        }
    }

    /// Says which version has been seen; `ends_initial` marks the end of the initial events.
    fn send_bookmark(&mut self, ends_initial: bool) {
        let mut metadata = json!({"resourceVersion": self.seen.to_string(), "creationTimestamp": null});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let bookmark = match self.view.form {
            Form::Object => named(self.view.selection.resource, &json!({"metadata": metadata})),
            Form::Table(include) => {
                self.table_of(&[&json!({"metadata": metadata})], &metadata["resourceVersion"], include)
            }
        };
        self.send("BOOKMARK", &bookmark);
    }
}

/// `sendInitialEvents` and `resourceVersionMatch` go together (`ValidateListOptions`).
fn check_match(initial: Option<bool>, version_match: &str) -> Result<(), ApiError> {
    let error = match (initial, version_match) {
        (Some(_), "NotOlderThan") | (None, "") => return Ok(()),
        (Some(_), "") => FieldError::forbidden(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (Some(_), other) => FieldError::not_supported("resourceVersionMatch", other, &["NotOlderThan"]),
        (None, _) => FieldError::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
    };
    Err(ApiError::invalid_options("ListOptions", &error))
}
