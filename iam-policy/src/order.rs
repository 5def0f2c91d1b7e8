//! Numbers and times of conditions, and how they are compared.

use std::cmp::Ordering;

use jiff::Timestamp;

/// Which way round two values have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

// === impl Order ===

impl Order {
    /// What an operator's name means behind `Numeric` or `Date`, and whether it is negated.
    pub(crate) fn read(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "Equals" => (Self::Equal, false),
            "NotEquals" => (Self::Equal, true),
            "LessThan" => (Self::Less, false),
            "LessThanEquals" => (Self::LessOrEqual, false),
            "GreaterThan" => (Self::Greater, false),
            "GreaterThanEquals" => (Self::GreaterOrEqual, false),
            _ => return None,
        })
    }

    /// Whether the value of the request is so to that of the policy.
    pub(crate) fn holds<T: PartialOrd>(self, found: &T, wanted: &T) -> bool {
        match found.partial_cmp(wanted) {
            Some(Ordering::Equal) => matches!(self, Self::Equal | Self::LessOrEqual | Self::GreaterOrEqual),
            Some(Ordering::Less) => matches!(self, Self::Less | Self::LessOrEqual),
            Some(Ordering::Greater) => matches!(self, Self::Greater | Self::GreaterOrEqual),
            None => false,
        }
    }
}

/// A whole or decimal number. The error is a fragment that says what is wrong.
pub(crate) fn number(text: &str) -> Result<f64, String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
    text.parse()
        .ok()
        .filter(|number: &f64| plain && number.is_finite())
        .ok_or_else(|| format!("{text:?} is not a whole or decimal number"))
}

/// A time: a month or a date (its first moment in UTC) or a date and time with its zone as ISO 8601 writes them, or the
/// seconds since 1970. Four digits alone could be a year as well and are neither.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = || {
        format!("{text:?} is not a time such as 2030-01-31, 2030-01-31T12:00:00Z or 1895745600 (seconds since 1970)")
    };
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = text.parse().ok().filter(|_| text.len() != 4);
        return seconds
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .ok_or_else(wrong);
    }
    if !text.bytes().all(|b| b.is_ascii_digit() || b"-:.+TZ".contains(&b)) {
        return Err(wrong());
    }
    let whole = if text.contains('T') {
        text.to_owned()
    } else if text.len() == "2030-01".len() {
        format!("{text}-01T00:00:00Z")
    } else {
        format!("{text}T00:00:00Z")
    };
    whole.parse().map_err(|_| wrong())
}
