//! Ids, tokens and other random texts in Vault's forms.

use rand::{Rng, RngExt};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `count` letters and digits.
pub(crate) fn base62(count: usize) -> String {
    let mut rng = rand::rng();
    (0..count)
        .map(|_| char::from(BASE62[rng.random_range(0..BASE62.len())]))
        .collect()
}

/// Random bytes.
pub(crate) fn bytes(count: usize) -> Vec<u8> {
    let mut random = vec![0; count];
    rand::rng().fill_bytes(&mut random);
    random
}

/// A number of milliseconds below `most`, for a pause that two clients are not to share.
pub(crate) fn below(most: u64) -> u64 {
    if most == 0 {
        0
    } else {
        rand::rng().random_range(0..most)
    }
}

/// A random id in the form of a UUID.
pub(crate) fn uuid() -> String {
    let h = hex::encode(bytes(16));
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

/// A service token. That of a root is as short as Vault's own.
pub(crate) fn service_token(root: bool) -> String {
    if root {
        format!("hvs.{}", base62(24))
    } else {
        format!("hvs.CAESI{}", base62(86))
    }
}

/// The accessor of a token.
pub(crate) fn accessor() -> String {
    base62(24)
}
