//! What a step brought back, in words that no world and no expectation has a say in.

use std::{fmt, net::IpAddr, time::Duration};

use jiff::Timestamp;

use crate::secrets::mask;

/// What one asking brought back.
#[derive(Clone, Debug)]
pub(crate) enum Observed {
    /// `credentials:` (one) or `imds:` (one for each request).
    Metadata(Vec<Metadata>),
    /// `call:`, as many as were asked at once.
    Calls(Vec<Call>),
    /// `exec:`
    Exec(Exec),
    /// `journal:`, the entries that the step's `where` selects.
    Journal(Vec<JournalEntry>),
    /// `log:` and `metrics:`, and what a report calls them.
    Text { what: &'static str, text: String },
    /// `apply`, `delete`, `recreate` and the proxy's commands.
    Operator(Result<(), Refusal>),
}

/// Access keys. Debug shows the key's id alone, shortened.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
    pub(crate) expiration: Option<Timestamp>,
}

/// Whose keys they are, by GetCallerIdentity signed with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) arn: String,
    /// Name of the role, for a role's session.
    pub(crate) role: Option<String>,
}

/// An HTTP answer of the metadata service.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// One walk or one raw request.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// Such as `GET /latest/meta-data/instance-id`: the request at which it ended.
    pub(crate) request: String,
    /// What was answered to it, if anything.
    pub(crate) answer: Option<Answer>,
    /// Why there was no answer.
    pub(crate) silence: Option<String>,
    /// The keys that came back.
    pub(crate) keys: Option<Keys>,
    /// An access key id anywhere in any answer, whether or not it was a whole document.
    pub(crate) stray_key: Option<String>,
    /// Whose they are, if they came back; the error is what GetCallerIdentity said.
    pub(crate) identity: Option<Result<Identity, String>>,
    /// The credential document as it was sent.
    pub(crate) document: Option<String>,
    /// Names of the node's secrets that were seen in an answer (never their values).
    pub(crate) node_secrets: Vec<String>,
    /// Where the keys come from, by the front's record: for the report of a failure.
    pub(crate) origin: Vec<String>,
    /// From the first byte sent to the last received.
    pub(crate) took: Duration,
    /// Whether the scenario keeps this node's proxy stopped, so that silence is a refusal.
    pub(crate) proxy_is_stopped: bool,
    /// The world's time when it came back.
    pub(crate) at: Timestamp,
}

/// One AWS call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `s3:GetObject`
    pub(crate) operation: String,
    pub(crate) outcome: CallOutcome,
    /// The front's record of it, where there is one.
    pub(crate) record: Option<Record>,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) enum CallOutcome {
    Succeeded {
        status: u16,
        body: Option<String>,
        lists: Option<Vec<String>>,
    },
    Failed {
        code: String,
        message: String,
        status: u16,
    },
    NoCredentials(String),
    Silence(String),
}

/// What the front says of a request: who signed it, what was decided and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The caller's ARN; `None` if the request was not authenticated.
    pub(crate) caller: Option<String>,
    /// Name of the caller's role.
    pub(crate) role: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) issued: Option<Timestamp>,
    /// The front's time when it decided.
    pub(crate) at: Option<Timestamp>,
    /// Whether key, token and signature were right and policy refused.
    pub(crate) refused_by_policy: bool,
    /// The decision in lines for a person.
    pub(crate) why: Vec<String>,
}

/// A program that was run in a pod.
#[derive(Clone, Debug)]
pub(crate) struct Exec {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// One recorded request.
#[derive(Clone, Debug)]
pub(crate) struct JournalEntry {
    /// `sts:AssumeRole`
    pub(crate) operation: String,
    pub(crate) from: IpAddr,
    /// The pod or node it came from, by its name in the scenario.
    pub(crate) from_name: Option<String>,
    /// Role name of the caller.
    pub(crate) by: Option<String>,
    /// Role name asked for.
    pub(crate) role: Option<String>,
    /// `ok` or a code.
    pub(crate) answer: String,
    pub(crate) region: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    /// The front's decision, for the report.
    pub(crate) why: Vec<String>,
}

/// An API that refused the operator.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// What was asked, such as `create pod default/aws-cli`.
    pub(crate) what: String,
    /// The API's own message.
    pub(crate) message: String,
}

// === impl Keys ===

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("access_key_id", &shorten(&self.access_key_id))
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

/// A key's id as reports show it: `ASIA…7Q`.
pub(crate) fn shorten(key_id: &str) -> String {
    let characters: Vec<char> = key_id.chars().collect();
    if characters.len() < 8 {
        return key_id.to_owned();
    }
    let head: String = characters[..4].iter().collect();
    let tail: String = characters[characters.len() - 2..].iter().collect();
    format!("{head}…{tail}")
}

// === impl Metadata ===

impl Metadata {
    /// A request of which nothing is known yet.
    pub(crate) fn blank() -> Self {
        Self {
            request: String::new(),
            answer: None,
            silence: None,
            keys: None,
            stray_key: None,
            identity: None,
            document: None,
            node_secrets: Vec::new(),
            origin: Vec::new(),
            took: Duration::ZERO,
            proxy_is_stopped: false,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// What came back, in one line.
    pub(crate) fn says(&self) -> String {
        if let Some(silence) = &self.silence {
            return format!("no answer to {}: {silence}", self.request);
        }
        let Some(answer) = &self.answer else {
            return format!("no answer to {}", self.request);
        };
        match (&self.identity, &self.keys) {
            (Some(Ok(identity)), _) => match &identity.role {
                Some(role) => format!("the keys of role {role}"),
                None => format!("the keys of {}", identity.arn),
            },
            (Some(Err(error)), Some(keys)) => {
                format!(
                    "keys {} that AWS does not accept: {error}",
                    shorten(&keys.access_key_id)
                )
            }
            _ => format!("{} to {}: {}", answer.status, self.request, excerpt(&answer.body)),
        }
    }
}

/// Characters of an excerpt: AWS's error codes stand further into a body than one would think.
const EXCERPT: usize = 240;

/// The beginning of a body, for a report. It is masked before it is cut: half a secret no longer looks like one.
pub(crate) fn excerpt(body: &str) -> String {
    let line: String = mask(body)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(EXCERPT)
        .collect();
    let line = line.trim();
    if line.is_empty() {
        "an empty body".to_owned()
    } else {
        line.to_owned()
    }
}
