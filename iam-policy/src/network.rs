//! IP address ranges.

use std::net::IpAddr;

/// An address range in CIDR notation; the bits beyond the prefix do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

// === impl Network ===

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32` or a single address. The error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} must be an IP address or a range such as \"203.0.113.0/24\"");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(prefix) if !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit()) => {
                prefix.parse().map_err(|_| invalid())?
            }
            Some(_) => return Err(invalid()),
        };
        if prefix > bits {
            Err(invalid())
        } else {
            Ok(Self { address, prefix })
        }
    }

    /// Whether the address is one of the range.
    pub(crate) fn contains(&self, other: IpAddr) -> bool {
        // An IPv4 client of a dual-stack socket appears as ::ffff:a.b.c.d.
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - self.prefix;
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - self.prefix;
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}
