//! The rule in a real network: a node with its bridge, a pod behind it, and the node's own metadata service, which a pod
//! that is not intercepted does reach.
//!
//! No libtest: a user namespace can only be entered by a process with one thread.

use std::{error::Error, net::SocketAddr, process::ExitCode, time::Duration};

use rolecall_namespaces::{Namespace, PidNamespace, Wire, enter_user_namespace};
use rolecall_proxy::intercept::{InterceptError, Rule, install, uninstall};
use tokio::{net::TcpListener, process::Command, time::timeout};

const LONG: Duration = Duration::from_secs(10);
const METADATA: &str = "169.254.169.254:80";
const POD: &str = "10.244.1.2";

fn main() -> ExitCode {
    match enter_user_namespace() {
        Ok(()) => {}
        Err(error @ rolecall_namespaces::Error::Forbidden { .. }) => {
            println!("test interception ... ignored, {error}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&error),
    }
    let processes = match PidNamespace::fork() {
        Ok(processes) => processes,
        Err(error) => return failed(&error),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(play(&processes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if matches!(error.downcast_ref(), Some(InterceptError::NoNat { .. })) => {
            println!("test interception ... ignored, {error}");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&*error),
    }
}

fn failed(error: &dyn Error) -> ExitCode {
    eprintln!("test interception ... FAILED: {error}");
    ExitCode::FAILURE
}

async fn play(processes: &PidNamespace) -> Result<(), Box<dyn Error>> {
    let node = Namespace::new("node", processes)?;
    let pod = Namespace::new("pod", processes)?;
    node.run_async(|inside| {
        inside.bridge("cbr0", "10.244.1.1".parse().map_err(invalid)?, 24)?;
        inside.address("lo", "10.0.0.1".parse().map_err(invalid)?, 32)?;
        inside.address("lo", "169.254.169.254".parse().map_err(invalid)?, 32)?;
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    })
    .await?
    .map_err(|error| error.to_string())?;
    let wire = Wire {
        name: "veth1".to_owned(),
        bridge: "cbr0".to_owned(),
        far_name: "eth0".to_owned(),
        address: POD.parse()?,
        prefix: 24,
        gateway: "10.244.1.1".parse()?,
    };
    node.wire(&pod, wire).await?;
    let imds = node.listen_tcp(METADATA.parse()?).await?;

    node.run_async(|_| uninstall()).await??;
    node.run_async(|_| uninstall()).await??;
    reaches(&pod, &imds).await?;
    println!("test removing_a_rule_that_is_not_there_is_no_error ... ok");

    let proxy = node.listen_tcp("10.0.0.1:8181".parse()?).await?;
    put(&node, "cbr0", 8181).await?;
    assert_eq!(reaches(&pod, &proxy).await?.ip().to_string(), POD);
    println!("test a_pod_reaches_the_proxy_and_is_seen_with_its_own_address ... ok");
    reaches(&node, &imds).await?;
    println!("test the_nodes_own_processes_are_not_intercepted ... ok");

    drop(proxy);
    let refused = timeout(LONG, pod.connect(METADATA.parse()?)).await?;
    assert!(refused.is_err(), "a pod reached something although the proxy is down");
    println!("test a_pod_is_refused_while_the_proxy_is_down ... ok");

    let proxy = node.listen_tcp("10.0.0.1:9191".parse()?).await?;
    put(&node, "cb+", 9191).await?;
    reaches(&pod, &proxy).await?;
    println!("test a_prefix_names_the_interface_and_a_new_rule_replaces_the_old_one ... ok");
    put(&node, "docker0", 9191).await?;
    reaches(&pod, &imds).await?;
    println!("test another_interface_is_not_intercepted ... ok");

    put(&node, "+", 9191).await?;
    reaches(&pod, &proxy).await?;
    for _ in 0..2 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall-proxy"));
        command.arg("uninstall");
        let mut child = node.spawn(command).await?;
        assert!(timeout(LONG, child.wait()).await??.success());
    }
    reaches(&pod, &imds).await?;
    println!("test uninstall_removes_the_rule_and_may_be_repeated ... ok");
    Ok(())
}

/// Installs the rule in the node's network.
async fn put(node: &Namespace, interface: &str, port: u16) -> Result<(), Box<dyn Error>> {
    let rule = Rule::new(interface, METADATA.parse()?, format!("10.0.0.1:{port}").parse()?)?;
    Ok(node.run_async(move |_| install(&rule)).await??)
}

/// Connects from a host to the metadata address, checks that `listener` gets the connection, and gives its source.
async fn reaches(host: &Namespace, listener: &TcpListener) -> Result<SocketAddr, Box<dyn Error>> {
    let connecting = async { Ok::<_, Box<dyn Error>>(host.connect(METADATA.parse()?).await?) };
    let accepting = async { Ok::<_, Box<dyn Error>>(listener.accept().await?) };
    let (stream, (_, source)) = timeout(LONG, async { tokio::try_join!(connecting, accepting) }).await??;
    assert_eq!(
        stream.local_addr()?.port(),
        source.port(),
        "another connection was accepted"
    );
    Ok(source)
}

fn invalid(error: std::net::AddrParseError) -> Box<dyn Error + Send + Sync> {
    error.into()
}
