use super::{
    given::GIVEN,
    proxy::PROXY,
    shape::{Choice, Shape, Structure, Word, choice, word},
};

/// The top level of a file.
pub const TOP: Structure = Structure {
    what: "a scenario",
    words: WORDS,
    rest: None,
};

const WORDS: &[Word] = &[
    word(
        "name",
        "the sentence that is true if the file passes; unique in the suite",
        Shape::Text,
    )
    .required(),
    word("why", "the claim, defect or document that this pins", Shape::Text),
    word(
        "profile",
        "the conformance profile it belongs to; without one it tests the world",
        Shape::OneOf(PROFILES),
    ),
    word(
        "features",
        "what a subject may or may not claim beyond the profile's core",
        Shape::List(&Shape::Text),
    ),
    word("tags", "words for selection", Shape::List(&Shape::Text)),
    word(
        "needs",
        "further capabilities of world or subject; missing ones make a skip",
        Shape::List(&Shape::Text),
    ),
    word("proxy", "settings of the subject", Shape::Struct(&PROXY)),
    word("given", "what exists before the first step", Shape::Struct(&GIVEN)),
    word("steps", "what happens, in order", Shape::List(&Shape::Step)).required(),
];

const PROFILES: &[Choice] = &[
    choice("pod-role"),
    choice("node-role"),
    choice("namespace"),
    choice("cache"),
    choice("imdsv2"),
    choice("isolation"),
    choice("resilience"),
    choice("vault"),
];
