//! Durations as the language writes them: `250ms`, `5s`, `15m`, `1h`.

use std::time::Duration;

/// The units, the largest first, with their milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest duration that is read: a hundred years, so that adding one to a time of day never overflows.
const LONGEST: u64 = 100 * 365 * 24 * 3_600_000;

/// Reads a whole number with a unit.
///
/// # Errors
/// A fragment that says what is wrong with it, such as `a duration needs a unit`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("expected a duration such as `250ms`, `5s`, `15m` or `1h`".to_owned());
    }
    if unit.is_empty() {
        return Err(format!(
            "a duration needs a unit: `{number}ms`, `{number}s`, `{number}m` or `{number}h`"
        ));
    }
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(match unit.trim_start().to_lowercase().as_str() {
            "ms" | "msec" | "millis" | "milliseconds" => format!("did you mean `{number}ms`?"),
            "s" | "sec" | "secs" | "second" | "seconds" => format!("did you mean `{number}s`?"),
            "m" | "min" | "mins" | "minute" | "minutes" => format!("did you mean `{number}m`?"),
            "h" | "hr" | "hrs" | "hour" | "hours" => format!("did you mean `{number}h`?"),
            _ => format!("`{unit}` is no unit of time: expected `ms`, `s`, `m` or `h` after a whole number"),
        });
    };
    let milliseconds = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor));
    match milliseconds {
        Some(milliseconds) if milliseconds <= LONGEST => Ok(Duration::from_millis(milliseconds)),
        _ => Err("longer than a hundred years".to_owned()),
    }
}

/// Writes a duration in the largest unit that says it in a whole number; what is below a millisecond is cut off.
pub fn format_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds == 0 {
        return "0s".to_owned();
    }
    let fits = |factor: u64| milliseconds.is_multiple_of(u128::from(factor));
    let (unit, factor) = UNITS.into_iter().find(|(_, factor)| fits(*factor)).unwrap_or(("ms", 1));
    format!("{}{unit}", milliseconds / u128::from(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("250ms", 250)]
    #[case("5s", 5_000)]
    #[case("15m", 900_000)]
    #[case("1h", 3_600_000)]
    #[case("0s", 0)]
    fn a_duration_is_read_and_written_back(#[case] text: &str, #[case] milliseconds: u64) {
        let duration = Duration::from_millis(milliseconds);
        assert_eq!(parse_duration(text), Ok(duration));
        assert_eq!(format_duration(duration), text);
    }

    #[rstest::rstest]
    #[case("15", "needs a unit")]
    #[case("15 m", "did you mean `15m`?")]
    #[case("15min", "did you mean `15m`?")]
    #[case("1.5h", "no unit of time")]
    #[case("soon", "expected a duration")]
    #[case("-1s", "expected a duration")]
    #[case("99999999999999999999h", "hundred years")]
    #[case("", "expected a duration")]
    fn anything_else_is_refused_with_its_reason(#[case] text: &str, #[case] reason: &str) {
        assert!(parse_duration(text).is_err_and(|error| error.contains(reason)));
    }
}
