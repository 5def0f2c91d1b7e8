use std::{fs, io, net::IpAddr, os::fd::AsRawFd};

use nix::net::if_::if_nametoindex;
use rtnetlink::{
    Handle, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder, new_connection,
    packet_route::{
        address::AddressHeaderFlags,
        link::{InfoData, InfoVeth},
    },
};
use tokio::runtime::{Builder, Runtime};
use tracing::debug;

use crate::{Error, NetworkNamespace, neighbour::hardware_address};

/// What a job on a namespace's thread works with: the host from the inside.
///
/// Each call is one or two requests to the kernel of about 20 µs; a job may do many.
#[derive(Debug)]
pub struct Inside {
    name: String,
    runtime: Runtime,
    netlink: Handle,
}

impl Inside {
    /// On the namespace's own thread. No blocking pool is ever started by what runs here: this thread cannot start
    /// threads.
    pub(crate) fn new(name: String) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|source| Error::system(format!("building the runtime of {name}"), source))?;
        let (connection, netlink, _) = {
            let _entered = runtime.enter();
            new_connection().map_err(|source| Error::system(format!("opening a netlink socket in {name}"), source))?
        };
        runtime.spawn(connection);
        Ok(Self { name, runtime, netlink })
    }

    /// A new network: `lo` is brought up, and what a host may have configured for all its interfaces and would be
    /// inherited is undone, for here traffic comes and goes by whatever road the routes say.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        self.up("lo")?;
        for of in ["all", "default"] {
            for setting in ["rp_filter", "send_redirects"] {
                let path = format!("net/ipv4/conf/{of}/{setting}");
                if let Err(error) = self.sysctl(&path, "0") {
                    debug!(%error, "left as it is");
                }
            }
        }
        Ok(())
    }

    /// The namespace's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kernel's network configuration of this namespace; to be used in [`block_on`](Self::block_on).
    pub fn netlink(&self) -> &Handle {
        &self.netlink
    }

    /// Runs `future` on this thread. It must not want a thread of the blocking pool (file access, name resolution).
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes a bridge with an address, up, and lets the host forward between its interfaces.
    ///
    /// # Errors
    /// If the name is not one or the kernel refuses.
    pub fn bridge(&self, name: &str, address: IpAddr, prefix: u8) -> Result<(), Error> {
        interface_name(name)?;
        // Set, for a bridge without one takes that of a wire, and another when wires come and go.
        let hardware = hardware_address(address).to_vec();
        let bridge = LinkBridge::new(name).address(hardware).up().build();
        self.block_on(self.netlink.link().add(bridge).execute())
            .map_err(|source| self.failed(format!("making bridge {name}"), source))?;
        self.address(name, address, prefix)?;
        self.forward()
    }

    /// Gives an interface one more address. An IPv6 address is usable at once (no duplicate detection).
    ///
    /// # Errors
    /// If there is no such interface or the kernel refuses.
    pub fn address(&self, interface: &str, address: IpAddr, prefix: u8) -> Result<(), Error> {
        let mut request = self.netlink.address().add(self.index(interface)?, address, prefix);
        if address.is_ipv6() {
            request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
        }
        self.block_on(request.execute())
            .map_err(|source| self.failed(format!("adding {address}/{prefix} to {interface}"), source))
    }

    /// Sends what is for `destination`/`prefix` by way of the neighbour `via`, in place of an earlier route there.
    /// A prefix of 0 is the default route.
    ///
    /// # Errors
    /// If the families differ or the kernel refuses (it does if `via` is on no network of this host).
    pub fn route(&self, destination: IpAddr, prefix: u8, via: IpAddr) -> Result<(), Error> {
        let what = format!("routing {destination}/{prefix} via {via}");
        let route = match (destination, via) {
            (IpAddr::V4(destination), IpAddr::V4(via)) => RouteMessageBuilder::<std::net::Ipv4Addr>::new()
                .destination_prefix(destination, prefix)
                .gateway(via)
                .build(),
            (IpAddr::V6(destination), IpAddr::V6(via)) => RouteMessageBuilder::<std::net::Ipv6Addr>::new()
                .destination_prefix(destination, prefix)
                .gateway(via)
                .build(),
            _ => {
                let source = io::Error::new(io::ErrorKind::InvalidInput, "the addresses are of different families");
                return Err(Error::system(format!("{what} in {}", self.name), source));
            }
        };
        self.block_on(self.netlink.route().add(route).replace().execute())
            .map_err(|source| self.failed(what, source))
    }

    /// Makes a wire: this end, called `name`, joins `bridge` and is up; the far end is called `far_name` and is born in
    /// `far`, down and without an address, for the host that is to have `address` there.
    ///
    /// Born there, not moved: moving an interface costs 15 to 20 ms, one at a time for the whole kernel.
    ///
    /// # Errors
    /// If a name is not one, there is no such bridge or the kernel refuses.
    pub(crate) fn veth(
        &self,
        name: &str,
        bridge: &str,
        far: &NetworkNamespace,
        far_name: &str,
        address: IpAddr,
    ) -> Result<(), Error> {
        interface_name(name)?;
        interface_name(far_name)?;
        let peer = LinkMessageBuilder::<LinkUnspec>::new()
            .name(far_name.to_owned())
            .address(hardware_address(address).to_vec())
            .setns_by_fd(far.as_raw_fd())
            .build();
        let veth = LinkVeth::new(name, far_name)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
            .controller(self.index(bridge)?)
            .up()
            .build();
        self.block_on(self.netlink.link().add(veth).execute())
            .map_err(|source| self.failed(format!("making wire {name} on {bridge}"), source))
    }

    /// Brings an interface up.
    ///
    /// # Errors
    /// If there is no such interface or the kernel refuses.
    pub fn up(&self, interface: &str) -> Result<(), Error> {
        let link = LinkUnspec::new_with_index(self.index(interface)?).up().build();
        self.block_on(self.netlink.link().set(link).execute())
            .map_err(|source| self.failed(format!("bringing {interface} up"), source))
    }

    /// Takes an interface away, and with it the far end of its wire, so that its addresses may be used again at once.
    ///
    /// # Errors
    /// If there is no such interface or the kernel refuses.
    pub fn remove(&self, interface: &str) -> Result<(), Error> {
        self.block_on(self.netlink.link().del(self.index(interface)?).execute())
            .map_err(|source| self.failed(format!("removing {interface}"), source))
    }

    /// Lets the host forward between its interfaces.
    ///
    /// # Errors
    /// If `/proc/sys` cannot be written, as in many containers.
    pub fn forward(&self) -> Result<(), Error> {
        self.sysctl("net/ipv4/ip_forward", "1")?;
        // A kernel without IPv6 has nothing to set.
        match self.sysctl("net/ipv6/conf/all/forwarding", "1") {
            Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Sets a sysctl of this host, by its path under `/proc/sys`. What is under `net` belongs to the namespace of the
    /// thread that opens it. A value that is already there is not written.
    ///
    /// # Errors
    /// If there is no such setting or it cannot be written.
    pub fn sysctl(&self, path: &str, value: &str) -> Result<(), Error> {
        let file = format!("/proc/sys/{path}");
        if fs::read_to_string(&file).is_ok_and(|old| old.trim() == value) {
            return Ok(());
        }
        fs::write(&file, value).map_err(|source| {
            let hint = match source.kind() {
                io::ErrorKind::ReadOnlyFilesystem => " (in a container, it takes --privileged)",
                _ => "",
            };
            Error::system(format!("setting {file} to {value} in {}{hint}", self.name), source)
        })
    }

    pub(crate) fn index(&self, interface: &str) -> Result<u32, Error> {
        if_nametoindex(interface)
            .map_err(|errno| Error::system(format!("looking for interface {interface} in {}", self.name), errno))
    }

    pub(crate) fn failed(&self, what: String, source: rtnetlink::Error) -> Error {
        Error::netlink(format!("{what} in {}", self.name), source)
    }
}

/// What the kernel takes as an interface's name (dev_valid_name), told before it is asked.
fn interface_name(name: &str) -> Result<(), Error> {
    let valid = (1..=15).contains(&name.len())
        && name != "."
        && name != ".."
        && !name
            .chars()
            .any(|c| c == '/' || c == ':' || c == '\0' || c.is_ascii_whitespace());
    if valid {
        Ok(())
    } else {
        Err(Error::InterfaceName { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("cbr0", true)]
    #[case("a-name-of-15-by", true)]
    #[case("a-name-of-16-byt", false)]
    #[case("", false)]
    #[case("..", false)]
    #[case("a/b", false)]
    #[case("a b", false)]
    fn an_interface_is_called_what_the_kernel_allows(#[case] name: &str, #[case] valid: bool) {
        assert_eq!(interface_name(name).is_ok(), valid);
    }
}
