//! From the command line to a proxy that serves, and to its end.

use std::{
    ffi::OsString,
    io,
    net::{SocketAddr, SocketAddrV4},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rolecall_accept::{CancellationToken, Limits, Peer, Transport, serve};
use rolecall_clock::{Clock, monotonic, since};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing::{error, info, warn};

use crate::{
    admin::Admin,
    answer::{Passthrough, Pipeline, Restriction, Rules, Tokens},
    credentials::Cache,
    flags::{Command, Flags, Intercept},
    intercept::{self, InterceptError, InvalidInterface},
    log,
    metrics::Metrics,
    provider::{NodeAccount, StsProvider},
    readiness::Readiness,
    vault::{InvalidTrust, ServiceAccounts, Vault},
    which::Base,
    who::{AnnotationKeys, Cluster, ClusterError, Directory, Lists, Namespaces, Watch},
};

/// Threads of the runtime. Nothing here computes for long.
const WORKERS: usize = 2;

/// Connections that one pod may have open at once, of those that all have together.
const PER_POD: usize = 128;

/// Time that the revocation of Vault tokens is given at the end. Kubernetes gives a pod half a minute.
const REVOKING: Duration = Duration::from_secs(5);

/// Why the proxy ended, other than by being told to.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot start the runtime: {0}")]
    Runtime(#[source] io::Error),
    #[error("cannot listen on {address} for {what}: {source}")]
    Listen {
        what: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot intercept: {0}")]
    Intercept(#[from] InterceptError),
    #[error("--host-interface: {0}")]
    Interface(#[from] InvalidInterface),
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    #[error("{0}")]
    VaultTrust(#[from] InvalidTrust),
    #[error("a task that must not end has ended")]
    Ended,
}

/// Runs the proxy as the arguments say, until SIGTERM or SIGINT; `args` begins with the program's name.
///
/// Builds its own runtime: call it from a thread that is in none. Exit code 0 after a signal, after `uninstall` and
/// after `--help`; 1 if the proxy could not start or serve; 2 if the arguments are wrong.
pub fn main_with(args: impl IntoIterator<Item = impl Into<OsString>>) -> ExitCode {
    let started = monotonic();
    let flags = match Flags::read(args) {
        Ok(flags) => flags,
        Err(error) => {
            // Nothing is left to say if standard error is closed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    if let Some(Command::CredentialProcess(process)) = flags.command {
        return process.run();
    }
    log::start(&flags);
    for note in flags.notes() {
        info!("{note}");
    }
    let ended = match flags.command {
        Some(Command::Uninstall) => intercept::uninstall().map_err(Failure::from),
        Some(Command::CredentialProcess(_)) | None => run(flags, started),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error!(error = &failure as &dyn std::error::Error, "the proxy ends");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags, started: Instant) -> Result<(), Failure> {
    // One provider for all that speak TLS here; a second call, in a process that has one, changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let ended = runtime.block_on(serve_until_told(flags, started));
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

async fn serve_until_told(flags: Flags, started: Instant) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    // Before anything is announced, so that a signal never finds the default action.
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Runtime)?;

    let clock = Clock::new();
    let metrics = Metrics::new();
    let pods = Arc::new(Directory::new());
    let namespaces = Arc::new(Namespaces::new());
    let restriction = if flags.namespace_restrictions {
        Restriction::On(namespaces.clone())
    } else {
        Restriction::Off
    };
    let base = match &flags.base_role_arn {
        Some(base) => Base::Given(base.clone()),
        None if flags.auto_discover_base_arn => Base::Discovered(Arc::default()),
        None => Base::None,
    };
    let readiness = Readiness {
        pods: pods.clone(),
        restriction: restriction.clone(),
        base: base.clone(),
        listening: Arc::new(AtomicBool::new(false)),
        intercepting: Arc::new(AtomicBool::new(false)),
    };
    let account = NodeAccount {
        metadata: flags.metadata_addr,
        clock: clock.clone(),
    };
    let (client, vault) = match flags.vault.settings() {
        Some(settings) => {
            let client = cluster(&flags).client().await?;
            let accounts = ServiceAccounts::new(client.clone(), settings.audience.clone());
            let vault = Vault::new(settings, accounts, pods.clone(), clock.clone(), metrics.clone())?;
            (Some(client), Some(vault))
        }
        None => (None, None),
    };
    let provider = StsProvider::new(account.clone(), flags.iam_role_session_ttl, metrics.clone());
    let pipeline = Arc::new(Pipeline {
        rules: Rules {
            base: base.clone(),
            default_role: flags.default_role.clone(),
            restriction,
            require_token: flags.require_token,
        },
        pods: pods.clone(),
        cache: Cache::new(
            Arc::new(provider.clone()),
            clock.clone(),
            flags.iam_role_session_ttl,
            metrics.clone(),
        ),
        vault: vault.clone(),
        tokens: Tokens::new(clock.clone()),
        passthrough: Passthrough::new(flags.passthrough.clone(), flags.metadata_addr, clock.clone()),
        metrics: metrics.clone(),
    });
    let admin = Admin {
        readiness: readiness.clone(),
        namespaces: namespaces.clone(),
        metrics,
        vault: vault.clone(),
        clock: flags
            .test_clock_token
            .clone()
            .filter(|_| flags.test_clock)
            .map(|token| (clock, token)),
    };

    // All of them at once: each waits for something else.
    let watching = async {
        let client = match client {
            Some(client) => client,
            None => cluster(&flags).client().await?,
        };
        let watch = Watch {
            node: flags.node.clone(),
            keys: AnnotationKeys {
                role: flags.iam_role_key.clone(),
                external_id: flags.iam_external_id.clone(),
                vault_role: flags.vault.vault_role_key.clone(),
            },
            lists: Lists {
                key: flags.namespace_key.clone(),
                format: flags.namespace_restriction_format,
                restrict: flags.namespace_restrictions,
            },
            pods,
            namespaces,
        };
        Ok(tokio::spawn(watch.run(client)))
    };
    let listening = async {
        let listeners = tokio::try_join!(listen("pods", flags.listen()), listen("admin", flags.admin()))?;
        readiness.listening.store(true, Ordering::SeqCst);
        Ok::<_, Failure>(listeners)
    };
    let intercepting = async {
        change_interception(&flags).await?;
        readiness.intercepting.store(true, Ordering::SeqCst);
        Ok(())
    };
    let (watching, (for_pods, for_admin), ()) = tokio::try_join!(watching, listening, intercepting)?;

    let serving = serve(
        for_pods,
        Transport::Plain,
        Limits {
            per_source: PER_POD,
            ..Limits::default()
        },
        stop.clone(),
        move |peer: Peer, request| {
            let pipeline = pipeline.clone();
            async move { pipeline.answer(peer.remote, request).await }
        },
    );
    let limits = Limits {
        connections: 64,
        ..Limits::default()
    };
    let administering = serve(for_admin, Transport::Plain, limits, stop.clone(), move |_, request| {
        let admin = admin.clone();
        async move { admin.answer(&request) }
    });
    let mut serving = tokio::spawn(serving);
    let mut administering = tokio::spawn(administering);
    let address = flags.listen();
    let discovering = tokio::spawn(async move {
        if let Base::Discovered(discovery) = &base {
            account.discover(discovery).await;
        }
    });
    let keeping = vault.clone().map(|vault| tokio::spawn(vault.keep()));
    let announcing = tokio::spawn(async move {
        readiness.informed().await;
        info!(%address, pods = readiness.pods.len(), after = ?since(started), "ready");
        provider.warm_up().await;
    });

    let told = tokio::select! {
        _ = terminate.recv() => Some("SIGTERM"),
        _ = interrupt.recv() => Some("SIGINT"),
        _ = &mut serving => None,
        _ = &mut administering => None,
    };
    stop.cancel();
    watching.abort();
    discovering.abort();
    announcing.abort();
    let Some(signal) = told else { return Err(Failure::Ended) };
    info!(
        signal,
        "stopping; the interception stays, so that pods are refused and never get the node's role"
    );
    let _ = tokio::join!(serving, administering);
    if let (Some(vault), Some(keeping)) = (vault, keeping) {
        keeping.abort();
        vault.close(REVOKING).await;
    }
    Ok(())
}

fn cluster(flags: &Flags) -> Cluster {
    match (&flags.kubeconfig, &flags.api_server) {
        (Some(path), _) => Cluster::Kubeconfig(path.clone()),
        (None, Some(url)) => Cluster::Server(url.clone(), flags.api_token.clone()),
        (None, None) => Cluster::Inferred,
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Failure::Listen { what, address, source })
}

async fn change_interception(flags: &Flags) -> Result<(), Failure> {
    match (flags.intercept(), flags.host_ip) {
        (Intercept::Nftables, Some(host)) => {
            let to = SocketAddrV4::new(host, flags.app_port);
            let rule = intercept::Rule::new(&flags.host_interface, flags.metadata_addr.0, to)?;
            off_the_runtime(move || intercept::install(&rule)).await?;
            info!(interface = flags.host_interface, metadata = %flags.metadata_addr, %to, "intercepting");
        }
        _ => {
            if let Err(error) = off_the_runtime(intercept::uninstall).await {
                warn!(%error, "could not look for an interception rule of an earlier start; if there is one, it stays");
            }
        }
    }
    Ok(())
}

/// Talking to the kernel blocks, if only for a moment.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InterceptError> + Send + 'static,
) -> Result<T, InterceptError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(InterceptError::Truncated))
}
