//! The name that was probably meant.

/// The candidate nearest to what was written, if it is near enough to be a slip: another case, `-` for `_`, a name cut
/// short, or about one wrong letter in three.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| {
        word.chars()
            .filter(|c| !matches!(c, '_' | '-' | ' '))
            .collect::<String>()
            .to_lowercase()
    };
    let wanted = plain(written);
    let limit = (wanted.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let whole = plain(candidate);
            // A name that stops short is a slip too, however much is missing.
            if wanted.len() >= 4 && whole.starts_with(&wanted) {
                return Some((limit.min(whole.len() - wanted.len()), candidate));
            }
            let near = wanted.len().abs_diff(whole.len()) <= 4 * limit;
            near.then(|| (strsim::damerau_levenshtein(&wanted, &whole), candidate))
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < plain(candidate).chars().count())
        .min_by(|a, b| a.cmp(b))
        .map(|(_, candidate)| candidate)
}

/// The most names that a message lists.
const LISTED: usize = 40;

/// `` `a`, `b` or `c` ``; of many, the first.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    if quoted.len() > LISTED {
        let more = quoted.len() - LISTED;
        quoted.truncate(LISTED);
        quoted.push(format!("{more} more"));
    }
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("rol", Some("role"))]
    #[case("sameKeyAs", Some("same_key_as"))]
    #[case("Role", Some("role"))]
    #[case("same_key", Some("same_key_as"))]
    #[case("grace", None)]
    #[case("x", None)]
    fn a_slip_finds_the_word_meant_and_another_word_finds_none(#[case] written: &str, #[case] meant: Option<&str>) {
        assert_eq!(nearest(written, ["role", "same_key_as", "node"]), meant);
    }
}
