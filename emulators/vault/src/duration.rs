//! Durations as Vault reads and writes them: whole seconds, Go's own form, and its short one.

use jiff::SignedDuration;
use serde_json::Value;

/// The most a Go duration holds, in seconds.
const LONGEST: f64 = 9_223_372_036.0;

/// A duration from a JSON number (seconds) or a text such as `60`, `15m`, `1h30m` or `2d`; none if it is neither.
pub(crate) fn parse(value: &Value) -> Option<SignedDuration> {
    match value {
        Value::Number(number) => seconds(number.as_f64()?),
        Value::String(text) => parse_text(text.trim()),
        _ => None,
    }
}

/// See [`parse`].
pub(crate) fn parse_text(text: &str) -> Option<SignedDuration> {
    if text.is_empty() {
        return Some(SignedDuration::ZERO);
    }
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    if rest.bytes().all(|b| b.is_ascii_digit()) {
        return seconds(sign * rest.parse::<f64>().ok()?);
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        sum += number
            * match &rest[..units] {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = &rest[units..];
    }
    seconds(sign * sum)
}

fn seconds(seconds: f64) -> Option<SignedDuration> {
    (seconds.abs() <= LONGEST)
        .then(|| SignedDuration::try_from_secs_f64(seconds).ok())
        .flatten()
}

/// Go's form of whole seconds: `2m0s`, `768h0m0s`.
pub(crate) fn go(duration: SignedDuration) -> String {
    let all = duration.as_secs();
    let (sign, all) = (if all < 0 { "-" } else { "" }, all.unsigned_abs());
    let (h, m, s) = (all / 3600, all / 60 % 60, all % 60);
    match (h, m) {
        (0, 0) => format!("{sign}{s}s"),
        (0, _) => format!("{sign}{m}m{s}s"),
        _ => format!("{sign}{h}h{m}m{s}s"),
    }
}

/// As [`go`], without zeros at the end: `5m`, `768h`.
pub(crate) fn short(duration: SignedDuration) -> String {
    let long = go(duration);
    let long = long.strip_suffix("m0s").map_or(long.clone(), |rest| format!("{rest}m"));
    match long.strip_suffix("h0m") {
        Some(rest) => format!("{rest}h"),
        None => long,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("60", Some(60))]
    #[case("15m", Some(900))]
    #[case("1h30m", Some(5400))]
    #[case("1.5h", Some(5400))]
    #[case("2d", Some(172_800))]
    #[case("", Some(0))]
    #[case("-5s", Some(-5))]
    #[case("5 minutes", None)]
    #[case("m", None)]
    #[case("99999999999h", None)]
    fn texts_are_read_as_vault_reads_them(#[case] text: &str, #[case] seconds: Option<i64>) {
        assert_eq!(parse_text(text).map(|d| d.as_secs()), seconds);
    }

    #[rstest]
    #[case(0, "0s", "0s")]
    #[case(59, "59s", "59s")]
    #[case(120, "2m0s", "2m")]
    #[case(3600, "1h0m0s", "1h")]
    #[case(5400, "1h30m0s", "1h30m")]
    #[case(2_764_800, "768h0m0s", "768h")]
    fn both_forms_are_gos(#[case] seconds: i64, #[case] long: &str, #[case] brief: &str) {
        let duration = SignedDuration::from_secs(seconds);
        assert_eq!((go(duration), short(duration)), (long.to_owned(), brief.to_owned()));
    }
}
