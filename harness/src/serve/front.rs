//! `rolecall serve aws` and `rolecall serve world`.

use std::sync::Arc;

use rolecall_accept::CancellationToken;
use rolecall_aws::{Door, Enforcement};
use tokio::sync::mpsc;

use super::{
    ControlArgs, ServeError,
    args::{AwsArgs, FrontArgs, WorldArgs},
    control::ControlServer,
    control_token,
    listen::{Listening, say, stop_signal},
    nodes::nodes_of,
    relay::Relay,
    services::{FrontSettings, Services, Sockets},
    upstream::try_upstream,
    watch::print_decisions,
};

/// Serves AWS.
///
/// # Errors
/// What is wrong with the flags, or why it cannot be served here.
pub(crate) async fn serve_aws(args: AwsArgs) -> Result<(), ServeError> {
    let settings = settings(&args.front)?;
    try_upstreams(&settings).await?;
    let control = control(&args.control).await?;
    let front = Listening::on(args.listen, "--listen").await?;
    let ready = vec![about_front(&settings, &front)];
    let sockets = Sockets {
        front: vec![(front, Door::World)],
        imds: None,
        vault: Vec::new(),
        kubernetes: None,
    };
    run(sockets, settings, Vec::new(), control, args.front.why, ready).await
}

/// Serves AWS and the metadata service.
///
/// # Errors
/// What is wrong with the flags, or why they cannot be served here.
pub(crate) async fn serve_world(args: WorldArgs) -> Result<(), ServeError> {
    let settings = FrontSettings {
        vault: args.vault_upstream.clone(),
        ..settings(&args.front)?
    };
    let nodes = args.nodes.as_deref().map(nodes_of).transpose()?.unwrap_or_default();
    try_upstreams(&settings).await?;
    let control = control(&args.control).await?;
    let front = Listening::on(args.listen, "--listen").await?;
    let imds = Listening::on(args.imds, "--imds").await?;
    let mut ready = vec![about_front(&settings, &front)];
    let mut doors = vec![(front, Door::World)];
    if let Some(address) = args.operator {
        let operator = Listening::on(address, "--operator").await?;
        ready.push(format!("serving its operator on http://{}", operator.address()));
        doors.push((operator, Door::Operator));
    }
    ready.push(format!(
        "serving the metadata service of {} instances on http://{}",
        nodes.len(),
        imds.address()
    ));
    let vault = vault(&args, &mut ready).await?;
    let kubernetes = match (args.kubernetes, args.api_server) {
        (Some(address), Some(to)) => {
            let socket = Listening::on(address, "--kubernetes").await?;
            ready.push(format!(
                "passing connections to {} on to the API server at {to}",
                socket.address()
            ));
            Some((socket, Relay::new(to)))
        }
        _ => None,
    };
    let sockets = Sockets {
        front: doors,
        imds: Some(imds),
        vault,
        kubernetes,
    };
    run(sockets, settings, nodes, control, args.front.why, ready).await
}

/// The forwarder's listeners, where it has a server to stand before.
async fn vault(
    args: &WorldArgs,
    ready: &mut Vec<String>,
) -> Result<Vec<(Listening, rolecall_vault::Door)>, ServeError> {
    let Some(upstream) = &args.vault_upstream else {
        return Ok(Vec::new());
    };
    let world = Listening::on(args.vault_listen, "--vault-listen").await?;
    ready.push(format!(
        "serving Vault on http://{}, before {upstream}",
        world.address()
    ));
    let mut doors = vec![(world, rolecall_vault::Door::World)];
    if let Some(address) = args.vault_operator {
        let operator = Listening::on(address, "--vault-operator").await?;
        ready.push(format!(
            "serving Vault for its operator on http://{}",
            operator.address()
        ));
        doors.push((operator, rolecall_vault::Door::Operator));
    }
    Ok(doors)
}

async fn try_upstreams(settings: &FrontSettings) -> Result<(), ServeError> {
    if let Some(upstream) = &settings.upstream {
        try_upstream(&upstream.to_string(), "leave --upstream away for an AWS in memory").await?;
    }
    if let Some(vault) = &settings.vault {
        try_upstream(vault, "leave --vault-upstream away for a world without Vault").await?;
    }
    Ok(())
}

fn settings(args: &FrontArgs) -> Result<FrontSettings, ServeError> {
    Ok(FrontSettings {
        account: args.account.clone(),
        region: args.region.clone(),
        root: args.root()?,
        accounts: Vec::new(),
        upstream: args.upstream.clone(),
        vault: None,
        enforcement: if args.soft { Enforcement::Off } else { Enforcement::On },
    })
}

fn about_front(settings: &FrontSettings, front: &Listening) -> String {
    let behind = match &settings.upstream {
        None => "in memory".to_owned(),
        Some(upstream) => format!("before {upstream}"),
    };
    let soft = match settings.enforcement {
        Enforcement::On => "",
        Enforcement::Off => ", denying nothing (--soft)",
    };
    format!(
        "serving AWS account {} on http://{}, {behind}{soft}",
        settings.account,
        front.address()
    )
}

/// The control listener with its token, if it is wanted.
async fn control(args: &ControlArgs) -> Result<Option<(Listening, secrecy::SecretString)>, ServeError> {
    let Some(address) = args.control else { return Ok(None) };
    let token = control_token()?;
    Ok(Some((Listening::on(address, "--control").await?, token)))
}

async fn run(
    sockets: Sockets,
    settings: FrontSettings,
    nodes: Vec<super::nodes::Node>,
    control: Option<(Listening, secrecy::SecretString)>,
    why: bool,
    mut ready: Vec<String>,
) -> Result<(), ServeError> {
    let stop = stop_signal()?;
    let (ended, mut endings) = mpsc::unbounded_channel();
    let services = Services::start(sockets, settings, nodes, ended.clone())?;
    let steering = control.map(|(socket, token)| {
        ready.push(format!("listening for control on http://{}", socket.address()));
        let server = ControlServer::new(services.clone(), token);
        let (stop, ended) = (stop.clone(), ended.clone());
        tokio::spawn(async move {
            let served = match socket.listener() {
                Ok(listener) => server.serve(listener, stop).await,
                Err(error) => Err(error),
            };
            if let Err(error) = served {
                let _ = ended.send(ServeError::Ended {
                    what: "the control listener",
                    error,
                });
            }
        })
    });
    let printing = why.then(|| tokio::spawn(print_decisions(services.clone(), stop.clone())));
    ready.push("ready; Ctrl-C ends it".to_owned());
    say(&ready.join("\n"));
    let outcome = until_ended(&stop, &mut endings).await;
    stop.cancel();
    finish(services, [steering, printing]).await;
    outcome
}

async fn until_ended(
    stop: &CancellationToken,
    endings: &mut mpsc::UnboundedReceiver<ServeError>,
) -> Result<(), ServeError> {
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        Some(ended) = endings.recv() => Err(ended),
    }
}

async fn finish<const N: usize>(services: Arc<Services>, tasks: [Option<tokio::task::JoinHandle<()>>; N]) {
    services.stop().await;
    for task in tasks.into_iter().flatten() {
        let _ = task.await;
    }
}
