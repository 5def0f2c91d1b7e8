//! Another emulator behind the front: it stores and answers, the front decides.

mod url;

pub use url::{Upstream, UpstreamUrlError};
