//! The front with another emulator behind it: a server of the tests' own that shows what reaches it, and LocalStack where
//! `ROLECALL_LOCALSTACK` gives its URL, such as `http://127.0.0.1:4566`.

mod ahead;
mod cleaning;
mod localstack;
mod passing;
mod recorder;
mod seen_late;
#[path = "../enforcement/signer.rs"]
mod signer;
mod strangers;
mod uploads;
#[path = "../enforcement/world.rs"]
#[expect(dead_code, reason = "the tests of memory use more of it")]
mod world;
mod wrongly_let_through;
