use std::net::IpAddr;

use crate::{Error, Inside};

/// The hardware address of the host whose first address on a wire or a bridge is `address`: locally administered, and
/// its own among all of one network.
///
/// It follows from the address so that both ends of a wire know each other's without asking.
pub(crate) fn hardware_address(address: IpAddr) -> [u8; 6] {
    // Two families on one network must not meet: an IPv6 network's hosts differ in the last bytes.
    let (family, [a, b, c, d]) = match address {
        IpAddr::V4(address) => (4, address.octets()),
        IpAddr::V6(address) => {
            let [.., a, b, c, d] = address.octets();
            (6, [a, b, c, d])
        }
    };
    [0x02, family, a, b, c, d]
}

impl Inside {
    /// Lets the host know its neighbour of this address on `interface`, so that it never asks (ARP, neighbour discovery).
    ///
    /// One table holds the learned neighbours of all the network namespaces of a kernel (`gc_thresh3`, 1,024 of a family),
    /// and some dozens of worlds at once fill it: then hosts cannot reach each other. A permanent entry is not counted
    /// (`neigh_alloc`, since Linux 5.0).
    ///
    /// # Errors
    /// If there is no such interface or the kernel refuses.
    pub(crate) fn neighbour(&self, interface: &str, address: IpAddr) -> Result<(), Error> {
        let request = self.netlink().neighbours().add(self.index(interface)?, address);
        // In place of whoever had the address before.
        let request = request.link_layer_address(&hardware_address(address)).replace();
        self.block_on(request.execute())
            .map_err(|source| self.failed(format!("naming neighbour {address} on {interface}"), source))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_address_of_a_network_has_a_hardware_address_of_its_own() {
        let addresses = [
            "172.20.0.1",
            "172.20.1.1",
            "172.20.1.2",
            "fd00::ac14:1",
            "fd00::ac14:101",
            "10.244.1.1",
        ];
        let hardware: BTreeSet<_> = addresses
            .iter()
            .map(|address| hardware_address(address.parse().expect("an address")))
            .collect();
        assert_eq!(hardware.len(), addresses.len());
        // Neither multicast nor a vendor's (IEEE 802c).
        assert!(hardware.iter().all(|[first, ..]| first & 0b11 == 0b10));
    }
}
