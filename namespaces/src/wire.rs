use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Error, Inside, Namespace, NetworkNamespace};

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
    /// Where the other host sends what is not for that network: the bridge's own first address.
    pub gateway: IpAddr,
}

impl Namespace {
    /// Connects `far` to a bridge of this host.
    ///
    /// # Errors
    /// If a name is not one, there is no such bridge or the kernel refuses.
    pub async fn wire(&self, far: &Self, wire: Wire) -> Result<(), Error> {
        let (network, near) = (far.network().clone(), wire.clone());
        self.run_async(move |inside| near.join(inside, &network)).await??;
        far.run_async(move |inside| wire.connect(inside)).await?
    }

    /// As [`wire`](Self::wire), and waits. Blocks: not for a runtime's own threads.
    ///
    /// # Errors
    /// As [`wire`](Self::wire).
    pub fn wire_blocking(&self, far: &Self, wire: Wire) -> Result<(), Error> {
        let (network, near) = (far.network().clone(), wire.clone());
        self.run(move |inside| near.join(inside, &network))??;
        far.run(move |inside| wire.connect(inside))?
    }
}

// === impl Wire ===

impl Wire {
    /// Makes the wire, from the host that has the bridge.
    fn join(&self, inside: &Inside, far: &NetworkNamespace) -> Result<(), Error> {
        inside.veth(&self.name, &self.bridge, far, &self.far_name, self.address)?;
        inside.neighbour(&self.bridge, self.address)
    }

    /// Sets up the far end, in a job of the host it was born in.
    ///
    /// # Errors
    /// If the kernel refuses.
    fn connect(&self, inside: &Inside) -> Result<(), Error> {
        let any: IpAddr = match self.address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        inside.address(&self.far_name, self.address, self.prefix)?;
        inside.up(&self.far_name)?;
        inside.neighbour(&self.far_name, self.gateway)?;
        inside.route(any, 0, self.gateway)
    }
}
