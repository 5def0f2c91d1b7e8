//! A bounded accept loop over hyper.
//!
//! Every server of the project is started by [`serve`]: it bounds the connections, all of them and those of one source,
//! the time a peer may take to send a request's head and the number of headers, tells the service who asks ([`Peer`])
//! and ends with its [`CancellationToken`]. The request target reaches the service as it was sent: nothing is folded or redirected.

mod serve;
mod sources;

pub use serve::{Limits, Peer, Transport, Unanswered, serve};
pub use tokio_util::sync::CancellationToken;
