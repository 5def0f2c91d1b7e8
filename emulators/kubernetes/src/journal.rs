use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

/// One HTTP request as the API server has answered it. Refused ones are recorded too.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// Counts the requests of a cluster from 1; also those that the journal has forgotten.
    pub sequence: u64,
    /// When it was answered, in the world's time. A watch is answered when it begins.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path with its query, as it was sent.
    pub path: String,
    /// Kubernetes' verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, or the
    /// method in lower case for a path that is no resource.
    pub verb: String,
    /// The user's name; `system:anonymous` without a token, empty for a token that nobody has.
    pub user: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The address and port that the request came from.
    pub from: SocketAddr,
}

/// The last requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    sequence: u64,
    kept: VecDeque<RequestRecord>,
}

/// Requests kept before the oldest are forgotten.
const CAPACITY: usize = 10_000;

// === impl Journal ===

impl Journal {
    /// Keeps a record under the next sequence number.
    pub(crate) fn push(&self, mut record: RequestRecord) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.sequence += 1;
        record.sequence = records.sequence;
        records.kept.push_back(record);
        if records.kept.len() > CAPACITY {
            records.kept.pop_front();
        }
    }

    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.kept.iter().cloned().collect()
    }
}
