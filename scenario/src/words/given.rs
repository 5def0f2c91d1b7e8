use super::{
    policy::{DOCUMENT, STATEMENTS, TRUST},
    shape::{Choice, Key, NameKind, Shape, Structure, Word, choice, word},
    vault::VAULT,
};

/// What exists before the first step; `apply` takes the same words.
pub const GIVEN: Structure = Structure {
    what: "what is given",
    words: WORDS,
    rest: None,
};

const WORDS: &[Word] = &[
    word(
        "accounts",
        "further AWS accounts",
        Shape::List(&Shape::NewName(NameKind::Account)),
    ),
    word("cluster", "the cluster", Shape::Struct(&CLUSTER)),
    word("aws", "the AWS account", Shape::Struct(&AWS)),
    word(
        "roles",
        "IAM roles",
        Shape::Map {
            key: Key::New(NameKind::Role),
            value: &Shape::Struct(&ROLE),
        },
    ),
    word(
        "users",
        "IAM users",
        Shape::Map {
            key: Key::New(NameKind::User),
            value: &Shape::Struct(&USER),
        },
    ),
    word(
        "buckets",
        "S3 buckets",
        Shape::Map {
            key: Key::New(NameKind::Bucket),
            value: &Shape::Struct(&BUCKET),
        },
    ),
    word(
        "namespaces",
        "Kubernetes namespaces",
        Shape::Map {
            key: Key::New(NameKind::Namespace),
            value: &Shape::Struct(&NAMESPACE),
        },
    ),
    word(
        "pods",
        "pods",
        Shape::Map {
            key: Key::New(NameKind::Pod),
            value: &Shape::Struct(&POD),
        },
    ),
    word(
        "manifests",
        "files of fixtures/manifests, applied as they are",
        Shape::List(&MANIFEST),
    ),
    word("vault", "Vault, in its own field names", Shape::Struct(&VAULT)).needs("vault"),
];

const CLUSTER: Structure = Structure {
    what: "the cluster",
    words: &[
        word("name", "its name; example.cluster.k8s.local if not given", Shape::Text),
        word(
            "nodes",
            "its nodes; those named master-* are masters",
            Shape::List(&Shape::NewName(NameKind::Node)),
        ),
        word(
            "additionalPolicies",
            "statements added to kops' roles",
            Shape::Struct(&ADDITIONAL),
        ),
        word("base", "whose base policies the roles have", Shape::OneOf(BASES)),
        word("imds", "the instances' metadata service", Shape::Struct(&IMDS)),
    ],
    rest: None,
};

const ADDITIONAL: Structure = Structure {
    what: "additional policies",
    words: &[
        word("node", "statements of the node role", STATEMENTS),
        word("master", "statements of the masters' role", STATEMENTS),
    ],
    rest: None,
};

const BASES: &[Choice] = &[choice("kops")];

const IMDS: Structure = Structure {
    what: "the instances' metadata service",
    words: &[
        word(
            "tokens",
            "whether it wants an IMDSv2 token",
            Shape::OneOf(&[choice("optional"), choice("required")]),
        ),
        word(
            "hop_limit",
            "hops that its answer to a token request may take",
            Shape::Number { min: 1, max: 64 },
        ),
        word("user_data", "the instances' user data", Shape::Text),
    ],
    rest: None,
};

const AWS: Structure = Structure {
    what: "the AWS account",
    words: &[
        word("region", "its region; us-east-1 if not given", Shape::Text),
        word("propagation", "how late changes of IAM are seen", Shape::Duration),
    ],
    rest: None,
};

const ROLE: Structure = Structure {
    what: "a role",
    words: &[
        word("trust", "who may assume it; `node` if not given", TRUST),
        word(
            "policies",
            "managed policies, by name or ARN",
            Shape::List(&Shape::ManagedPolicy),
        ),
        word(
            "inline",
            "inline policies by name",
            Shape::Map {
                key: Key::Free("a policy's name"),
                value: &DOCUMENT,
            },
        ),
        word("boundary", "its permissions boundary", Shape::ManagedPolicy),
        word("max_session", "its longest session", Shape::Duration),
        word("account", "the account it is in", Shape::Name(NameKind::Account)),
    ],
    rest: None,
};

const USER: Structure = Structure {
    what: "a user",
    words: &[
        word(
            "policies",
            "managed policies, by name or ARN",
            Shape::List(&Shape::ManagedPolicy),
        ),
        word(
            "inline",
            "inline policies by name",
            Shape::Map {
                key: Key::Free("a policy's name"),
                value: &DOCUMENT,
            },
        ),
        word(
            "access_key",
            "a name for its access key, for `using`",
            Shape::NewName(NameKind::Keys),
        ),
    ],
    rest: None,
};

const BUCKET: Structure = Structure {
    what: "a bucket",
    words: &[word("policy", "the bucket's policy", DOCUMENT)],
    rest: Some((Key::Free("an object's key"), &Shape::Text)),
};

const NAMESPACE: Structure = Structure {
    what: "a namespace",
    words: &[
        word(
            "allowed_roles",
            "patterns of the roles its pods may have",
            Shape::List(&Shape::Text),
        ),
        word("annotations", "annotations, verbatim", ANNOTATIONS),
    ],
    rest: None,
};

const ANNOTATIONS: Shape = Shape::Map {
    key: Key::Free("an annotation's name"),
    value: &Shape::Text,
};

const POD: Structure = Structure {
    what: "a pod",
    words: &[
        word(
            "namespace",
            "its namespace; default if not given",
            Shape::Name(NameKind::Namespace),
        ),
        word(
            "role",
            "the role it asks for, a name or an ARN",
            Shape::Name(NameKind::Role),
        ),
        word(
            "node",
            "the node it runs on; node-1 if not given",
            Shape::Name(NameKind::Node),
        ),
        word("annotations", "further annotations, verbatim", ANNOTATIONS),
        word("external_id", "the external id its role is assumed with", Shape::Text),
        word("host_network", "whether it shares its node's network", Shape::Bool),
        word("service_account", "its service account", Shape::Text),
        word("vault_role", "the Vault role its keys come from", Shape::Text).needs("vault"),
        word(
            "vault_agent",
            "the Vault role an agent in the pod asks for",
            Shape::Text,
        )
        .needs("vault"),
        word(
            "web_identity",
            "the role its SDKs assume with its service account's token",
            Shape::Name(NameKind::Role),
        )
        .needs("web_identity"),
        word("image", "its image", Shape::Text),
        word("ips", "its addresses", Shape::List(&Shape::Text)).needs("addresses"),
        word("ip", "another pod's address: `of:<pod>`", Shape::AddressOf).needs("addresses"),
        word("phase", "the phase the API shows", Shape::OneOf(PHASES)).needs("addresses"),
        word("hidden", "whether the API does not show it", Shape::Bool).needs("addresses"),
    ],
    rest: None,
};

const PHASES: &[Choice] = &[
    choice("Pending"),
    choice("Running"),
    choice("Succeeded"),
    choice("Failed"),
    choice("Unknown"),
];

const MANIFEST: Shape = Shape::Either(&[
    Shape::File,
    Shape::Struct(&Structure {
        what: "a manifest",
        words: &[
            word("file", "the file below fixtures/manifests", Shape::File).required(),
            word(
                "set",
                "values for the file's {{…}}",
                Shape::Map {
                    key: Key::Free("a name"),
                    value: &Shape::Scalar,
                },
            ),
        ],
        rest: None,
    }),
]);
