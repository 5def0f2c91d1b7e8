//! The plain text between the wildcards of a pattern.

/// A text that values are compared with, its end at hand: most values differ from most patterns of a policy there, and are
/// told apart without a look at the text itself, which lies elsewhere in memory.
#[derive(Clone, Debug)]
pub(crate) struct Literal {
    text: Box<str>,
    end: u64,
}

/// Bytes of the end that is at hand.
const END: usize = 8;

/// The last bytes, or all if they are fewer. Two texts of one length that differ here differ.
fn end_of(bytes: &[u8]) -> u64 {
    match bytes.last_chunk::<END>() {
        Some(last) => u64::from_le_bytes(*last),
        None => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

// === impl Literal ===

impl Literal {
    pub(crate) fn of(text: String) -> Self {
        Self {
            end: end_of(text.as_bytes()),
            text: text.into(),
        }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn is(&self, value: &str) -> bool {
        value.len() == self.len() && self.same(value)
    }

    pub(crate) fn strip_start<'v>(&self, value: &'v str) -> Option<&'v str> {
        let (start, rest) = value.split_at_checked(self.len())?;
        self.same(start).then_some(rest)
    }

    pub(crate) fn strip_end<'v>(&self, value: &'v str) -> Option<&'v str> {
        let (rest, end) = value.split_at_checked(value.len().checked_sub(self.len())?)?;
        self.same(end).then_some(rest)
    }

    /// What follows the leftmost place where it stands.
    pub(crate) fn after<'v>(&self, value: &'v str) -> Option<&'v str> {
        value.split_once(&*self.text).map(|(_, rest)| rest)
    }

    /// Whether a value of its own length is it.
    fn same(&self, value: &str) -> bool {
        end_of(value.as_bytes()) == self.end && (self.len() <= END || *self.text == *value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_compared_as_the_text_that_it_is(text in "[aé:]{0,12}", value in "[aé:]{0,24}") {
            let literal = Literal::of(text.clone());
            for value in [value.clone(), format!("{text}{value}"), format!("{value}{text}"), text.clone()] {
                let value = value.as_str();
                prop_assert_eq!(literal.is(value), text == value);
                prop_assert_eq!(literal.strip_start(value), value.strip_prefix(text.as_str()));
                prop_assert_eq!(literal.strip_end(value), value.strip_suffix(text.as_str()));
                prop_assert_eq!(literal.after(value), value.split_once(text.as_str()).map(|(_, rest)| rest));
            }
        }
    }
}
