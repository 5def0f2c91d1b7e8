//! Resource patterns whose wildcards stay within a segment of the ARN.

use crate::glob::Token;

/// A pattern of which some wildcards must not stand for a colon. All places that it may have reached in the value are
/// followed at once, 64 in a word, so that no pattern takes more than its length times the value's.
#[derive(Clone, Debug)]
pub(crate) struct Segments {
    tokens: Vec<Token>,
    /// The tokens that are stars of either kind.
    stars: Vec<u64>,
}

/// How one character of the value is met by the tokens.
struct Row {
    character: char,
    /// The tokens that it is one character of.
    takes: Vec<u64>,
    /// The stars that may stand for it.
    stays: Vec<u64>,
}

// === impl Segments ===

impl Segments {
    /// Says which wildcards of a `Resource` stay within their segment: those before the fifth colon, except a `*` that
    /// ends its segment. `None` if there are none. Source: "IAM JSON policy elements: Resource", wildcards in ARNs.
    pub(crate) fn of(tokens: &[Token]) -> Option<Self> {
        let mut bound: Vec<Token> = Vec::with_capacity(tokens.len());
        let mut segment = 0;
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1);
            bound.push(match token {
                // Of several stars in a row the last one decides.
                Token::Any if next == Some(&Token::Any) => continue,
                Token::Any if segment < 5 && !matches!(next, None | Some(Token::Char(':'))) => Token::AnyWithin,
                Token::One if segment < 5 => Token::OneWithin,
                Token::Char(':') => {
                    segment += 1;
                    Token::Char(':')
                }
                other => *other,
            });
        }
        if !bound
            .iter()
            .any(|token| matches!(token, Token::AnyWithin | Token::OneWithin))
        {
            return None;
        }
        let stars = bits(&bound, |token| matches!(token, Token::Any | Token::AnyWithin));
        Some(Self { tokens: bound, stars })
    }

    /// Whether the whole of the value matches.
    pub(crate) fn matches(&self, value: &str) -> bool {
        let plain = self
            .tokens
            .iter()
            .filter(|token| !matches!(token, Token::Any | Token::AnyWithin));
        if plain.count() > value.len() {
            return false;
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut reached = vec![0u64; self.stars.len()];
        set(&mut reached, 0);
        self.pass_stars(&mut reached);
        for c in value.chars() {
            let known = rows.iter().position(|row| row.character == c);
            let at = known.unwrap_or_else(|| {
                rows.push(self.row(c));
                rows.len() - 1
            });
            let Some(row) = rows.get(at) else { return false };
            let mut carry = 0;
            let mut any = 0;
            for ((word, takes), stays) in reached.iter_mut().zip(&row.takes).zip(&row.stays) {
                let taken = *word & takes;
                *word = (taken << 1) | carry | (*word & stays);
                carry = taken >> 63;
                any |= *word;
            }
            if any == 0 {
                return false;
            }
            self.pass_stars(&mut reached);
        }
        let end = self.tokens.len();
        reached.get(end / 64).is_some_and(|word| word >> (end % 64) & 1 == 1)
    }

    /// A star may stand for nothing; no two of them stand side by side.
    fn pass_stars(&self, reached: &mut [u64]) {
        let mut carry = 0;
        for (word, stars) in reached.iter_mut().zip(&self.stars) {
            let passed = *word & stars;
            *word |= (passed << 1) | carry;
            carry = passed >> 63;
        }
    }

    fn row(&self, character: char) -> Row {
        let within = character != ':';
        Row {
            character,
            takes: bits(&self.tokens, |token| match token {
                Token::Char(wanted) => *wanted == character,
                Token::One => true,
                Token::OneWithin => within,
                Token::Any | Token::AnyWithin => false,
            }),
            stays: bits(&self.tokens, |token| match token {
                Token::Any => true,
                Token::AnyWithin => within,
                _ => false,
            }),
        }
    }
}

/// The places of these tokens, with room for the end behind the last one.
fn bits(tokens: &[Token], of: impl Fn(&Token) -> bool) -> Vec<u64> {
    let mut words = vec![0; tokens.len() / 64 + 1];
    for (at, token) in tokens.iter().enumerate() {
        if of(token) {
            set(&mut words, at);
        }
    }
    words
}

fn set(words: &mut [u64], at: usize) {
    if let Some(word) = words.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}
