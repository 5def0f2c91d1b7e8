//! The services of one process: they share a clock, and can begin anew while their sockets stay open.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use rolecall_accept::CancellationToken;
use rolecall_aws::{AccessKey, Account, Door, Enforcement, Front, Upstream};
use rolecall_clock::Clock;
use rolecall_imds::{Credentials, Imds, Instance, InstanceCredentials};
use rolecall_vault::{Direct, Forwarder};
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use super::{
    ServeError,
    control::Removed,
    listen::Listening,
    nodes::{Cloud, Node, Nodes},
    relay::Relay,
};
use crate::secrets::learn;

/// What a front is made with, but for the clock.
#[derive(Clone, Debug)]
pub(crate) struct FrontSettings {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) root: AccessKey,
    /// Further accounts behind the same port.
    pub(crate) accounts: Vec<Account>,
    pub(crate) enforcement: Enforcement,
    /// What stores and answers behind the front; none for its own memory.
    pub(crate) upstream: Option<Upstream>,
    /// The Vault server that a forwarder stands before, `http://host:port`.
    pub(crate) vault: Option<String>,
}

/// The sockets that the services are served on.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) front: Vec<(Listening, Door)>,
    pub(crate) imds: Option<Listening>,
    pub(crate) vault: Vec<(Listening, rolecall_vault::Door)>,
    /// The way to a real API server.
    pub(crate) kubernetes: Option<(Listening, Relay)>,
}

/// The services, on their sockets.
#[derive(Debug)]
pub(crate) struct Services {
    sockets: Sockets,
    pub(crate) nodes: Nodes,
    /// Held while they begin anew.
    restart: tokio::sync::Mutex<()>,
    current: Mutex<Current>,
    /// How often they have begun anew.
    generation: watch::Sender<u64>,
    /// Cancelled when no more is served.
    over: CancellationToken,
    /// Where a service says that it ended though nobody had ended it.
    ended: mpsc::UnboundedSender<ServeError>,
}

/// The services as they are until they begin anew.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) settings: FrontSettings,
    pub(crate) clock: Clock,
    pub(crate) front: Front,
    pub(crate) imds: Imds,
    /// What stands before Vault, if there is one.
    pub(crate) vault: Option<Forwarder>,
    pub(crate) given: Arc<Given>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What the metadata service has given out, by kind, so that it can be found where it must not be.
#[derive(Default)]
pub(crate) struct Given(Mutex<Vec<(&'static str, String)>>);

/// Keys of an instance, from the front as EC2 gets them.
struct FromFront {
    front: Front,
    nodes: Nodes,
    given: Arc<Given>,
}

// === impl Services ===

impl Services {
    /// Serves on these sockets until [`stop`](Self::stop).
    ///
    /// # Errors
    /// The accounts cannot be told apart, or there are no descriptors left.
    pub(crate) fn start(
        sockets: Sockets,
        settings: FrontSettings,
        nodes: Vec<Node>,
        ended: mpsc::UnboundedSender<ServeError>,
    ) -> Result<Arc<Self>, ServeError> {
        let own = Nodes::default();
        let current = Current::new(settings, own.clone(), nodes).map_err(ServeError::Usage)?;
        let services = Self {
            sockets,
            nodes: own,
            restart: tokio::sync::Mutex::default(),
            current: Mutex::new(current.clone()),
            generation: watch::Sender::new(0),
            over: CancellationToken::new(),
            ended,
        };
        let unable = |error| ServeError::Unable(format!("cannot serve: {error}"));
        services.serve(&current).map_err(unable)?;
        services.pass_on().map_err(unable)?;
        Ok(Arc::new(services))
    }

    /// The services as they are now.
    pub(crate) fn current(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes when they begin anew.
    pub(crate) fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Replaces the instances.
    ///
    /// # Errors
    /// They cannot be told apart.
    pub(crate) fn put_nodes(&self, nodes: Vec<Node>) -> Result<(), String> {
        self.current().put_nodes(&self.nodes, nodes)
    }

    /// Begins anew: the clock, what AWS knows, journals, faults and instances. Nobody is refused meanwhile; a request
    /// that is under way is answered by what was before. When this returns, nothing of that is left, and what was made in
    /// an upstream has been removed there: how much, and what could not be.
    ///
    /// # Errors
    /// The settings contradict each other: nothing was changed.
    pub(crate) async fn reset(&self, settings: FrontSettings, nodes: Option<Vec<Node>>) -> Result<Removed, String> {
        let _alone = self.restart.lock().await;
        let nodes = nodes.unwrap_or_else(|| self.nodes.given());
        let fresh = Nodes::default();
        // Tried on nodes of their own first: what is refused changes nothing.
        Current::new(settings.clone(), fresh, nodes.clone())?;
        let before = self.current();
        before.end().await;
        let removed = before.remove_all().await;
        if let Some(relay) = self.relay() {
            relay.heal();
        }
        self.nodes.clear();
        let current = Current::new(settings, self.nodes.clone(), nodes)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current.clone();
        self.serve(&current)
            .map_err(|error| format!("cannot serve again: {error}"))?;
        self.generation.send_modify(|generation| *generation += 1);
        Ok(removed)
    }

    /// Stops serving; requests that are under way are answered, for a second.
    pub(crate) async fn stop(&self) {
        let _alone = self.restart.lock().await;
        self.over.cancel();
        self.current().end().await;
    }

    /// The way to the API server, if there is one.
    pub(crate) fn relay(&self) -> Option<&Relay> {
        self.sockets.kubernetes.as_ref().map(|(_, relay)| relay)
    }

    /// Connections to the API server live on while the services begin anew.
    fn pass_on(&self) -> io::Result<()> {
        let Some((socket, relay)) = &self.sockets.kubernetes else {
            return Ok(());
        };
        let (listener, relay, stop) = (socket.listener()?, relay.clone(), self.over.clone());
        let ended = self.ended.clone();
        tokio::spawn(async move {
            if let Err(error) = relay.serve(listener, stop).await {
                let what = "the way to the API server";
                let _ = ended.send(ServeError::Ended { what, error });
            }
        });
        Ok(())
    }

    fn serve(&self, current: &Current) -> io::Result<()> {
        for (socket, door) in &self.sockets.front {
            let (front, door, stop) = (current.front.clone(), *door, current.stop.clone());
            let listener = socket.listener()?;
            self.spawn(current, "AWS", async move { front.serve(listener, door, stop).await });
        }
        if let Some(socket) = &self.sockets.imds {
            let (imds, stop) = (current.imds.clone(), current.stop.clone());
            let listener = socket.listener()?;
            self.spawn(current, "the metadata service", async move {
                imds.serve(listener, stop).await
            });
        }
        if let Some(forwarder) = &current.vault {
            for (socket, door) in &self.sockets.vault {
                let (forwarder, door, stop) = (forwarder.clone(), *door, current.stop.clone());
                let listener = socket.listener()?;
                self.spawn(
                    current,
                    "Vault",
                    async move { forwarder.serve(listener, door, stop).await },
                );
            }
        }
        Ok(())
    }

    fn spawn(
        &self,
        current: &Current,
        what: &'static str,
        serving: impl Future<Output = io::Result<()>> + Send + 'static,
    ) {
        let ended = self.ended.clone();
        current.tasks.spawn(async move {
            if let Err(error) = serving.await {
                let _ = ended.send(ServeError::Ended { what, error });
            }
        });
    }
}

// === impl Current ===

impl Current {
    fn new(settings: FrontSettings, nodes: Nodes, given: Vec<Node>) -> Result<Self, String> {
        let clock = Clock::new();
        let own = rolecall_aws::Settings {
            account: settings.account.clone(),
            region: settings.region.clone(),
            root: settings.root.clone(),
            clock: clock.clone(),
            enforcement: settings.enforcement,
            upstream: settings.upstream.clone(),
        };
        let front = Front::with_accounts(own, &settings.accounts).map_err(|error| error.to_string())?;
        let handed_out = Arc::new(Given::default());
        let source = FromFront {
            front: front.clone(),
            nodes: nodes.clone(),
            given: handed_out.clone(),
        };
        let vault = settings.vault.as_deref();
        let vault = vault.map(|upstream| Forwarder::new(upstream, clock.clone(), Arc::new(Direct)));
        let vault = vault.transpose().map_err(|error| error.to_string())?;
        let imds = Imds::new(clock.clone(), Arc::new(nodes.clone()), Arc::new(source));
        let current = Self {
            settings,
            clock,
            front,
            imds,
            vault,
            given: handed_out,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        current.put_nodes(&nodes, given)?;
        Ok(current)
    }

    fn put_nodes(&self, nodes: &Nodes, given: Vec<Node>) -> Result<(), String> {
        nodes.put(
            given,
            &Cloud {
                account: self.settings.account.clone(),
                region: self.settings.region.clone(),
                clock: self.clock.clone(),
            },
        )?;
        self.front.set_instances(nodes.describe());
        for instance in nodes.instances() {
            self.given.remember("user data", &instance.user_data);
            self.given
                .remember_keys("identity credentials", &instance.identity_credentials);
        }
        Ok(())
    }

    /// Removes from the upstream, if there is one, what was made through this front.
    pub(crate) async fn remove_all(&self) -> Removed {
        match self.front.remove_all().await {
            Ok(removed) => Removed {
                removed: Some(removed),
                failures: Vec::new(),
            },
            Err(error) => Removed {
                removed: None,
                failures: error.failures,
            },
        }
    }

    async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        // The servers drain for a second at the most.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.tasks.wait()).await;
    }
}

// === impl Given ===

impl Given {
    fn remember(&self, what: &'static str, value: &str) {
        // A key's id is no secret by itself; reports show it shortened.
        if value.len() > 20 {
            learn(value);
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !value.is_empty() && known.iter().all(|(_, old)| old != value) {
            known.push((what, value.to_owned()));
        }
    }

    fn remember_keys(&self, what: &'static str, keys: &Credentials) {
        for value in [&keys.access_key_id, &keys.secret_access_key, &keys.token] {
            self.remember(what, value);
        }
    }

    /// What was given out, with its kind.
    pub(crate) fn all(&self) -> Vec<(&'static str, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

// === impl FromFront ===

impl InstanceCredentials for FromFront {
    fn credentials<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<Credentials, String>> {
        let profile = self.nodes.profile_of(&instance.instance_id).unwrap_or_default();
        Box::pin(async move {
            let issued = self.front.instance_credentials(&profile, &instance.instance_id);
            let keys = issued.await.map_err(|error| error.to_string())?;
            let keys = Credentials {
                access_key_id: keys.access_key_id,
                secret_access_key: keys.secret_access_key.expose().to_owned(),
                token: keys.session_token.expose().to_owned(),
                expiration: keys.expiration,
                last_updated: keys.last_updated,
            };
            self.given.remember_keys("role credentials", &keys);
            Ok(keys)
        })
    }
}
