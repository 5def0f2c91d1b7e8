//! One word against one answer, and the words of a step together.

use rolecall_scenario::{
    Span,
    model::{Expect, Expectation},
};

use super::{Context, Judgement, Observed, call, journal, metadata, text};

/// Judges `observed` by one word.
pub(crate) fn check(word: &Expectation, observed: &Observed, context: &Context) -> Judgement {
    match observed {
        Observed::Metadata(answers) => worst(answers.iter().map(|answer| metadata::check(word, answer, context))),
        Observed::Calls(calls) => worst(calls.iter().map(|seen| call::check(word, seen, context))),
        Observed::Exec(seen) => text::exec(word, seen),
        Observed::Journal(entries) => journal::check(word, entries),
        Observed::Text { what, text } => text::contains(word, text, what),
        Observed::Operator(result) => text::operator(word, result.as_ref().err()),
    }
}

/// Of several answers each is judged, and the worst decides.
fn worst(judgements: impl Iterator<Item = Judgement>) -> Judgement {
    judgements
        .max_by_key(|judgement| judgement.grade)
        .unwrap_or_else(|| Judgement::not_yet("nothing was asked"))
}

/// Judges `observed` by every word of a step; the worst decides. Returns it with the place of its word.
pub(crate) fn check_all(expect: &Expect, observed: &Observed, context: &Context) -> (Judgement, Span) {
    expect
        .all
        .iter()
        .map(|word| (check(&word.value, observed, context), word.span.clone()))
        // max_by_key keeps the last of equals; the first word that failed is the one to show.
        .rev()
        .max_by_key(|(judgement, _)| judgement.grade)
        .unwrap_or_else(|| (Judgement::right(), expect.span.clone()))
}

/// A word that does not fit what was observed. `load` refuses such a step, so it never reaches a user.
pub(super) fn misfit(word: &Expectation) -> Judgement {
    Judgement::wrong(format!("{word:?} cannot be judged here"))
}
