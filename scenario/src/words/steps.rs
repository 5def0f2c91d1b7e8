use super::{
    expect,
    fault::{FAULTS, FAULTY},
    given::GIVEN,
    proxy::PROXY,
    shape::{Choice, Key, NameKind, Shape, Structure, Word, choice, word},
};

/// A word that says what a step does.
#[derive(Clone, Copy, Debug)]
pub struct ActionWord {
    /// The word, and what may stand behind it.
    pub word: Word,
    /// Who does it.
    pub by: By,
    /// Words that may stand beside it in the step.
    pub beside: &'static [Word],
    /// Words that `expect` may have.
    pub expect: &'static [Word],
    /// Whether `save` can keep what came back.
    pub saves: bool,
}

// === impl ActionWord ===

impl ActionWord {
    /// Whether a word of [`EVERY_STEP`] may stand beside this action.
    pub fn takes(&self, word: &str) -> bool {
        match word {
            "as" => matches!(self.by, By::PodOrNode | By::PodNodeOrKeys | By::Pod),
            "using" => self.by == By::PodNodeOrKeys,
            "save" => self.saves,
            "expect" => !self.expect.is_empty(),
            "within" | "throughout" | "at_once" => self.by != By::Operator,
            _ => true,
        }
    }
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A pod or node, named by `as:`.
    PodOrNode,
    /// A pod or node named by `as:`, or keys named by `using:`.
    PodNodeOrKeys,
    /// A pod, named by `as:`.
    Pod,
    /// The operator of the cluster.
    Operator,
    /// Nobody in the world: it looks at what was recorded.
    Observer,
}

/// Words that every step may have beside its action.
pub const EVERY_STEP: &[Word] = &[
    word("name", "what the step says", Shape::Text),
    word("as", "the pod or node that acts", Shape::Name(NameKind::Actor)),
    word("using", "saved keys to sign with", Shape::Name(NameKind::Keys)),
    word("expect", "what must come back", Shape::Expect),
    word(
        "within",
        "how long a wrong answer may be a former state",
        Shape::Duration,
    ),
    word("throughout", "how long the answer must stay right", Shape::Duration),
    word("save", "a name for what came back", Shape::NewName(NameKind::Keys)),
    word(
        "at_once",
        "so many at the same moment, each judged",
        Shape::Number { min: 1, max: 1_000 },
    ),
];

/// The words that say what a step does; each step has exactly one.
pub const ACTIONS: &[ActionWord] = &[
    ActionWord {
        word: word(
            "credentials",
            "walks the metadata service as an SDK does",
            Shape::Struct(&CREDENTIALS),
        ),
        by: By::PodOrNode,
        beside: CREDENTIALS.words,
        expect: expect::OF_CREDENTIALS,
        saves: true,
    },
    ActionWord {
        word: word(
            "imds",
            "a raw metadata request, or several",
            Shape::OneOrMore(&Shape::Request),
        ),
        by: By::PodOrNode,
        beside: OF_IMDS,
        expect: expect::OF_IMDS,
        saves: true,
    },
    ActionWord {
        word: word("call", "one AWS call", Shape::Operation),
        by: By::PodNodeOrKeys,
        beside: &[word("with", "the operation's parameters", Shape::Parameters)],
        expect: expect::OF_CALL,
        saves: true,
    },
    ActionWord {
        word: word("exec", "a program in the pod", Shape::CommandLine),
        by: By::Pod,
        beside: &[],
        expect: expect::OF_EXEC,
        saves: false,
    },
    operator(
        word(
            "apply",
            "changes what exists, in the words of `given`",
            Shape::Struct(&APPLY),
        ),
        &[],
        expect::OF_CHANGE,
    ),
    operator(
        word("delete", "deletes pods", Shape::Struct(&PODS)),
        GRACE,
        expect::OF_CHANGE,
    ),
    operator(
        word("recreate", "deletes pods and makes them anew", Shape::Struct(&PODS)),
        GRACE,
        expect::OF_CHANGE,
    ),
    operator(word("stop", "SIGTERM to the subject", Shape::Subject), &[], &[]),
    operator(word("kill", "SIGKILL to the subject", Shape::Subject), &[], &[]),
    operator(
        word("start", "starts the subject, until it is ready", Shape::Subject),
        &[],
        &[],
    ),
    operator(
        word(
            "restart",
            "stops and starts the subject, until it is ready",
            Shape::Subject,
        ),
        &[],
        &[],
    ),
    operator(
        word("advance", "moves the world's clock", Shape::Duration).needs("clock"),
        &[],
        &[],
    ),
    operator(
        word("inject", "a fault, until `heal`", Shape::Struct(&FAULTS)).needs("faults"),
        &[],
        &[],
    ),
    operator(
        word("heal", "ends a fault", Shape::OneOrMore(&Shape::OneOf(FAULTY))).needs("faults"),
        &[],
        &[],
    ),
    ActionWord {
        word: word("journal", "what the world recorded", Shape::JournalEntry),
        by: By::Observer,
        beside: &[
            word("where", "which entries count", Shape::Struct(&WHERE)),
            word("since", "the step to start with", Shape::Name(NameKind::Step)),
        ],
        expect: expect::OF_JOURNAL,
        saves: false,
    },
    ActionWord {
        word: word("log", "the subject's log", Shape::Subject),
        by: By::Observer,
        beside: &[],
        expect: expect::OF_LOG,
        saves: false,
    },
    ActionWord {
        word: word("metrics", "the subject's metrics", Shape::Subject),
        by: By::Observer,
        beside: &[],
        expect: expect::OF_LOG,
        saves: false,
    },
];

const fn operator(word: Word, beside: &'static [Word], expect: &'static [Word]) -> ActionWord {
    ActionWord {
        word,
        by: By::Operator,
        beside,
        expect,
        saves: false,
    }
}

const CREDENTIALS: Structure = Structure {
    what: "a walk for credentials",
    words: &[
        word("ask_for", "another name than the one listed", Shape::Text),
        word(
            "token",
            "the IMDSv2 token it carries; `fresh` if not given",
            Shape::Token,
        ),
        word("client", "whose SDK walks", Shape::OneOf(CLIENTS)),
        word("from", "where the credentials come from", Shape::OneOf(FROM)),
    ],
    rest: None,
};

const CLIENTS: &[Choice] = &[
    choice("rust"),
    choice("botocore"),
    choice("go").later("the Go SDK's own provider is not built yet"),
    choice("java").later("the Java SDK's own provider is not built yet"),
];

const FROM: &[Choice] = &[choice("agent")];

const OF_IMDS: &[Word] = &[
    word(
        "headers",
        "headers of the request",
        Shape::Map {
            key: Key::Free("a header"),
            value: &Shape::HeaderValue,
        },
    ),
    word("body", "the request's body", Shape::Text),
    word("token", "the IMDSv2 token it carries; none if not given", Shape::Token),
    word("to", "where it is sent", Shape::OneOf(&[choice("proxy")])),
    word("over", "the address family", Shape::OneOf(FAMILIES)).needs("ipv6"),
];

const FAMILIES: &[Choice] = &[choice("ipv6").later("metadata over IPv6 is not built yet")];

const APPLY: Structure = Structure {
    what: "a change",
    words: APPLY_WORDS,
    rest: None,
};

/// The words of `given`, and `proxy`.
const APPLY_WORDS: &[Word] = &{
    let mut words = [word(
        "proxy",
        "new settings of the subject, which is restarted",
        Shape::Struct(&PROXY),
    ); GIVEN.words.len() + 1];
    let mut at = 0;
    while at < GIVEN.words.len() {
        words[at] = GIVEN.words[at];
        at += 1;
    }
    words
};

const PODS: Structure = Structure {
    what: "a change of pods",
    words: &[
        word("pods", "the pods", Shape::List(&Shape::Name(NameKind::Pod))).required(),
        word("grace", "the grace period; 0s if not given", Shape::Duration),
    ],
    rest: None,
};

const GRACE: &[Word] = &[word("grace", "the grace period; 0s if not given", Shape::Duration)];

const WHERE: Structure = Structure {
    what: "what to count",
    words: &[
        word("role", "the role asked for", Shape::Name(NameKind::Role)),
        word("by", "who called", Shape::Name(NameKind::Caller)),
        word("from", "a pod, a node or `pods`", Shape::Name(NameKind::From)),
        word("answer", "`ok` or a code", Shape::Code),
        word("path", "the path", Shape::Text),
        word("header", "a header", Shape::Text),
        word("region", "the region", Shape::Text),
    ],
    rest: None,
};
