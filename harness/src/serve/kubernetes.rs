//! `rolecall serve kubernetes`.

use std::{io, net::Ipv4Addr, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rolecall_clock::Clock;
use rolecall_kubernetes::{Cluster, NodeSettings, PodCidr, PodRuntime, PodSandbox, User};

use super::{
    ServeError,
    args::KubernetesArgs,
    listen::{Listening, say, stop_signal},
};

/// Runs nothing: pods have an address and a status.
struct NoSandbox;

/// Serves the API.
///
/// # Errors
/// What is wrong with the flags, or why it cannot be served here.
pub(crate) async fn serve_kubernetes(args: KubernetesArgs) -> Result<(), ServeError> {
    let nodes: Vec<NodeSettings> = args.nodes.iter().map(|text| node(text)).collect::<Result<_, _>>()?;
    let socket = Listening::on(args.listen, "--listen").await?;
    let mut names: Vec<String> = Cluster::NAMES.map(str::to_owned).to_vec();
    let address = socket.address().ip();
    if !address.is_unspecified() && !names.contains(&address.to_string()) {
        names.push(address.to_string());
    }
    let cluster = Cluster::with_names(Clock::new(), names)
        .map_err(|error| ServeError::Unable(format!("cannot make the server's certificate: {error}")))?;
    let server = if address.is_unspecified() {
        format!("https://127.0.0.1:{}", socket.address().port())
    } else {
        format!("https://{}", socket.address())
    };
    write(
        &args.kubeconfig,
        "--kubeconfig",
        &cluster.kubeconfig(&server, User::Admin),
    )?;
    if let Some(path) = &args.proxy_kubeconfig {
        write(path, "--proxy-kubeconfig", &cluster.kubeconfig(&server, User::Proxy))?;
    }
    let ended = |error| ServeError::Ended {
        what: "the API server",
        error,
    };
    let listener = socket.listener().map_err(ended)?;
    let stop = stop_signal()?;
    let count = nodes.len();
    for node in nodes {
        tokio::spawn(cluster.run_kubelet(node, Arc::new(NoSandbox), stop.clone()));
    }
    say(&format!(
        "serving the Kubernetes API with {count} nodes on {server}; its kubeconfig is {}\nready; Ctrl-C ends it",
        args.kubeconfig.display()
    ));
    cluster.serve(listener, stop).await.map_err(ended)
}

/// A kubeconfig holds a token: it is its owner's alone.
fn write(path: &Path, flag: &str, text: &str) -> Result<(), ServeError> {
    let written = || -> io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        io::Write::write_all(&mut file, text.as_bytes())
    };
    written().map_err(|error| ServeError::file(path, flag, &error))
}

fn node(text: &str) -> Result<NodeSettings, ServeError> {
    let wrong = |why: &dyn std::fmt::Display| {
        ServeError::Usage(format!(
            "--node {text}: {why}; write NAME=ADDRESS,CIDR such as node-1=172.20.1.1,10.244.1.0/24"
        ))
    };
    let (name, rest) = text.split_once('=').ok_or_else(|| wrong(&"there is no `=`"))?;
    let (address, cidr) = rest.split_once(',').ok_or_else(|| wrong(&"there is no `,`"))?;
    let address: Ipv4Addr = address
        .parse()
        .map_err(|_| wrong(&format!("`{address}` is no IPv4 address")))?;
    let network = cidr
        .split_once('/')
        .and_then(|(base, bits)| Some((base.parse().ok()?, bits.parse().ok()?)));
    let (base, bits): (Ipv4Addr, u8) = network.ok_or_else(|| wrong(&format!("`{cidr}` is no network")))?;
    Ok(NodeSettings {
        name: name.to_owned(),
        address,
        pod_cidr: PodCidr::new(base, bits).map_err(|error| wrong(&error))?,
        provider_id: String::new(),
    })
}

// === impl NoSandbox ===

impl PodRuntime for NoSandbox {
    fn start(&self, _: PodSandbox) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn stop(&self, _: &str, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_name("172.20.1.1,10.244.1.0/24", "no `=`")]
    #[case::no_network("node-1=172.20.1.1", "no `,`")]
    #[case::no_address("node-1=here,10.244.1.0/24", "no IPv4 address")]
    #[case::no_bits("node-1=172.20.1.1,10.244.1.0", "no network")]
    fn what_is_no_node_is_refused_with_an_example(#[case] text: &str, #[case] says: &str) {
        let error = node(text).expect_err("no node").to_string();
        assert!(error.contains(says) && error.contains("NAME=ADDRESS,CIDR"), "{error}");
    }
}
