//! Names of IAM users and of sessions.

use jiff::Timestamp;

use crate::mint;

/// `vault-<display name>-<role>-<unix time>-<random>`, the middle cut at 42 characters and the whole at 64.
pub(super) fn of_user(display_name: &str, role: &str, now: Timestamp) -> String {
    let middle = cut(&format!("{}-{}", clean(display_name), clean(role)), 42);
    cut(&format!("vault-{middle}-{}-{}", now.as_second(), mint::base62(20)), 64)
}

/// `vault-<unix time>-<random>`, cut at 32 characters.
pub(super) fn of_federation(now: Timestamp) -> String {
    cut(&format!("vault-{}-{}", now.as_second(), mint::base62(20)), 32)
}

/// What IAM takes in a name; all else becomes `_`.
pub(super) fn clean(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    name.chars().map(|c| if kept(c) { c } else { '_' }).collect()
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_iam_whatever_they_are_made_of() {
        let now = Timestamp::from_second(1_795_522_612).expect("a time");
        let short = of_user("kubernetes-jobs-reader", "readonly", now);
        assert!(
            short.starts_with("vault-kubernetes-jobs-reader-readonly-1795522612-"),
            "{short}"
        );
        assert_eq!(short.len(), 64);
        let long = of_user(&"ö".repeat(100), "role with blanks", now);
        assert!(long.len() <= 64 && long == clean(&long), "{long}");
        assert_eq!(of_federation(now).len(), 32);
    }
}
