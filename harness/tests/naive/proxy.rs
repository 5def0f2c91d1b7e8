use std::{
    env,
    error::Error,
    net::{Ipv4Addr, SocketAddrV4},
};

use rolecall_proxy::intercept::{self, Rule};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// A flag that the harness gives every proxy and nobody gives a test.
const GIVEN: &str = "--kubeconfig=";

/// Whether this program was started as a proxy of a node.
pub(crate) fn is_meant() -> bool {
    env::args().nth(1).is_some_and(|first| first.starts_with(GIVEN))
}

/// Stands in the pods' way as a proxy does, and passes every word on to the node's own metadata service and back: to
/// whatever pod asks for whatever role, the answer is the node's.
///
/// # Errors
/// A flag of kube2iam's is missing or unreadable, the address is taken, or the kernel refuses the rule.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let address = SocketAddrV4::new(flag("--host-ip=")?.parse()?, flag("--app-port=")?.parse()?);
    let metadata = SocketAddrV4::new(flag("--metadata-addr=")?.parse::<Ipv4Addr>()?, 80);
    let listener = TcpListener::bind(address).await?;
    if flag("--iptables=")? == "true" {
        intercept::install(&Rule::new(&flag("--host-interface=")?, metadata, address)?)?;
    }
    loop {
        let (mut pod, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut node = TcpStream::connect(metadata).await?;
            copy_bidirectional(&mut pod, &mut node).await
        });
    }
}

fn flag(name: &str) -> Result<String, String> {
    env::args()
        .find_map(|argument| argument.strip_prefix(name).map(str::to_owned))
        .ok_or_else(|| format!("{name} was not given"))
}
