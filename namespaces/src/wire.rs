use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Error, Namespace};

/// A wire from a bridge of one host to another host, which has an address on the bridge's network and sends everything
/// else to a gateway there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The end on the bridge, unique among the interfaces of that host.
    pub name: String,
    /// The bridge it joins.
    pub bridge: String,
    /// The end at the other host, `eth0` as a rule.
    pub far_name: String,
    /// That end's address.
    pub address: IpAddr,
    /// The length of the network's prefix.
    pub prefix: u8,
    /// Where the other host sends what is not for that network.
    pub gateway: IpAddr,
}

impl Namespace {
    /// Connects `far` to a bridge of this host.
    ///
    /// # Errors
    /// If a name is not one, there is no such bridge or the kernel refuses.
    pub async fn wire(&self, far: &Self, wire: Wire) -> Result<(), Error> {
        let (network, near) = (far.network().clone(), wire.clone());
        self.run_async(move |inside| inside.veth(&near.name, &near.bridge, &network, &near.far_name))
            .await??;
        far.run_async(move |inside| wire.connect(inside)).await?
    }

    /// As [`wire`](Self::wire), and waits. Blocks: not for a runtime's own threads.
    ///
    /// # Errors
    /// As [`wire`](Self::wire).
    pub fn wire_blocking(&self, far: &Self, wire: Wire) -> Result<(), Error> {
        let (network, near) = (far.network().clone(), wire.clone());
        self.run(move |inside| inside.veth(&near.name, &near.bridge, &network, &near.far_name))??;
        far.run(move |inside| wire.connect(inside))?
    }
}

// === impl Wire ===

impl Wire {
    /// Sets up the far end, in a job of the host it was born in.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn connect(&self, inside: &crate::Inside) -> Result<(), Error> {
        let any: IpAddr = match self.address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        inside.address(&self.far_name, self.address, self.prefix)?;
        inside.up(&self.far_name)?;
        inside.route(any, 0, self.gateway)
    }
}
