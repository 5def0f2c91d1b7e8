use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{decision::DecisionRecord, identity::Caller};

/// Decision records kept; the oldest go first.
const DECISIONS: usize = 10_000;
/// Journal entries kept; the oldest go first. Their numbers go on, so that a gap shows.
const ENTRIES: usize = 200_000;

/// By which listener a request came. Both verify and authorise alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The one that pods, nodes and proxies reach.
    World,
    /// The harness's own.
    Operator,
}

/// One HTTP request as the front saw it, answered or refused; a retry is an entry of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 0 in the order of the answers.
    pub number: u64,
    /// The world's time at which the request was read.
    pub at: Timestamp,
    /// The id the answer carried (`x-amzn-RequestId`, S3: `x-amz-request-id`).
    pub request_id: String,
    /// The listener it came by.
    pub door: Door,
    /// The other end of the connection.
    pub from: SocketAddr,
    /// The service's signing name: `sts`, `iam`, `s3`, `es`, … (guessed from host and path for an unsigned request).
    pub service: String,
    /// The API operation, such as `AssumeRole`; `unknown` where the request names none.
    pub operation: String,
    /// The region of the credential scope; the front's own for an unsigned request.
    pub region: String,
    /// Whose key signed, if the key was known, whether or not the request was then refused.
    pub caller: Option<Caller>,
    /// For AssumeRole, the name of the role asked for, without its path.
    pub role: Option<String>,
    /// For AssumeRole, the `RoleArn` as it was sent.
    pub role_arn: Option<String>,
    /// `ok` or the AWS error code.
    pub answer: String,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// What a journal let go of, because it keeps a bounded number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Entries, the oldest ones.
    pub entries: u64,
    /// Decision records, the oldest ones; there are fewer of them than entries.
    pub decisions: u64,
}

/// The entries and the decision records, both bounded.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    next: u64,
    dropped: Dropped,
    decisions: HashMap<String, Box<DecisionRecord>>,
    order: VecDeque<String>,
    /// Tells whoever follows the journal that it has grown: the number that the next entry will have.
    grown: watch::Sender<u64>,
}

// === impl Journal ===

impl Journal {
    /// Adds an entry (its number is given here) and the decision record of the same request, and gives back what it lets
    /// go of for them.
    pub(crate) fn add(
        &mut self,
        mut entry: Entry,
        record: DecisionRecord,
    ) -> (Option<Entry>, Option<Box<DecisionRecord>>) {
        entry.number = self.next;
        self.next += 1;
        let old_entry = (self.entries.len() >= ENTRIES)
            .then(|| self.entries.pop_front())
            .flatten();
        let oldest = (self.order.len() >= DECISIONS)
            .then(|| self.order.pop_front())
            .flatten();
        let old_record = oldest.and_then(|oldest| self.decisions.remove(&oldest));
        self.dropped.entries += u64::from(old_entry.is_some());
        self.dropped.decisions += u64::from(old_record.is_some());
        self.order.push_back(record.request_id.clone());
        self.decisions.insert(record.request_id.clone(), Box::new(record));
        self.entries.push_back(entry);
        self.grown.send_replace(self.next);
        (old_entry, old_record)
    }

    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// The entries from this number on.
    pub(crate) fn since(&self, number: u64) -> Vec<Entry> {
        let start = self.entries.partition_point(|entry| entry.number < number);
        self.entries.range(start..).cloned().collect()
    }

    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped
    }

    pub(crate) fn decision(&self, request_id: &str) -> Option<DecisionRecord> {
        self.decisions
            .get(request_id)
            .map(|record| DecisionRecord::clone(record))
    }
}
