/// One word of the language.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// As it is written.
    pub name: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// What may stand behind it.
    pub shape: Shape,
    /// Whether any world can do it.
    pub availability: Availability,
    /// Whether it must be written.
    pub required: bool,
    /// The capability that a file needs of world or subject if it uses the word.
    pub needs: Option<&'static str>,
}

/// Whether a word of the language is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is.
    Now,
    /// No world does it yet: a scenario that uses it is skipped with this reason.
    NotYet(&'static str),
}

/// A map with known words.
#[derive(Clone, Copy, Debug)]
pub struct Structure {
    /// What the map describes, such as `a pod`.
    pub what: &'static str,
    /// The words.
    pub words: &'static [Word],
    /// What other keys are and hold; `None` where there are no others.
    pub rest: Option<(Key, &'static Shape)>,
}

/// One of the values of [`Shape::OneOf`].
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// As it is written.
    pub name: &'static str,
    /// Whether any world can do it.
    pub availability: Availability,
}

/// What the keys of a map are.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// Names made here.
    New(NameKind),
    /// Free text, with what it says: `an object key`.
    Free(&'static str),
}

/// The kinds of names: what a name may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// A further AWS account; or an ARN, in which the account must be known.
    Account,
    /// A pod.
    Pod,
    /// A node.
    Node,
    /// A pod or a node: who acts in a step.
    Actor,
    /// A pod, a node or the word `pods`: where a request came from.
    From,
    /// A role: its name, `node`, `master` or an ARN.
    Role,
    /// Who signed: a role or a user.
    Caller,
    /// An IAM user.
    User,
    /// An S3 bucket.
    Bucket,
    /// A Kubernetes namespace.
    Namespace,
    /// A step.
    Step,
    /// Keys kept by `save` or by a user's `access_key`.
    Keys,
    /// A metadata token kept by `save`.
    Token,
}

/// What may stand behind a word.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// Any scalar, taken as it is written.
    Scalar,
    /// The code of an answer: a word or a number.
    Code,
    /// `true`; the word can also stand alone.
    Flag,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A duration with its unit.
    Duration,
    /// One of these words.
    OneOf(&'static [Choice]),
    /// A name that must be known.
    Name(NameKind),
    /// A name made here.
    NewName(NameKind),
    /// A list.
    List(&'static Shape),
    /// One, or a list of several.
    OneOrMore(&'static Shape),
    /// A map with keys of one kind.
    Map {
        /// The keys.
        key: Key,
        /// The values.
        value: &'static Shape,
    },
    /// A map with known words.
    Struct(&'static Structure),
    /// One of several shapes.
    Either(&'static [Shape]),
    /// Any value, taken as JSON.
    Value,
    /// The name or ARN of a managed policy.
    ManagedPolicy,
    /// An ARN.
    Arn,
    /// A text of a policy; the account of an ARN must be known.
    PolicyText,
    /// A file below `fixtures/`.
    File,
    /// The version of the policy language.
    PolicyVersion,
    /// Policy statements as JSON text.
    StatementsText,
    /// A trust in one word: `node`, `ec2`, `account`, `none`, `user:NAME`, `role:NAME`,
    /// `service_account:NAMESPACE/NAME`, or a file.
    TrustText,
    /// A metadata token: `fresh`, `none` or a saved one.
    Token,
    /// The value of a header; `of:<pod>` is that pod's address.
    HeaderValue,
    /// The address of another pod: `of:<pod>`.
    AddressOf,
    /// A raw request: method and target.
    Request,
    /// A command line, split into words as a shell does.
    CommandLine,
    /// A status: `404` or `4xx`.
    Status,
    /// An operation of AWS: `service:Operation`.
    Operation,
    /// What a journal is asked for: `service:Operation` or `service:*`.
    JournalEntry,
    /// The parameters of a call.
    Parameters,
    /// `proxy`, or `{ proxy: <node> }`.
    Subject,
    /// A step: [`super::EVERY_STEP`] and one of [`super::ACTIONS`] with its words.
    Step,
    /// What must come back; the words depend on the action (see [`super::ActionWord::expect`]).
    Expect,
}

/// A word that is built.
pub(super) const fn word(name: &'static str, doc: &'static str, shape: Shape) -> Word {
    Word {
        name,
        doc,
        shape,
        availability: Availability::Now,
        required: false,
        needs: None,
    }
}

/// A choice that is built.
pub(super) const fn choice(name: &'static str) -> Choice {
    Choice {
        name,
        availability: Availability::Now,
    }
}

// === impl Word ===

impl Word {
    /// The same word, not built yet.
    pub(super) const fn later(mut self, reason: &'static str) -> Self {
        self.availability = Availability::NotYet(reason);
        self
    }

    /// The same word, which needs a capability.
    pub(super) const fn needs(mut self, capability: &'static str) -> Self {
        self.needs = Some(capability);
        self
    }

    /// The same word, which must be written.
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

// === impl Choice ===

impl Choice {
    /// The same choice, not built yet.
    pub(super) const fn later(mut self, reason: &'static str) -> Self {
        self.availability = Availability::NotYet(reason);
        self
    }
}

// === impl Structure ===

impl Structure {
    /// The word with this name.
    pub fn word(&self, name: &str) -> Option<&'static Word> {
        self.words.iter().find(|word| word.name == name)
    }
}

// === impl NameKind ===

impl NameKind {
    /// What a name of this kind is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Pod => "pod",
            Self::Node => "node",
            Self::Actor => "pod or node",
            Self::From => "pod, node or `pods`",
            Self::Role => "role",
            Self::Caller => "role or user",
            Self::User => "user",
            Self::Bucket => "bucket",
            Self::Namespace => "namespace",
            Self::Step => "step",
            Self::Keys => "saved keys",
            Self::Token => "saved token",
        }
    }
}

// === impl Shape ===

impl Shape {
    /// What is due, for `expected …`.
    pub fn describe(&self) -> String {
        match self {
            Self::Text | Self::CommandLine | Self::PolicyText => "text".to_owned(),
            Self::Scalar | Self::HeaderValue => "text or a number".to_owned(),
            Self::Code => "a code such as `AccessDenied`".to_owned(),
            Self::Flag => "`true`".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Number { min, max } if *max == i64::MAX => format!("a whole number from {min} on"),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration => "a duration such as `250ms`, `5s`, `15m` or `1h`".to_owned(),
            Self::OneOf(choices) => crate::nearest::list(choices.iter().map(|choice| choice.name)),
            Self::Name(NameKind::Role) => "the name of a role, `node`, `master` or an ARN".to_owned(),
            Self::Name(NameKind::From) => "the name of a pod or node, or `pods`".to_owned(),
            Self::Name(NameKind::Keys | NameKind::Token) => "a name that a step saved".to_owned(),
            Self::Name(kind) => format!("the name of a {}", kind.noun()),
            Self::NewName(kind) => format!("a name for the {}", kind.noun().trim_start_matches("saved ")),
            Self::List(item) => format!("a list, each item {}", item.describe()),
            Self::OneOrMore(item) => format!("{}, or a list of such", item.describe()),
            Self::Map {
                key: Key::New(kind), ..
            } => format!("a map by the name of each {}", kind.noun()),
            Self::Map {
                key: Key::Free(what), ..
            } => format!("a map, each key {what}"),
            Self::Struct(structure) => format!("{} as a map", structure.what),
            Self::Either(shapes) => {
                let all: Vec<String> = shapes.iter().map(Self::describe).collect();
                all.join(", or ")
            }
            Self::Value => "a value".to_owned(),
            Self::ManagedPolicy => "the name or ARN of a managed policy".to_owned(),
            Self::Arn => "an ARN".to_owned(),
            Self::File => "a file below fixtures/".to_owned(),
            Self::PolicyVersion => "the version \"2012-10-17\"".to_owned(),
            Self::StatementsText => "policy statements as JSON text".to_owned(),
            Self::TrustText => {
                "`node`, `ec2`, `account`, `none`, `user:NAME`, `role:NAME`, `service_account:NAMESPACE/NAME` or a file \
                 below fixtures/"
                    .to_owned()
            }
            Self::Token => "`fresh`, `none` or a saved token".to_owned(),
            Self::AddressOf => "`of:<pod>`".to_owned(),
            Self::Request => "a request such as `GET /latest/meta-data/`".to_owned(),
            Self::Status => "a status such as `404` or `4xx`".to_owned(),
            Self::Operation => "an operation as `service:Operation`".to_owned(),
            Self::JournalEntry => "what was recorded, as `service:Operation` or `service:*`".to_owned(),
            Self::Parameters => "the parameters of the call as a map".to_owned(),
            Self::Subject => "`proxy`, or `{ proxy: <node> }`".to_owned(),
            Self::Step => "a step as a map".to_owned(),
            Self::Expect => "what must come back".to_owned(),
        }
    }
}
