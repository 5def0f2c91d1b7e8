use super::shape::{Choice, Shape, Structure, Word, choice, word};

/// The services that can have a fault.
pub(super) const FAULTY: &[Choice] = &[choice("sts"), choice("kubernetes"), choice("vault"), choice("imds")];

/// Faults by the service that has them.
pub(super) const FAULTS: Structure = Structure {
    what: "faults",
    words: &[
        word("sts", "a fault of STS", Shape::Struct(&OF_STS)),
        word("kubernetes", "a fault of the API server", Shape::Struct(&OF_KUBERNETES)),
        word("vault", "a fault of Vault", Shape::Struct(&OF_VAULT)).needs("vault"),
        word(
            "imds",
            "a fault of the instances' metadata service",
            Shape::Struct(&OF_IMDS),
        ),
    ],
    rest: None,
};

const ERROR: Word = word("error", "the code it answers with", Shape::Code);
const STATUS: Word = word(
    "error",
    "the status it answers with, such as 503",
    Shape::Number { min: 400, max: 599 },
);
const DOWN: Word = word("down", "whether it answers nobody", Shape::Bool);
const DELAY: Word = word("delay", "how late it answers", Shape::Duration);
const DROP_WATCH: Word = word("drop_watch", "whether watches break off", Shape::Bool);
const GONE: Word = word(
    "gone",
    "whether watches are told that their version is gone",
    Shape::Bool,
);
const SEALED: Word = word("sealed", "whether it is sealed", Shape::Bool);
const TIMES: Word = word("times", "how often", Shape::Number { min: 1, max: 1_000_000 });

const OF_STS: Structure = Structure {
    what: "a fault of STS",
    words: &[ERROR, DOWN, DELAY, TIMES],
    rest: None,
};

const OF_KUBERNETES: Structure = Structure {
    what: "a fault of the API server",
    words: &[STATUS, DOWN, DELAY, DROP_WATCH, GONE, TIMES],
    rest: None,
};

const OF_VAULT: Structure = Structure {
    what: "a fault of Vault",
    words: &[STATUS, DOWN, DELAY, SEALED, TIMES],
    rest: None,
};

const OF_IMDS: Structure = Structure {
    what: "a fault of the instances' metadata service",
    words: &[STATUS, DOWN, DELAY, TIMES],
    rest: None,
};
