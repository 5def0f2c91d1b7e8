use std::{fmt, io};

use futures::future::BoxFuture;
use tokio::net::TcpStream;

/// Opens the connections that a server of ours makes on its own account.
///
/// The addresses of an embedded world exist in its network namespaces alone, and a socket belongs to the namespace of the
/// thread that made it; whoever embeds the server therefore says how it reaches them.
pub trait Dial: Send + Sync + 'static {
    /// A connection to `authority`, which is `host:port`, such as `172.20.0.1:4566`.
    ///
    /// # Errors
    /// The name is not known, or nobody accepts there.
    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, io::Result<TcpStream>>;
}

/// Dials from the network of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

// === impl Direct ===

impl Dial for Direct {
    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(authority))
    }
}

// === impl Dial ===

impl fmt::Debug for dyn Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}
