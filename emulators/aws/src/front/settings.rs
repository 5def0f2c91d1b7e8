use rolecall_clock::Clock;

use crate::AccessKey;

/// What a front is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account id, twelve digits.
    pub account: String,
    /// The region of requests that name none, such as `us-east-1`.
    pub region: String,
    /// The key of the account's root user, the only one known at the start.
    pub root: AccessKey,
    /// The world's clock: it decides expiry, and the age of a signature together with the real one.
    pub clock: Clock,
    /// Whether policy decides.
    pub enforcement: Enforcement,
}

/// Whether a denial is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// Policy decides.
    On,
    /// Signatures are verified and decisions made and recorded, but a denial lets the request pass
    /// ([`Verdict::LetThrough`](crate::Verdict::LetThrough)).
    Off,
}
