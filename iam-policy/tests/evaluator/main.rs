//! The evaluator as its callers see it: documents in, decisions out.

mod ask;
mod bounds;
mod combination;
mod conditions;
mod documents;
mod matching;
mod principals;
mod properties;
mod texts;
