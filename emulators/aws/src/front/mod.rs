//! The front itself: its settings, its listeners and the way of a request through it.

mod asked;
mod deciding;
mod ec2_instance;
mod instance;
mod passing;
mod pipeline;
mod rules;
mod settings;
mod target;
mod web_identity;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use http::Request;
use jiff::SignedDuration;

use rolecall_accept::{CancellationToken, Limits, Transport, serve};
use tokio::{net::TcpListener, sync::watch};

pub use ec2_instance::Ec2Instance;
pub use instance::InstanceCredentialsError;
pub use settings::{Account, AccountsError, Enforcement, Settings};

pub(crate) use pipeline::whole_seconds;

use crate::{
    decision::DecisionRecord,
    fault::{Fault, FaultRecord, Faults},
    identity::SessionCredentials,
    journal::{Door, Dropped, Entry, Journal},
    secret::Secret,
    state::{SharedState, State},
    upstream::{Backend, RemoveError},
    web_identity::IssuerKeys,
};

/// An AWS account, or several, behind one port: every request is authenticated, authorised, answered and recorded. Clones
/// share them.
#[derive(Clone, Debug)]
pub struct Front {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    state: SharedState,
    journal: Mutex<Journal>,
    faults: Mutex<Faults>,
    issuers: Mutex<Option<Arc<dyn IssuerKeys>>>,
    /// None where memory is what answers.
    backend: Option<Backend>,
}

// === impl Front ===

impl Front {
    /// An account that holds nothing yet and knows the root key alone.
    pub fn new(settings: Settings) -> Self {
        Self::of(settings, &[])
    }

    /// An account and further ones behind the same port. Each has an IAM of its own; the names of buckets are global. A
    /// request belongs to the account of its key; what belongs to another account needs leave of both.
    ///
    /// # Errors
    /// An id is not one, or ids or root keys are not unique.
    pub fn with_accounts(settings: Settings, accounts: &[Account]) -> Result<Self, AccountsError> {
        Account::check(&settings, accounts)?;
        Ok(Self::of(settings, accounts))
    }

    fn of(settings: Settings, accounts: &[Account]) -> Self {
        let state = State::new(&settings, accounts, settings.clock.wall());
        let upstream = settings.upstream.as_ref();
        let backend = upstream.map(|upstream| Backend::new(upstream, accounts.len() + 1));
        let shared = Shared {
            backend,
            settings,
            state: SharedState::new(state),
            journal: Mutex::default(),
            faults: Mutex::default(),
            issuers: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Serves plain HTTP/1.1 for all services on `listener` until `stop` is cancelled. Several listeners can be served at
    /// once; the entries of the journal say by which [`Door`] they came.
    ///
    /// # Errors
    /// Only if the listener itself fails for good.
    pub async fn serve(&self, listener: TcpListener, door: Door, stop: CancellationToken) -> io::Result<()> {
        self.serve_over(Transport::Plain, listener, door, stop).await
    }

    /// As [`serve`](Self::serve), as `transport` says: with TLS, the front can stand in for AWS's own names.
    ///
    /// # Errors
    /// Only if the listener itself fails for good.
    pub async fn serve_over(
        &self,
        transport: Transport,
        listener: TcpListener,
        door: Door,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let front = self.clone();
        serve(listener, transport, limits(door), stop, move |peer, request| {
            let front = front.clone();
            async move { front.answer(door, peer, with_host(request)).await }
        })
        .await
    }

    /// What the metadata service gives an instance: the keys of its profile's role, which the service `ec2.amazonaws.com`
    /// assumes for it. The session is named like the instance and lasts six hours of the world's time. The journal does
    /// not show it.
    ///
    /// # Errors
    /// There is no such profile, it has no role, or the role's trust policy does not let EC2 in; or the upstream does not
    /// answer.
    pub async fn instance_credentials(
        &self,
        instance_profile: &str,
        instance_id: &str,
    ) -> Result<SessionCredentials, InstanceCredentialsError> {
        if let Some(backend) = &self.shared.backend {
            let main = self.state().main();
            let now = self.shared.settings.clock.wall();
            let read = backend.refresh(&self.shared.state, main, now).await;
            read.map_err(|error| InstanceCredentialsError::Upstream(error.to_string()))?;
        }
        instance::credentials(
            &self.shared.settings,
            &mut self.state_mut(),
            instance_profile,
            instance_id,
        )
    }

    /// Removes from the upstream all buckets, users, groups, roles, policies, instance profiles, access keys and identity
    /// providers that were made through this front and are still there, with what is in them, and tells how many they
    /// were. Nothing without an upstream: what is in memory goes with the front.
    ///
    /// # Errors
    /// Something could not be removed; everything else was.
    pub async fn remove_all(&self) -> Result<usize, RemoveError> {
        let Some(backend) = &self.shared.backend else {
            return Ok(0);
        };
        let accounts = self.state().accounts();
        backend.remove_all(&accounts).await
    }

    /// The EC2 instances of the main account, in place of those it had. All of them run, each since it was first given
    /// here, in the region of its availability zone.
    pub fn set_instances(&self, instances: Vec<Ec2Instance>) {
        let now = whole_seconds(self.shared.settings.clock.wall());
        self.state_mut().set_instances(instances, now);
    }

    /// Changes to IAM made from now on are seen this late, in the world's time: IAM itself answers with what it was last
    /// told, but keys of a new user, assumptions of roles and decisions go by what has arrived. Zero, as at the start, lets
    /// all be seen at once. Access keys are an exception: one that is made, switched off or deleted is so at once.
    pub fn set_propagation(&self, delay: Duration) {
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
        self.state_mut().set_propagation(delay);
    }

    /// Where AssumeRoleWithWebIdentity gets the keys of issuers from, in place of what was given before. Without any it
    /// answers `IDPCommunicationError`.
    pub fn set_identity_keys(&self, keys: Arc<dyn IssuerKeys>) {
        *self.shared.issuers.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
    }

    /// Every secret access key and session token that the front knows, so that whoever shows texts of the world (the
    /// output of a program, a log) can hide them.
    pub fn secrets(&self) -> Vec<Secret> {
        self.state().keys.secrets()
    }

    /// Every request answered so far (of late, the newest 200,000), oldest first.
    pub fn journal(&self) -> Vec<Entry> {
        self.journal_since(0)
    }

    /// The entries of the journal from this number on, oldest first.
    pub fn journal_since(&self, number: u64) -> Vec<Entry> {
        self.log().since(number)
    }

    /// Changes with every entry of the journal, to the number that the next one will have: for whoever follows it.
    pub fn journal_grown(&self) -> watch::Receiver<u64> {
        self.log().grown()
    }

    /// How much the journal has let go of so far. The numbers of its entries go on, so that a gap shows there as well.
    pub fn journal_dropped(&self) -> Dropped {
        self.log().dropped()
    }

    /// What was decided about the request whose answer carried this id. The newest 10,000 are kept.
    pub fn decision(&self, request_id: &str) -> Option<DecisionRecord> {
        self.log().decision(request_id)
    }

    /// Lets a service (by its signing name: `sts`, `iam`, `s3`, `ec2`, `es`) fail for requests that come by [`Door::World`], the
    /// next `times` of them or until it is [healed](Self::heal). Several faults of one service hold at once.
    pub fn inject(&self, service: &str, fault: Fault, times: Option<u32>) {
        self.faults().plan(service, fault, times);
    }

    /// Ends the faults of a service and tells what they did, all together; none if there was no fault.
    pub fn heal(&self, service: &str) -> Option<FaultRecord> {
        self.faults().heal(service)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.shared.state.read()
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.shared.state.write()
    }

    fn log(&self) -> MutexGuard<'_, Journal> {
        self.shared.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a door allows its peers.
fn limits(door: Door) -> Limits {
    match door {
        Door::World => Limits::shared(),
        Door::Operator => Limits::default(),
    }
}

/// Over HTTP/2 the host comes as `:authority` (RFC 9113, 8.3.1), and is signed as `host` all the same.
fn with_host<B>(mut request: Request<B>) -> Request<B> {
    let authority = request
        .uri()
        .authority()
        .and_then(|authority| authority.as_str().parse().ok());
    if let (false, Some(host)) = (request.headers().contains_key(http::header::HOST), authority) {
        request.headers_mut().insert(http::header::HOST, host);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(uri: &str, host: Option<&str>) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = with_host(request.body(()).expect("a request"));
        let host = request.headers().get("host")?;
        Some(host.to_str().expect("text").to_owned())
    }

    #[test]
    fn one_peer_may_ask_a_thousand_times_at_once_and_leaves_as_much_to_others() {
        let limits = limits(Door::World);
        assert!(limits.per_source >= 1000 && limits.connections >= 2 * limits.per_source);
    }

    #[test]
    fn the_authority_of_http2_is_the_host_unless_one_was_sent() {
        let sts = "https://sts.us-east-1.amazonaws.com/";
        assert_eq!(host_of(sts, None).as_deref(), Some("sts.us-east-1.amazonaws.com"));
        assert_eq!(host_of(sts, Some("other")).as_deref(), Some("other"));
        assert_eq!(host_of("/", None), None);
    }
}
