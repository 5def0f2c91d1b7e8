use std::{borrow::Cow, collections::VecDeque, net::SocketAddr, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    authorise::Made,
    decision::{DecisionRecord, Verdict},
    identity::Caller,
    service::Service,
};

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

/// One request as it is kept: what its [`Entry`] and its [`DecisionRecord`] say, once.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Given by the journal.
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) request_id: String,
    pub(crate) door: Door,
    pub(crate) from: SocketAddr,
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) region: String,
    pub(crate) caller: Option<Arc<Caller>>,
    pub(crate) role: (Option<String>, Option<String>),
    /// The AWS error code of a refusal.
    pub(crate) code: Option<Cow<'static, str>>,
    pub(crate) status: u16,
    /// What was decided, if anything was. Of the newest requests alone.
    pub(crate) made: Option<Box<Made>>,
}

/// What has been answered, and what was decided about it, both bounded.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    kept: VecDeque<Kept>,
    next: u64,
    /// Tells whoever follows the journal that it has grown: the number that the next entry will have.
    grown: watch::Sender<u64>,
}

// === impl Kept ===

impl Kept {
    fn caller(&self) -> Option<Caller> {
        self.caller.as_ref().map(|caller| Caller::clone(caller))
    }

    fn answer(&self) -> String {
        self.code.as_deref().unwrap_or("ok").to_owned()
    }

    fn entry(&self) -> Entry {
        Entry {
            number: self.number,
            at: self.at,
            request_id: self.request_id.clone(),
            door: self.door,
            from: self.from,
            service: self.service.name().to_owned(),
            operation: self.operation.clone(),
            region: self.region.clone(),
            caller: self.caller(),
            role: self.role.0.clone(),
            role_arn: self.role.1.clone(),
            answer: self.answer(),
            status: self.status,
        }
    }

    fn decision(&self) -> DecisionRecord {
        let made = self.made.as_deref();
        DecisionRecord {
            request_id: self.request_id.clone(),
            at: self.at,
            service: self.service.name().to_owned(),
            operation: self.operation.clone(),
            action: made.map(|made| made.action.clone()).unwrap_or_default(),
            resource: made.map(|made| made.resource.clone()).unwrap_or_default(),
            caller: self.caller(),
            verdict: made.map_or_else(|| Verdict::Failed(self.answer()), |made| made.verdict.clone()),
            decision: made.and_then(|made| made.decision.clone()),
            attached: made.and_then(|made| made.attached.clone()),
            answer: self.answer(),
            status: self.status,
        }
    }
}

// === impl Journal ===

impl Journal {
    /// Adds what became of a request (its number is given here), and gives back what it lets go of for it.
    pub(crate) fn add(&mut self, mut kept: Kept) -> (Option<Kept>, Option<Box<Made>>) {
        kept.number = self.next;
        self.next += 1;
        let old = (self.kept.len() >= ENTRIES).then(|| self.kept.pop_front()).flatten();
        // The decision that is one too old from now on; its request's entry stays.
        let at = self.kept.len().checked_sub(DECISIONS);
        let old_decision = at.and_then(|at| self.kept.get_mut(at)?.made.take());
        self.kept.push_back(kept);
        self.grown.send_replace(self.next);
        (old, old_decision)
    }

    pub(crate) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// The entries from this number on.
    pub(crate) fn since(&self, number: u64) -> Vec<Entry> {
        let start = self.kept.partition_point(|kept| kept.number < number);
        self.kept.range(start..).map(Kept::entry).collect()
    }

    pub(crate) fn dropped(&self) -> Dropped {
        Dropped {
            entries: self.next.saturating_sub(ENTRIES as u64),
            decisions: self.next.saturating_sub(DECISIONS as u64),
        }
    }

    pub(crate) fn decision(&self, request_id: &str) -> Option<DecisionRecord> {
        let mut newest = self.kept.iter().rev().take(DECISIONS);
        newest.find(|kept| kept.request_id == request_id).map(Kept::decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(number: usize) -> Kept {
        Kept {
            number: 0,
            at: Timestamp::UNIX_EPOCH,
            request_id: format!("request-{number}"),
            door: Door::World,
            from: ([127, 0, 0, 1], 1).into(),
            service: Service::S3,
            operation: String::new(),
            region: String::new(),
            caller: None,
            role: (None, None),
            code: None,
            status: 200,
            made: None,
        }
    }

    #[test]
    fn the_oldest_entries_and_decisions_go_first_and_are_counted() {
        let mut journal = Journal::default();
        for number in 0..ENTRIES {
            assert!(journal.add(kept(number)).0.is_none());
        }
        let before = Dropped {
            entries: 0,
            decisions: (ENTRIES - DECISIONS) as u64,
        };
        assert_eq!(journal.dropped(), before);
        for number in ENTRIES..ENTRIES + 3 {
            let (old, _) = journal.add(kept(number));
            assert_eq!(
                old.map(|old| old.request_id),
                Some(format!("request-{}", number - ENTRIES))
            );
        }
        assert_eq!(journal.dropped().entries, 3);
        let entries = journal.since(0);
        let ends = (entries[0].number, entries[entries.len() - 1].number);
        assert_eq!((entries.len(), ends), (ENTRIES, (3, ENTRIES as u64 + 2)));
        let oldest_decision = ENTRIES + 3 - DECISIONS;
        assert!(journal.decision(&format!("request-{oldest_decision}")).is_some());
        assert!(journal.decision(&format!("request-{}", oldest_decision - 1)).is_none());
    }
}
