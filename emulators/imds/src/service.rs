use std::{fmt, future::pending, io, sync::Arc};

use http::{HeaderMap, Method, Request, StatusCode, Uri, request::Parts};
use jiff::Timestamp;
use rolecall_accept::{CancellationToken, Limits, Peer, Transport, Unanswered, serve};
use rolecall_clock::Clock;
use tokio::net::TcpListener;
use tracing::warn;

use crate::{
    Directory, Fault, ImdsRequest, Instance, InstanceCredentials, Tokens,
    answer::{self, Answer, TTL},
    credentials::CredentialCache,
    fault::{FaultRecord, Faults},
    journal::Journal,
    session::{self, Sessions},
    spelling::fold,
    tree::{self, Entry},
};

const TOKEN: &str = "x-aws-ec2-metadata-token";
const FORWARDED: &str = "x-forwarded-for";

/// The instance metadata service of all nodes of a world. Clones are the same service.
#[derive(Clone)]
pub struct Imds(Arc<Inner>);

struct Inner {
    clock: Clock,
    /// The time that instances say they were started at.
    since: Timestamp,
    directory: Arc<dyn Directory>,
    credentials: CredentialCache,
    sessions: Sessions,
    journal: Journal,
    faults: Faults,
}

impl Imds {
    /// A service that tells instances by `directory` and takes their roles' credentials from `credentials`.
    pub fn new(clock: Clock, directory: Arc<dyn Directory>, credentials: Arc<dyn InstanceCredentials>) -> Self {
        Self(Arc::new(Inner {
            since: clock.wall(),
            credentials: CredentialCache::new(clock.clone(), credentials),
            sessions: Sessions::new(clock.clone()),
            directory,
            clock,
            journal: Journal::default(),
            faults: Faults::default(),
        }))
    }

    /// Answers on `listener` until `stop` is cancelled. May be called for several listeners.
    ///
    /// # Errors
    /// Only if the listener itself fails for good.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let service = self.0.clone();
        let limits = Limits::shared();
        serve(
            listener,
            Transport::Plain,
            limits,
            stop,
            move |peer, request: Request<_>| {
                let service = service.clone();
                // The body is not read: no request of the service has one.
                let (parts, _) = request.into_parts();
                async move { service.record(peer, parts).await }
            },
        )
        .await
    }

    /// What was asked so far, the oldest first; the last ten thousand requests are kept.
    pub fn requests(&self) -> Vec<ImdsRequest> {
        self.0.journal.requests()
    }

    /// Lets answers go wrong from now on, for the next `times` requests or until [`Imds::heal`], besides what was injected
    /// before.
    pub fn inject(&self, fault: Fault, times: Option<u32>) {
        self.0.faults.inject(fault, times);
    }

    /// Ends all faults and says what they did, in the order of their injection.
    pub fn heal(&self) -> Vec<FaultRecord> {
        self.0.faults.heal()
    }
}

// === impl Imds ===

impl fmt::Debug for Imds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imds").finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    async fn record(&self, peer: Peer, parts: Parts) -> Answer {
        let instance = self.directory.instance_for(peer.remote.ip().to_canonical());
        let node = instance.as_ref().map(|instance| instance.node.clone());
        let request = (&parts.method, &parts.uri, &parts.headers);
        let number = self.journal.arrived(self.clock.wall(), peer.remote, node, request);
        let befallen = self.faults.next();
        if !befallen.delay.is_zero() {
            tokio::time::sleep(befallen.delay).await;
        }
        let mut answer = match (befallen.status, instance) {
            (Some(status), _) => answer::error(status),
            (None, Some(instance)) => {
                self.answer(peer, &instance, &parts.method, &parts.uri, &parts.headers)
                    .await
            }
            // Nobody's instance: nothing is known about it.
            (None, None) => answer::error(StatusCode::NOT_FOUND),
        };
        if befallen.unanswered {
            answer.extensions_mut().insert(Unanswered);
            return answer;
        }
        self.journal.answered(number, answer.status().as_u16());
        answer
    }

    async fn answer(
        &self,
        peer: Peer,
        instance: &Instance,
        method: &Method,
        target: &Uri,
        headers: &HeaderMap,
    ) -> Answer {
        let path = fold(target.path());
        let entry = tree::find(instance, &path.segments, self.since);
        if *method == Method::PUT {
            return match entry {
                Some(Entry::Token) => self.token(peer, instance, headers).await,
                _ => answer::error(StatusCode::METHOD_NOT_ALLOWED),
            };
        }
        if *method != Method::GET && *method != Method::HEAD {
            return answer::error(StatusCode::METHOD_NOT_ALLOWED);
        }
        // A token that is sent must be good, also where none is needed.
        let remaining = match (headers.get(TOKEN), instance.tokens) {
            (Some(token), _) => {
                let known = token
                    .to_str()
                    .ok()
                    .and_then(|token| self.sessions.remaining(&instance.instance_id, token));
                match known {
                    Some(seconds) => Some(seconds),
                    None => return answer::error(StatusCode::UNAUTHORIZED),
                }
            }
            (None, Tokens::Required) => return answer::error(StatusCode::UNAUTHORIZED),
            (None, Tokens::Optional) => None,
        };
        let answer = match entry {
            None => answer::error(StatusCode::NOT_FOUND),
            Some(Entry::Token) => answer::error(StatusCode::METHOD_NOT_ALLOWED),
            Some(Entry::Text(text)) => answer::text(text),
            Some(Entry::SecurityCredentials(_, names)) if path.slash => answer::text(names),
            Some(Entry::SecurityCredentials(version, _)) => {
                answer::moved(&format!("/{version}/meta-data/iam/security-credentials/"))
            }
            Some(Entry::RoleCredentials(role)) => answer::text(self.role_credentials(instance, &role).await),
        };
        match remaining {
            Some(seconds) => answer::with_ttl(answer, seconds),
            None => answer,
        }
    }

    /// Opens a session. The order of the checks is the real service's: who was forwarded learns nothing more.
    async fn token(&self, peer: Peer, instance: &Instance, headers: &HeaderMap) -> Answer {
        if headers.contains_key(FORWARDED) {
            return answer::error(StatusCode::FORBIDDEN);
        }
        if !instance.within_hop_limit(peer.remote.ip()) {
            // The packets of this answer would die on their way. The peer waits until it gives up.
            pending::<()>().await;
        }
        let Some(ttl) = session::ttl(headers.get(TTL).map(|value| value.as_bytes())) else {
            return answer::error(StatusCode::BAD_REQUEST);
        };
        let token = self.sessions.open(&instance.instance_id, ttl);
        answer::with_ttl(answer::text(token), ttl.into())
    }

    async fn role_credentials(&self, instance: &Instance, role: &str) -> String {
        match self.credentials.get(instance, role).await {
            Ok(credentials) => tree::document(&credentials),
            Err(message) => {
                warn!(
                    node = instance.node,
                    role, message, "no credentials for the instance's role"
                );
                tree::refusal(&message, self.clock.wall())
            }
        }
    }
}
