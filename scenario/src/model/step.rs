use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::{
    Span, Spanned,
    model::{Expect, Given, ProxySettings},
};

/// One step: one action, and what must come of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The whole step.
    pub span: Span,
    /// What the step says, if it was named.
    pub name: Option<String>,
    /// `as:`, the pod or node that acts.
    pub actor: Option<Spanned<Actor>>,
    /// `using:`, saved keys to sign with.
    pub using: Option<Spanned<String>>,
    /// What is done. The span covers the action's key and value.
    pub action: Spanned<Action>,
    /// `expect:`; `None` if the step has none.
    pub expect: Option<Expect>,
    /// `within:`, if written.
    pub within: Option<Spanned<Duration>>,
    /// `throughout:`, if written.
    pub throughout: Option<Spanned<Duration>>,
    /// `save:`, a name for what came back.
    pub save: Option<Spanned<String>>,
    /// `at_once:`, so many at the same moment, each judged; 1 to 1000.
    pub at_once: Option<Spanned<u32>>,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// A pod, by the name `given.pods` has for it.
    Pod(String),
    /// A node.
    Node(String),
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// `credentials:` walks the metadata service.
    Credentials(Credentials),
    /// `imds:` raw requests; the expectation holds for each.
    Imds(Vec<Spanned<ImdsRequest>>),
    /// `call:` one AWS call.
    Call(Call),
    /// `exec:` a program in the pod, already split into words.
    Exec(Vec<String>),
    /// `apply:` a change by the operator.
    Apply(Box<Given>, Box<ProxySettings>),
    /// `delete: { pods: [...] }`.
    Delete {
        /// The pods.
        pods: Vec<Spanned<String>>,
        /// The grace period; 0 where nothing is said.
        grace: Duration,
    },
    /// `recreate: { pods: [...] }`.
    Recreate {
        /// The pods.
        pods: Vec<Spanned<String>>,
        /// The grace period; 0 where nothing is said.
        grace: Duration,
    },
    /// `stop`, `kill`, `start`, `restart` of the proxy.
    Proxy(ProxyCommand),
    /// `journal:` what the world recorded.
    Journal(Journal),
    /// `log: proxy`, of every worker or of one.
    Log {
        /// The node, or all.
        node: Option<Spanned<String>>,
    },
    /// `metrics: proxy`, of every worker or of one.
    Metrics {
        /// The node, or all.
        node: Option<Spanned<String>>,
    },
    /// `advance:` moves the world's clock by this much.
    Advance(Duration),
    /// `inject:` a fault, until [`Action::Heal`].
    Inject(Vec<Fault>),
    /// `heal:` ends the faults of this service (`sts`).
    Heal(Vec<String>),
}

/// A fault of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The service: `sts`, `kubernetes`, `vault` or `imds`.
    pub service: String,
    /// What goes wrong, in the order in which it was written.
    pub kinds: Vec<FaultKind>,
    /// How many requests meet it; `None` = all until it is healed.
    pub times: Option<u32>,
}

/// What goes wrong with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It answers with this code: AWS's word for STS, a status for the others.
    Error(String),
    /// It answers nobody.
    Down,
    /// It answers this much later, in real time.
    Delay(Duration),
    /// Watches break off.
    DropWatch,
    /// Watches are told that their version is gone.
    Gone,
    /// Vault is sealed.
    Sealed,
}

/// `credentials:`.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// `ask_for:` another name than the one listed.
    pub ask_for: Option<String>,
    /// `token:`.
    pub token: TokenUse,
    /// `client:`; `None` is the harness's own walk.
    pub client: Option<String>,
    /// `from: agent`: the pod's credential process, in place of the metadata service.
    pub from_agent: bool,
}

/// Which IMDSv2 token a request carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenUse {
    /// A new one, asked for first.
    #[default]
    Fresh,
    /// None.
    None,
    /// A saved one, by its name.
    Saved(String),
}

/// One raw metadata request.
#[derive(Clone, Debug)]
pub struct ImdsRequest {
    /// `GET`, `PUT`, …
    pub method: String,
    /// The request target, sent byte for byte.
    pub target: String,
    /// Headers in the order written; a value `of:<pod>` is that pod's address.
    pub headers: Vec<(String, String)>,
    /// A body.
    pub body: Option<String>,
    /// The token; none unless written.
    pub token: TokenUse,
    /// Where it is sent.
    pub to: Target,
}

/// Where a raw request is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// 169.254.169.254:80.
    #[default]
    Metadata,
    /// The proxy's own port on the node.
    Proxy,
}

/// `call:` one AWS operation.
#[derive(Clone, Debug)]
pub struct Call {
    /// Service prefix, such as `s3`.
    pub service: String,
    /// Operation in the API's own name, such as `GetObject`.
    pub operation: String,
    /// `with:`, the operation's parameters.
    pub with: BTreeMap<String, Value>,
}

/// A command to the subject.
#[derive(Clone, Debug)]
pub struct ProxyCommand {
    /// What is done.
    pub verb: ProxyVerb,
    /// On one node, or on all workers.
    pub node: Option<Spanned<String>>,
}

/// What is done to the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyVerb {
    /// SIGTERM.
    Stop,
    /// SIGKILL.
    Kill,
    /// Start, and wait until it is ready.
    Start,
    /// Stop and start.
    Restart,
}

/// `journal:` with its `where:` and `since:`.
#[derive(Clone, Debug)]
pub struct Journal {
    /// `sts`, `s3`, `imds`, `kubernetes`, `vault`, …
    pub service: String,
    /// The operation, or `*`.
    pub operation: String,
    /// Which entries count.
    pub filter: JournalWhere,
    /// Index of the step to start with (its `since:` name resolved).
    pub since: Option<usize>,
}

/// `where:` of a journal; every word given must hold.
#[derive(Clone, Debug, Default)]
pub struct JournalWhere {
    /// The role asked for.
    pub role: Option<String>,
    /// The caller (a role name, `node`, `master`).
    pub by: Option<String>,
    /// A pod, a node or `pods`.
    pub from: Option<String>,
    /// `ok` or a code.
    pub answer: Option<String>,
    /// Path.
    pub path: Option<String>,
    /// Header.
    pub header: Option<String>,
    /// Region.
    pub region: Option<String>,
}
