//! Where the instance's metadata service is.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddrV4},
    str::FromStr,
};

/// Address of the instance's metadata service; port 80 unless it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataAddr(pub SocketAddrV4);

/// The address is not `IP` or `IP:PORT`.
#[derive(Debug, thiserror::Error)]
#[error("not an IPv4 address, or one with a port: names are not looked up")]
pub struct InvalidMetadataAddr;

// === impl MetadataAddr ===

impl FromStr for MetadataAddr {
    type Err = InvalidMetadataAddr;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let with_port = text.parse::<SocketAddrV4>();
        let alone = || text.parse::<Ipv4Addr>().map(|ip| SocketAddrV4::new(ip, 80));
        with_port
            .or_else(|_| alone())
            .map(Self)
            .map_err(|_| InvalidMetadataAddr)
    }
}

impl fmt::Display for MetadataAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.port() == 80 {
            self.0.ip().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}
