//! The name that was probably meant.

/// The candidate nearest to what was written, if it is near enough to be a slip: another case, `-` for `_`, or about one
/// wrong letter in three.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect::<String>().to_lowercase();
    let wanted = plain(written);
    let limit = (wanted.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < plain(candidate).chars().count())
        .min_by(|a, b| a.cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
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
    #[case("grace", None)]
    #[case("x", None)]
    fn a_slip_finds_the_word_meant_and_another_word_finds_none(#[case] written: &str, #[case] meant: Option<&str>) {
        assert_eq!(nearest(written, ["role", "same_key_as", "node"]), meant);
    }
}
