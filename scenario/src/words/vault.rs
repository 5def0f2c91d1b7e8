use super::shape::{Key, NameKind, Shape, Structure, word};

/// Vault, in its own field names.
pub(super) const VAULT: Structure = Structure {
    what: "Vault",
    words: &[
        word(
            "policies",
            "policies by name",
            Shape::Map {
                key: Key::Free("a policy's name"),
                value: &Shape::File,
            },
        ),
        word(
            "kubernetes",
            "the Kubernetes auth method",
            Shape::Struct(&VAULT_KUBERNETES),
        ),
        word("aws", "the AWS secrets engine", Shape::Struct(&VAULT_AWS)),
    ],
    rest: None,
};

const VAULT_ROLES: Shape = Shape::Map {
    key: Key::Free("a Vault role's name"),
    value: &Shape::Map {
        key: Key::Free("a field of Vault's"),
        value: &Shape::Value,
    },
};

const VAULT_KUBERNETES: Structure = Structure {
    what: "the Kubernetes auth method",
    words: &[word("roles", "auth roles", VAULT_ROLES)],
    rest: None,
};

const VAULT_AWS: Structure = Structure {
    what: "the AWS secrets engine",
    words: &[
        word("root", "the user whose keys it works with", Shape::Name(NameKind::User)),
        word("lease", "how long its leases last", Shape::Struct(&VAULT_LEASE)),
        word("roles", "its roles", VAULT_ROLES),
    ],
    rest: None,
};

const VAULT_LEASE: Structure = Structure {
    what: "a lease",
    words: &[
        word("lease", "its duration", Shape::Duration),
        word("lease_max", "its longest duration", Shape::Duration),
    ],
    rest: None,
};
