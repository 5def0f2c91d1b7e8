//! No secret reaches a report.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::check::{Keys, shorten};

/// Every secret that this process has handled. It is one for the process, because a secret must stay one wherever a text
/// goes: into the report of another step, another scenario's log or another file.
static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Shorter texts are no secrets: hiding them would make reports unreadable.
const SHORTEST: usize = 16;

/// Remembers a secret, so that no report shows it.
pub(crate) fn learn(secret: &str) {
    if secret.len() >= SHORTEST {
        KNOWN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(secret.to_owned());
    }
}

/// Remembers the secret parts of keys. The key's id is none; reports show it shortened.
pub(crate) fn learn_keys(keys: &Keys) {
    learn(&keys.secret_access_key);
    if let Some(token) = &keys.session_token {
        learn(token);
    }
}

/// Hides every secret that is known, and what looks like an access key, a secret access key or a session token.
///
/// * An access key id (`AKIA…`, `ASIA…`, 20 letters and digits) keeps its kind and its last two characters.
/// * A run of 40 or more characters of base64 with letters of both cases and a digit is a secret or a token, and is
///   replaced whole. ARNs, paths and request ids have `:`, `-` or no capital letters in between.
pub(crate) fn mask(text: &str) -> String {
    let mut text = text.to_owned();
    for secret in KNOWN.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if text.contains(secret.as_str()) {
            text = text.replace(secret.as_str(), "[secret]");
        }
    }
    mask_by_form(&text)
}

fn mask_by_form(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=' | '_') {
            word.push(character);
        } else {
            masked.push_str(&mask_word(&word));
            word.clear();
            masked.push(character);
        }
    }
    masked.push_str(&mask_word(&word));
    masked
}

fn mask_word(word: &str) -> String {
    let is_key_id = word.len() == 20
        && ["AKIA", "ASIA", "LKIA", "LSIA"]
            .iter()
            .any(|kind| word.starts_with(kind))
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if is_key_id {
        return shorten(word);
    }
    let has = |test: fn(&char) -> bool| word.chars().any(|c| test(&c));
    let is_secret = word.len() >= 40
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
        // A path has short parts; base64 has a slash now and then, by chance.
        && word.split('/').any(|part| part.len() >= 16);
    if is_secret {
        "[secret]".to_owned()
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{learn, mask};

    #[rstest]
    #[case::a_key_id_keeps_its_ends("ASIAQWERTYUIOPASDF7Q", "ASIA…7Q")]
    #[case::a_secret_is_hidden(
        r#""SecretAccessKey":"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12""#,
        r#""SecretAccessKey":"[secret]""#
    )]
    #[case::an_arn_is_not_a_secret(
        "arn:aws:sts::123456789012:assumed-role/MyPodRole/0a2f-MyPodRole",
        "arn:aws:sts::123456789012:assumed-role/MyPodRole/0a2f-MyPodRole"
    )]
    #[case::a_metadata_path_is_not_a_secret(
        "GET /latest/meta-data/iam/security-credentials/MyPodRole2",
        "GET /latest/meta-data/iam/security-credentials/MyPodRole2"
    )]
    fn hides_what_gives_access(#[case] text: &str, #[case] masked: &str) {
        assert_eq!(mask(text), masked);
    }

    #[test]
    fn a_secret_that_is_known_is_hidden_whatever_it_looks_like() {
        learn("short/parts/only/and-dashes");
        assert_eq!(mask("secret short/parts/only/and-dashes."), "secret [secret].");
    }
}
