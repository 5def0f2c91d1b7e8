//! `ID:SECRET`, from where it does not show.

use std::path::Path;

use rolecall_aws::{AccessKey, Secret};

use super::ServeError;
use crate::secrets::learn;

/// Reads a root key. No message shows the secret.
///
/// # Errors
/// The text is no `ID:SECRET`: what it lacks.
pub(crate) fn root_key(text: &str) -> Result<AccessKey, String> {
    let (id, secret) = text
        .split_once(':')
        .ok_or("a root key is ID:SECRET, and there is no `:` in what was given")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !(3..=128).contains(&id.len()) || !id.chars().all(plain) {
        // AWS's own rule for the type accessKeyIdType is 16 to 128; LocalStack and its users go by shorter ones.
        return Err(
            "the ID of a root key is 3 to 128 letters, digits and `_`, such as AKIAROLECALLROOT0000".to_owned(),
        );
    }
    if secret.is_empty() || secret.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("the SECRET of a root key is not empty and has no white space in it".to_owned());
    }
    learn(secret);
    Ok(AccessKey {
        id: id.to_owned(),
        secret: Secret::new(secret),
    })
}

/// Reads a root key from a file of one line.
///
/// # Errors
/// The file cannot be read, or holds no root key.
pub(crate) fn root_key_of(path: &Path) -> Result<AccessKey, ServeError> {
    let flag = "--root-key-file";
    let text = std::fs::read_to_string(path).map_err(|error| ServeError::file(path, flag, &error))?;
    root_key(text.trim_end_matches(['\r', '\n'])).map_err(|error| ServeError::file(path, flag, &error))
}

/// Twelve digits.
///
/// # Errors
/// It is something else.
pub(crate) fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an account id is twelve digits, such as 123456789012".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_colon("AKIAEXAMPLE", "no `:`")]
    #[case::no_id(":secret-that-is-one", "the ID")]
    #[case::a_space_in_the_id("A K:secret-that-is-one", "the ID")]
    #[case::no_secret("AKIAEXAMPLE:", "the SECRET")]
    #[case::a_space_in_the_secret("AKIAEXAMPLE:secret that-is-one", "the SECRET")]
    fn what_is_no_root_key_is_refused_without_showing_it(#[case] text: &str, #[case] says: &str) {
        let error = root_key(text).expect_err("no root key");
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("that-is-one"), "{error}");
    }

    #[test]
    fn the_secret_may_contain_what_separates_it_from_the_id() {
        let key = root_key("AKIAEXAMPLE:a:b/c+d=").expect("a root key");
        assert_eq!((key.id.as_str(), key.secret.expose()), ("AKIAEXAMPLE", "a:b/c+d="));
    }
}
