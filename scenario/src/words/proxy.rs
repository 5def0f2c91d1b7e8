use super::shape::{Choice, NameKind, Shape, Structure, Word, choice, word};

/// Settings of the subject: a closed list, of which its adapter makes flags.
pub const PROXY: Structure = Structure {
    what: "the proxy's settings",
    words: WORDS,
    rest: None,
};

const WORDS: &[Word] = &[
    word(
        "default_role",
        "the role of a pod that names none",
        Shape::Name(NameKind::Role),
    ),
    word("base_role_arn", "what a role's name is appended to", Shape::Arn),
    word(
        "namespace_restrictions",
        "whether a namespace must allow a role",
        Shape::Bool,
    ),
    word(
        "namespace_format",
        "how a namespace's patterns are read",
        Shape::OneOf(FORMATS),
    ),
    word("cache_ttl", "how long credentials are cached", Shape::Duration),
    word(
        "passthrough",
        "metadata paths that are passed on",
        Shape::List(&Shape::Text),
    ),
    word(
        "require_token",
        "whether a request must carry an IMDSv2 token",
        Shape::Bool,
    ),
    word(
        "intercept",
        "how pods' metadata requests reach the proxy",
        Shape::OneOf(INTERCEPTS),
    ),
    word(
        "vault",
        "whether pods may get their keys from Vault",
        Shape::Either(&[Shape::Bool, Shape::Struct(&VAULT)]),
    )
    .needs("vault"),
    word("listen", "the address the proxy listens on", Shape::Text).later("another listening address is not built yet"),
];

const FORMATS: &[Choice] = &[choice("glob"), choice("regexp")];

const INTERCEPTS: &[Choice] = &[
    choice("nftables"),
    choice("iptables").later("interception by iptables is not built yet"),
    choice("none"),
];

const VAULT: Structure = Structure {
    what: "the proxy's Vault settings",
    words: &[word("auth_role", "the auth role the subject logs in with", Shape::Text)],
    rest: None,
};
