//! Text with `*` and `?`, prepared for comparing.

use crate::literal::Literal;

/// A character of a pattern whose variables have been replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Char(char),
    /// `*`: any characters.
    Any,
    /// `?`: any one character.
    One,
    /// `*` that stays within its ARN segment.
    AnyWithin,
    /// `?` that stays within its ARN segment.
    OneWithin,
}

/// A pattern whose `*` may stand for any text. It is cut at its stars, so that comparing takes time in proportion to the
/// value, and more than that only for pieces with `?` in them (then at most the product of both lengths).
#[derive(Clone, Debug)]
pub(crate) enum Glob {
    /// `*` alone.
    Everything,
    /// No star.
    Whole(Piece),
    /// Stars between these.
    Pieces {
        first: Piece,
        middle: Vec<Piece>,
        last: Piece,
        /// A shorter value, in bytes, cannot match.
        shortest: usize,
    },
}

/// What stands between two stars.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(Literal),
    /// With at least one `?`, which is `None` here.
    Holes(Vec<Option<char>>),
}

// === impl Glob ===

impl Glob {
    /// Prepares a pattern; the stars and question marks that stay within a segment count as free ones here.
    pub(crate) fn of(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut pieces = vec![Vec::new()];
        for token in tokens {
            match token {
                Token::Any | Token::AnyWithin => pieces.push(Vec::new()),
                Token::One | Token::OneWithin => pieces.last_mut().into_iter().for_each(|piece| piece.push(None)),
                Token::Char(c) => pieces.last_mut().into_iter().for_each(|piece| piece.push(Some(c))),
            }
        }
        let mut pieces: Vec<Piece> = pieces.into_iter().map(Piece::of).collect();
        let last = pieces.pop().unwrap_or_else(|| Piece::of(Vec::new()));
        if pieces.is_empty() {
            return Self::Whole(last);
        }
        let first = pieces.remove(0);
        // Several stars in a row are one.
        pieces.retain(|piece| piece.shortest() > 0);
        let shortest = pieces.iter().chain([&first, &last]).map(Piece::shortest).sum();
        if shortest == 0 {
            return Self::Everything;
        }
        Self::Pieces {
            first,
            middle: pieces,
            last,
            shortest,
        }
    }

    /// Whether the whole of the value matches.
    pub(crate) fn matches(&self, value: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Whole(piece) => piece.is(value),
            Self::Pieces {
                first,
                middle,
                last,
                shortest,
            } => {
                if value.len() < *shortest {
                    return false;
                }
                let Some(rest) = first.strip_start(value).and_then(|rest| last.strip_end(rest)) else {
                    return false;
                };
                // The leftmost place of each piece leaves most to the others.
                middle.iter().try_fold(rest, |rest, piece| piece.after(rest)).is_some()
            }
        }
    }
}

// === impl Piece ===

impl Piece {
    fn of(characters: Vec<Option<char>>) -> Self {
        match characters.iter().copied().collect::<Option<String>>() {
            Some(text) => Self::Text(Literal::of(text)),
            None => Self::Holes(characters),
        }
    }

    /// The fewest bytes that match.
    fn shortest(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Holes(characters) => characters.iter().map(|c| c.map_or(1, char::len_utf8)).sum(),
        }
    }

    fn is(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => text.is(value),
            Self::Holes(_) => self.strip_start(value).is_some_and(str::is_empty),
        }
    }

    fn strip_start<'v>(&self, value: &'v str) -> Option<&'v str> {
        match self {
            Self::Text(text) => text.strip_start(value),
            Self::Holes(characters) => {
                let mut rest = value.chars();
                for wanted in characters {
                    let found = rest.next()?;
                    if wanted.is_some_and(|wanted| wanted != found) {
                        return None;
                    }
                }
                Some(rest.as_str())
            }
        }
    }

    fn strip_end<'v>(&self, value: &'v str) -> Option<&'v str> {
        match self {
            Self::Text(text) => text.strip_end(value),
            Self::Holes(characters) => {
                let mut rest = value.chars();
                for wanted in characters.iter().rev() {
                    let found = rest.next_back()?;
                    if wanted.is_some_and(|wanted| wanted != found) {
                        return None;
                    }
                }
                Some(rest.as_str())
            }
        }
    }

    /// What follows the leftmost place where the piece stands.
    fn after<'v>(&self, value: &'v str) -> Option<&'v str> {
        match self {
            Self::Text(text) => text.after(value),
            Self::Holes(_) => value
                .char_indices()
                .find_map(|(at, _)| self.strip_start(value.get(at..)?)),
        }
    }
}
