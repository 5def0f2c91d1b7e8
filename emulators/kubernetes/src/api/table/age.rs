use jiff::Timestamp;
use serde_json::Value;

use crate::store::object::text;

/// How old an object is, as kubectl says it.
pub(super) fn of(object: &Value, now: Timestamp) -> String {
    match text(object, "/metadata/creationTimestamp").parse::<Timestamp>() {
        Ok(made) => human(now.as_second().saturating_sub(made.as_second())),
        Err(_) => "<unknown>".to_owned(),
    }
}

/// Seconds as `duration.HumanDuration` writes them: two units at most, the second only while the first is small.
fn human(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, part: &str| match small {
        0 => format!("{large}{unit}"),
        small => format!("{large}{unit}{small}{part}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(-5, "<invalid>")]
    #[case(-1, "0s")]
    #[case(0, "0s")]
    #[case(119, "119s")]
    #[case(120, "2m")]
    #[case(121, "2m1s")]
    #[case(600, "10m")]
    #[case(10_799, "179m")]
    #[case(11_100, "3h5m")]
    #[case(40_000, "11h")]
    #[case(176_400, "2d1h")]
    #[case(864_000, "10d")]
    #[case(63_158_400, "2y1d")]
    #[case(300_000_000, "9y")]
    fn an_age_has_at_most_two_units(#[case] seconds: i64, #[case] expected: &str) {
        assert_eq!(human(seconds), expected);
    }
}
