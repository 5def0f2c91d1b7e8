use std::{collections::BTreeSet, fmt, net::Ipv4Addr, str::FromStr};

/// The range that a node gives its pods addresses from, such as `10.244.1.0/24`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodCidr {
    network: Ipv4Addr,
    prefix: u8,
}

/// A text or a prefix length is no range for pods.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no pod range; give an IPv4 network of /8 to /29, such as 10.244.1.0/24")]
pub struct PodCidrError(String);

/// Hands out the addresses of a range in turn: one that was used comes again only after all others.
#[derive(Debug)]
pub(super) struct AddressPool {
    cidr: PodCidr,
    next: u32,
    used: BTreeSet<Ipv4Addr>,
}

// === impl PodCidr ===

impl PodCidr {
    /// The range of `prefix` bits around `address`; the bits of a host are cut off.
    ///
    /// # Errors
    /// The prefix is not in 8..=29.
    pub fn new(address: Ipv4Addr, prefix: u8) -> Result<Self, PodCidrError> {
        if !(8..=29).contains(&prefix) {
            return Err(PodCidrError(format!("{address}/{prefix}")));
        }
        let network = Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - prefix)));
        Ok(Self { network, prefix })
    }

    /// The first address of the network, which nothing has.
    pub fn network(&self) -> Ipv4Addr {
        self.network
    }

    /// The bits of the network.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// The node's own address in the range, on its bridge: the first that can be used (`.1` in a /24).
    pub fn bridge(&self) -> Ipv4Addr {
        self.at(1)
    }

    /// The number of addresses, the network's and the broadcast address included.
    fn size(&self) -> u32 {
        1 << (32 - self.prefix)
    }

    fn at(&self, host: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network.to_bits() | host)
    }
}

impl fmt::Display for PodCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl FromStr for PodCidr {
    type Err = PodCidrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || PodCidrError(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(refused)?;
        let address = address.parse().map_err(|_| refused())?;
        Self::new(address, prefix.parse().map_err(|_| refused())?).map_err(|_| refused())
    }
}

// === impl AddressPool ===

impl AddressPool {
    pub(super) fn new(cidr: PodCidr) -> Self {
        Self {
            cidr,
            next: 2,
            used: BTreeSet::new(),
        }
    }

    /// The next free address, or none if all are in use.
    pub(super) fn allocate(&mut self) -> Option<Ipv4Addr> {
        let last = self.cidr.size() - 2;
        for _ in 2..=last {
            let address = self.cidr.at(self.next);
            self.next = if self.next >= last { 2 } else { self.next + 1 };
            if self.used.insert(address) {
                return Some(address);
            }
        }
        None
    }

    /// Takes note of an address that a pod has already, or has asked for; whether this made it used.
    pub(super) fn claim(&mut self, address: Ipv4Addr) -> bool {
        self.used.insert(address)
    }

    pub(super) fn release(&mut self, address: Ipv4Addr) {
        self.used.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn pool(cidr: &str) -> AddressPool {
        AddressPool::new(cidr.parse().expect("a range"))
    }

    #[test]
    fn a_released_address_comes_again_only_after_all_others() {
        let mut pool = pool("10.244.1.0/29");
        let mut given = Vec::new();
        for _ in 0..6 {
            let address = pool.allocate().expect("one is free");
            pool.release(address);
            given.push(address.octets()[3]);
        }
        assert_eq!(given, [2, 3, 4, 5, 6, 2]);
    }

    #[test]
    fn an_address_in_use_is_passed_over_and_a_full_range_gives_none() {
        let mut pool = pool("10.244.1.0/29");
        pool.claim(Ipv4Addr::new(10, 244, 1, 3));
        let given: Vec<u8> = std::iter::from_fn(|| pool.allocate()).map(|a| a.octets()[3]).collect();
        assert_eq!(given, [2, 4, 5, 6]);
    }

    #[rstest]
    #[case("10.244.1.0/24", Some("10.244.1.0/24"))]
    #[case("10.244.1.7/24", Some("10.244.1.0/24"))]
    #[case("10.244.1.0", None)]
    #[case("10.244.1.0/30", None)]
    #[case("10.244.1.0/33", None)]
    #[case("fd00::/64", None)]
    fn a_range_is_read_from_text(#[case] text: &str, #[case] expected: Option<&str>) {
        let read: Option<String> = text.parse::<PodCidr>().ok().map(|cidr| cidr.to_string());
        assert_eq!(read.as_deref(), expected);
    }
}
