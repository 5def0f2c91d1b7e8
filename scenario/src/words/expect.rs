use super::shape::{Key, NameKind, Shape, Structure, Word, word};

const COUNT: Shape = Shape::Number { min: 0, max: i64::MAX };
const TEXTS: Shape = Shape::OneOrMore(&Shape::Text);

const ROLE: Word = word(
    "role",
    "the keys are that role's, by GetCallerIdentity",
    Shape::Name(NameKind::Role),
);
const REFUSED: Word = word("refused", "no access key of anybody came back", Shape::Flag);
const SAME_KEY_AS: Word = word(
    "same_key_as",
    "the access key id that was saved",
    Shape::Name(NameKind::Keys),
);
const NEW_KEY_SINCE: Word = word(
    "new_key_since",
    "another access key id than was saved",
    Shape::Name(NameKind::Keys),
);
const VALID_FOR: Word = word("valid_for", "how long the keys are good for", Shape::Struct(&BOUNDS));
const WELL_FORMED: Word = word("well_formed", "the seven keys in AWS's spelling", Shape::Flag);
const ANSWERED_IN: Word = word("answered_in", "answered in this time, best of three", Shape::Duration);
const STATUS: Word = word("status", "the answer's status", Shape::OneOrMore(&Shape::Status));
const BODY: Word = word("body", "every byte of the body", Shape::Text);
const CONTAINS: Word = word("contains", "what is in it", TEXTS);
const NOT_CONTAINS: Word = word("not_contains", "what is not in it", TEXTS);

/// What `credentials` can be expected to give.
pub(super) const OF_CREDENTIALS: &[Word] = &[
    ROLE,
    REFUSED,
    SAME_KEY_AS,
    NEW_KEY_SINCE,
    VALID_FOR,
    WELL_FORMED,
    ANSWERED_IN,
    STATUS,
];

/// What a raw metadata request can be expected to give.
pub(super) const OF_IMDS: &[Word] = &[
    ROLE,
    REFUSED,
    SAME_KEY_AS,
    NEW_KEY_SINCE,
    VALID_FOR,
    WELL_FORMED,
    ANSWERED_IN,
    STATUS,
    BODY,
    CONTAINS,
    NOT_CONTAINS,
    word(
        "json",
        "members of the JSON body",
        Shape::Map {
            key: Key::Free("a member"),
            value: &Shape::Value,
        },
    ),
    word(
        "headers",
        "headers of the answer",
        Shape::Map {
            key: Key::Free("a header"),
            value: &Shape::Scalar,
        },
    ),
    word(
        "no_node_credentials",
        "no key, secret or token of the node is in it",
        Shape::Flag,
    ),
];

/// What an AWS call can be expected to give.
pub(super) const OF_CALL: &[Word] = &[
    word("allowed", "the call was allowed", Shape::Flag),
    word("denied", "policy refused it, with this code", Shape::Code),
    word("error", "it failed with this code", Shape::Code),
    word("no_credentials", "the caller had no credentials", Shape::Flag),
    BODY,
    word("lists", "exactly these names, in any order", Shape::List(&Shape::Text)),
    word(
        "caller",
        "whose key signed, by the front's record",
        Shape::Name(NameKind::Caller),
    ),
];

/// What a program can be expected to do.
pub(super) const OF_EXEC: &[Word] = &[
    word("exit", "its exit status", Shape::Number { min: 0, max: 255 }),
    word("stdout_contains", "what is in its output", TEXTS),
    word("stderr_contains", "what is in its error output", TEXTS),
];

/// What a journal can be expected to hold.
pub(super) const OF_JOURNAL: &[Word] = &[
    word("count", "exactly so many entries", COUNT),
    word("at_least", "so many entries or more", COUNT),
    word("at_most", "so many entries or fewer", COUNT),
    word("never", "no entry at all", Shape::Flag),
];

/// What the subject's log or metrics can be expected to say.
pub(super) const OF_LOG: &[Word] = &[CONTAINS, NOT_CONTAINS];

/// What can be expected of an operator's change.
pub(super) const OF_CHANGE: &[Word] = &[
    word("applied", "the change was taken, as is the default", Shape::Flag),
    word(
        "rejected",
        "the API server refuses it, and its message names this",
        Shape::Text,
    ),
];

const BOUNDS: Structure = Structure {
    what: "bounds of a duration",
    words: &[
        word("at_least", "so long or longer", Shape::Duration),
        word("at_most", "so long or shorter", Shape::Duration),
    ],
    rest: None,
};
