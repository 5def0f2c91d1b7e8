use super::shape::{Choice, Shape, Structure, Word, choice, word};

const NO_KUBERNETES_FAULTS: &str = "faults of the API server are not built yet";
const NO_VAULT_FAULTS: &str = "faults of Vault are not built yet";
const NO_IMDS_FAULTS: &str = "faults of the instances' metadata service are not built yet";
const NO_STS_FAULTS: &str = "faults of STS other than `delay` are not built yet";

/// The services that can have a fault.
pub(super) const FAULTY: &[Choice] = &[
    choice("sts"),
    choice("kubernetes").later(NO_KUBERNETES_FAULTS),
    choice("vault").later(NO_VAULT_FAULTS),
    choice("imds").later(NO_IMDS_FAULTS),
];

/// Faults by the service that has them.
pub(super) const FAULTS: Structure = Structure {
    what: "faults",
    words: &[
        word("sts", "a fault of STS", Shape::Struct(&FAULT_OF_STS)),
        word("kubernetes", "a fault of the API server", Shape::Struct(&FAULT)).later(NO_KUBERNETES_FAULTS),
        word("vault", "a fault of Vault", Shape::Struct(&FAULT)).later(NO_VAULT_FAULTS),
        word(
            "imds",
            "a fault of the instances' metadata service",
            Shape::Struct(&FAULT),
        )
        .later(NO_IMDS_FAULTS),
    ],
    rest: None,
};

const FAULT: Structure = Structure {
    what: "a fault",
    words: FAULT_WORDS,
    rest: None,
};

const FAULT_WORDS: &[Word] = &[
    word("error", "the code it answers with", Shape::Code),
    word("down", "whether it cannot be reached", Shape::Bool),
    word("delay", "how late it answers", Shape::Duration),
    word("drop_watch", "whether watches break off", Shape::Bool),
    word(
        "gone",
        "whether watches are told that their version is gone",
        Shape::Bool,
    ),
    word("sealed", "whether it is sealed", Shape::Bool),
    word("times", "how often", Shape::Number { min: 1, max: i64::MAX }),
];

/// The index of `delay` in [`FAULT_WORDS`].
const DELAY: usize = 2;

const FAULT_OF_STS: Structure = Structure {
    what: "a fault of STS",
    words: &{
        let mut words = [FAULT_WORDS[DELAY]; FAULT_WORDS.len()];
        let mut at = 0;
        while at < FAULT_WORDS.len() {
            if at != DELAY {
                words[at] = FAULT_WORDS[at].later(NO_STS_FAULTS);
            }
            at += 1;
        }
        words
    },
    rest: None,
};
