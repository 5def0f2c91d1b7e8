use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Requests kept; older ones are forgotten.
const KEPT: usize = 200_000;

/// By which listener a request came. Both answer alike, but faults are met at [`Door::World`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The one that pods, nodes and proxies reach.
    World,
    /// The harness's own.
    Operator,
}

/// One HTTP request as it was answered. Refused ones are recorded too; a token never is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 0 in the order of the answers; a gap at the front means that older entries were forgotten.
    pub number: u64,
    /// The world's time of the answer.
    pub at: Timestamp,
    /// The listener it came by.
    pub door: Door,
    /// The other end of the connection.
    pub from: SocketAddr,
    /// The method as it was sent, such as `GET`, `PUT` or `LIST`.
    pub method: String,
    /// The path without `/v1/` and without its query, such as `aws/sts/readonly`.
    pub path: String,
    /// The Vault role that was asked for: the last segment of `MOUNT/creds/ROLE` and `MOUNT/sts/ROLE`, and what a login
    /// names; none elsewhere.
    pub role: Option<String>,
    /// Whose token came with the request: its display name, such as `kubernetes-jobs-reader` or `root`. None without a
    /// token, or with one that nobody has.
    pub by: Option<String>,
    /// The HTTP status of the answer; 0 if the connection was cut, or closed before there was one.
    pub status: u16,
    /// The errors of the answer, joined with `; `; none for a success.
    pub error: Option<String>,
}

/// The last entries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    next: u64,
    entries: VecDeque<Entry>,
}

// === impl Journal ===

impl Journal {
    /// Keeps an entry; its number is given here.
    pub(crate) fn add(&self, mut entry: Entry) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entry.number = pages.next;
        pages.next += 1;
        if pages.entries.len() == KEPT {
            pages.entries.pop_front();
        }
        pages.entries.push_back(entry);
    }

    /// The entries from this number on.
    pub(crate) fn since(&self, number: u64) -> Vec<Entry> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = pages.entries.partition_point(|entry| entry.number < number);
        pages.entries.range(start..).cloned().collect()
    }

    /// The number that the next entry gets.
    pub(crate) fn mark(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next
    }
}

// === impl Entry ===

impl Entry {
    /// The role that a path of the AWS engine names.
    pub(crate) fn role_of(path: &str) -> Option<String> {
        let (rest, role) = path.rsplit_once('/')?;
        let kind = rest.rsplit('/').next()?;
        // Not those of leases, whose ids look alike.
        let engine = !path.starts_with("sys/") && matches!(kind, "creds" | "sts") && rest.contains('/');
        (engine && !role.is_empty()).then(|| role.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_the_one_whose_credentials_are_read() {
        assert_eq!(Entry::role_of("aws/creds/readonly").as_deref(), Some("readonly"));
        assert_eq!(Entry::role_of("cloud/aws/sts/reader").as_deref(), Some("reader"));
        assert_eq!(Entry::role_of("aws/roles/readonly"), None);
        assert_eq!(Entry::role_of("sys/leases/revoke-prefix/aws/creds/readonly"), None);
    }
}
