//! What a world makes up: accounts, keys and tokens.

use rand::RngExt;

use crate::{check::Keys, secrets::learn_keys};

/// Twelve digits, the first no zero.
pub(crate) fn random_account() -> String {
    let mut random = rand::rng();
    std::iter::once('1')
        .chain((0..11).map(|_| random.random_range('0'..='9')))
        .collect()
}

/// The key of an account's root user. No report shows it.
pub(crate) fn random_key() -> Keys {
    let keys = Keys {
        access_key_id: format!("AKIA{}", random_text('A', 16)),
        secret_access_key: random_text('a', 40),
        session_token: None,
        expiration: None,
    };
    learn_keys(&keys);
    keys
}

/// Random letters of both cases and digits (`'a'`), or capital letters alone (`'A'`).
pub(crate) fn random_text(kind: char, length: usize) -> String {
    let mut random = rand::rng();
    (0..length)
        .map(|_| match kind {
            'A' => random.random_range('A'..='Z'),
            _ => char::from(random.sample(rand::distr::Alphanumeric)),
        })
        .collect()
}
