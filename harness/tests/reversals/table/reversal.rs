//! A fact that is reversed, and what must come of it.

use std::{fs, path::Path};

/// The reversals of one scenario, by its id.
pub(crate) struct Of(pub(crate) &'static str, pub(crate) &'static [Reversal]);

/// What holds unless which fact is reversed, the fact, the step that must fail then (the first is 1), and words of the
/// failure's text.
pub(crate) struct Reversal(
    pub(crate) &'static str,
    pub(crate) Fact,
    pub(crate) u64,
    pub(crate) &'static str,
);

/// A fact that is reversed: words of the file that become others, or a flag of the run.
#[derive(Clone, Copy)]
pub(crate) enum Fact {
    /// Each pair's first stands once in the file and becomes the second.
    Words(&'static [(&'static str, &'static str)]),
    /// The front allows what policies deny.
    Enforcement,
}

// === impl Fact ===

impl Fact {
    /// The scenario's text with the fact reversed.
    ///
    /// # Errors
    /// There is no such scenario, or a word does not stand once in it.
    pub(crate) fn text(self, suite: &Path, scenario: &str) -> Result<String, String> {
        let path = suite.join("scenarios").join(scenario).with_extension("yaml");
        let shown = path.display();
        let mut text = fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
        let Self::Words(words) = self else { return Ok(text) };
        for (from, to) in words {
            if text.matches(from).count() != 1 {
                return Err(format!("`{from}` must stand once in {shown}"));
            }
            text = text.replace(from, to);
        }
        Ok(text)
    }
}
