use super::shape::{Choice, Key, Shape, Structure, Word, choice, word};

/// A policy document, written in place or in a file.
pub(super) const DOCUMENT: Shape = Shape::Either(&[Shape::File, Shape::Struct(&POLICY)]);

/// Statements of kops' `additionalPolicies`.
pub(super) const STATEMENTS: Shape = Shape::Either(&[Shape::StatementsText, Shape::List(&ONE_STATEMENT)]);

/// Who may assume a role.
pub(super) const TRUST: Shape = Shape::Either(&[Shape::TrustText, Shape::Struct(&BY_NODE), Shape::Struct(&POLICY)]);

const POLICY: Structure = Structure {
    what: "a policy document",
    words: &[
        word("Version", "the version of the policy language", Shape::PolicyVersion),
        word("Id", "an identifier", Shape::Text),
        word("Statement", "the statements", Shape::OneOrMore(&ONE_STATEMENT)).required(),
    ],
    rest: None,
};

const ONE_STATEMENT: Shape = Shape::Struct(&STATEMENT);

const STATEMENT: Structure = Structure {
    what: "a policy statement",
    words: WORDS,
    rest: None,
};

const WORDS: &[Word] = &[
    word("Sid", "an identifier", Shape::Text),
    word("Effect", "what the statement does", Shape::OneOf(EFFECTS)).required(),
    word(
        "Action",
        "the actions it is about",
        Shape::OneOrMore(&Shape::PolicyText),
    ),
    word(
        "NotAction",
        "the actions it is not about",
        Shape::OneOrMore(&Shape::PolicyText),
    ),
    word(
        "Resource",
        "the resources it is about",
        Shape::OneOrMore(&Shape::PolicyText),
    ),
    word(
        "NotResource",
        "the resources it is not about",
        Shape::OneOrMore(&Shape::PolicyText),
    ),
    word(
        "Principal",
        "who it is about",
        Shape::Either(&[Shape::PolicyText, PRINCIPALS]),
    ),
    word(
        "NotPrincipal",
        "who it is not about",
        Shape::Either(&[Shape::PolicyText, PRINCIPALS]),
    ),
    word("Condition", "when it applies", CONDITIONS),
];

const EFFECTS: &[Choice] = &[choice("Allow"), choice("Deny")];

const PRINCIPALS: Shape = Shape::Map {
    key: Key::Free("a kind of principal"),
    value: &Shape::OneOrMore(&Shape::PolicyText),
};

const CONDITIONS: Shape = Shape::Map {
    key: Key::Free("a condition operator"),
    value: &Shape::Map {
        key: Key::Free("a condition key"),
        value: &Shape::OneOrMore(&Shape::Scalar),
    },
};

const BY_NODE: Structure = Structure {
    what: "a trust",
    words: &[word(
        "node",
        "the chapter's trust policy: EC2 and the node role",
        Shape::Struct(&EXTERNAL_ID),
    )
    .required()],
    rest: None,
};

const EXTERNAL_ID: Structure = Structure {
    what: "a condition on the node's trust",
    words: &[word("external_id", "the external id that must be named", Shape::Text)],
    rest: None,
};
