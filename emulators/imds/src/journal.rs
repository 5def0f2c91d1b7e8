use std::{
    collections::VecDeque,
    fmt,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use http::{HeaderMap, Method, Uri};
use jiff::Timestamp;

/// Requests kept; older ones are forgotten.
const KEPT: usize = 10_000;

/// One request that the service was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct ImdsRequest {
    /// Counted from 1 in the order of arrival; a gap at the front means that older requests were forgotten.
    pub number: u64,
    /// The world's time of arrival.
    pub at: Timestamp,
    /// The address it came from.
    pub from: SocketAddr,
    /// The node that has this address, or a pod of which has it; none if no instance was found.
    pub node: Option<String>,
    /// The method.
    pub method: String,
    /// The target as it was sent: no spelling is folded (a fragment alone is lost, which no client may send).
    pub target: String,
    /// The headers in the order of their first occurrence, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; none while there is none yet, or where it was withheld by the hop limit.
    pub status: Option<u16>,
}

#[derive(Default)]
pub(crate) struct Journal(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    written: u64,
    requests: VecDeque<ImdsRequest>,
}

// === impl Journal ===

impl Journal {
    /// Writes a request down and tells its number.
    pub(crate) fn arrived(
        &self,
        at: Timestamp,
        from: SocketAddr,
        node: Option<String>,
        (method, target, headers): (&Method, &Uri, &HeaderMap),
    ) -> u64 {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.written += 1;
        let number = pages.written;
        if pages.requests.len() == KEPT {
            pages.requests.pop_front();
        }
        pages.requests.push_back(ImdsRequest {
            number,
            at,
            from,
            node,
            method: method.to_string(),
            target: target.to_string(),
            headers,
            status: None,
        });
        number
    }

    pub(crate) fn answered(&self, number: u64, status: u16) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The newest ones are the ones that are still unanswered.
        if let Some(request) = pages.requests.iter_mut().rev().find(|request| request.number == number) {
            request.status = Some(status);
        }
    }

    pub(crate) fn requests(&self) -> Vec<ImdsRequest> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
            .iter()
            .cloned()
            .collect()
    }
}

// === impl ImdsRequest ===

impl ImdsRequest {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for ImdsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Header values may be session tokens or what a client should not have sent; their names are told.
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ImdsRequest")
            .field("number", &self.number)
            .field("at", &self.at)
            .field("from", &self.from)
            .field("node", &self.node)
            .field("method", &self.method)
            .field("target", &self.target)
            .field("headers", &names)
            .field("status", &self.status)
            .finish()
    }
}
