use std::{fmt, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, SERVER},
};
use http_body_util::Full;
use rolecall_clock::{monotonic, since};
use tracing::{debug, warn};

use super::{Passthrough, Refusal, Route, Tokens, host};
use crate::{
    credentials::{Cache, Key, document},
    may,
    metrics::Metrics,
    vault::Vault,
    which::{Base, DefaultRole, RoleError, Wanted},
    who::{Directory, Namespaces, PodRecord, Unidentified},
};

const TOKEN: &str = "x-aws-ec2-metadata-token";
const TOKEN_TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const FORWARDED: &str = "x-forwarded-for";
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// What is decided from, beside what is known of pods.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Prefix of roles given by name.
    pub base: Base,
    /// The role of pods that have no role annotation; namespaces limit it as any other.
    pub default_role: Option<DefaultRole>,
    /// Whether namespaces limit their pods' roles.
    pub restriction: Restriction,
    /// Whether a session token must be given.
    pub require_token: bool,
}

/// Whether namespaces limit their pods' roles.
#[derive(Clone, Debug)]
pub enum Restriction {
    /// They do not: a pod may have any role that it names.
    Off,
    /// Only the roles that the namespace's annotation allows.
    On(Arc<Namespaces>),
}

/// The way of one request, from the address it comes from to its answer.
#[derive(Debug)]
pub struct Pipeline {
    /// What is decided from.
    pub rules: Rules,
    /// Who has which address.
    pub pods: Arc<Directory>,
    /// Keys of AWS's roles.
    pub cache: Cache,
    /// Keys of Vault's roles, where there is a Vault.
    pub vault: Option<Vault>,
    /// Session tokens.
    pub tokens: Tokens,
    /// The node's own metadata.
    pub passthrough: Passthrough,
    /// Counters.
    pub metrics: Metrics,
}

type Answer = Response<Full<Bytes>>;

impl Pipeline {
    /// Answers a request that came from `remote`, which alone says who asks. The body is not read.
    pub async fn answer<B>(&self, remote: SocketAddr, request: Request<B>) -> Answer {
        let started = monotonic();
        let asked = Asked::new(remote, &request);
        let mut progress = Progress::default();
        let answer = match self.decide(&asked, request.headers(), &mut progress).await {
            Ok(answer) => answer,
            Err(refusal) => {
                self.report(&asked, &progress, &refusal);
                refuse(&refusal)
            }
        };
        self.metrics
            .request(&asked.route, asked.method, answer.status().as_u16(), since(started));
        answer
    }

    async fn decide(&self, asked: &Asked<'_>, headers: &HeaderMap, progress: &mut Progress) -> Result<Answer, Refusal> {
        asked.method_is_right()?;
        if !host::is_ours(asked.target, headers) {
            return Err(Refusal::ForeignHost);
        }
        let pod = self.pods.pod_at(asked.remote.ip()).await?;
        progress.pod = Some(pod.clone());
        match &asked.route {
            Route::Token => self.token(&pod, headers),
            Route::Other => {
                self.check_token(&pod, headers)?;
                self.pass(asked).await
            }
            Route::Listing => {
                self.check_token(&pod, headers)?;
                let role = self.role(&pod, progress)?;
                self.may(&pod, role).await?;
                Ok(respond(StatusCode::OK, TEXT, role.name().to_owned()))
            }
            Route::Credentials(name) => {
                self.check_token(&pod, headers)?;
                let role = self.role(&pod, progress)?;
                if !role.is_called(name) {
                    return Err(Refusal::OtherRole);
                }
                self.may(&pod, role).await?;
                let credentials = match role {
                    Wanted::Aws(role) => {
                        let key = Key {
                            role_arn: role.arn.clone(),
                            external_id: pod.external_id.clone(),
                        };
                        self.cache.get(&key).await
                    }
                    Wanted::Vault(role) => self.vault()?.get(&pod, role).await,
                };
                let credentials = credentials.map_err(|error| Refusal::Keys((*error).clone()))?;
                debug!(%pod, %role, access_key_id = credentials.access_key_id, "served");
                Ok(respond(StatusCode::OK, TEXT, document(&credentials)))
            }
        }
    }

    fn role<'a>(&self, pod: &PodRecord, progress: &'a mut Progress) -> Result<&'a Wanted, Refusal> {
        let base = self.rules.base.get();
        let wanted = Wanted::of_pod(
            pod.role.as_deref(),
            pod.vault_role.as_deref(),
            self.rules.default_role.as_ref(),
            base.ok().flatten(),
        );
        match wanted {
            Ok(Wanted::Vault(role)) => {
                self.vault()?;
                Ok(progress.role.insert(Wanted::Vault(role)))
            }
            // What a name means is not known before the base ARN is.
            other => {
                base?;
                Ok(progress.role.insert(other?))
            }
        }
    }

    fn vault(&self) -> Result<&Vault, Refusal> {
        Ok(self.vault.as_ref().ok_or(RoleError::NoVault)?)
    }

    async fn may(&self, pod: &PodRecord, role: &Wanted) -> Result<(), Refusal> {
        let Restriction::On(namespaces) = &self.rules.restriction else {
            return Ok(());
        };
        let namespace = match namespaces.named(&pod.namespace).await {
            Some(namespace) => namespace,
            None if namespaces.is_synced() => return Err(may::Denied::UnknownNamespace.into()),
            None => return Err(Unidentified::NotSynced.into()),
        };
        match role {
            Wanted::Aws(role) => namespace.allowed_roles.allow(role, self.rules.base.get()?)?,
            Wanted::Vault(role) => namespace.allowed_roles.allow_vault(role)?,
        }
        Ok(())
    }

    fn token(&self, pod: &PodRecord, headers: &HeaderMap) -> Result<Answer, Refusal> {
        // Whoever forwards requests of others would hand them a token (as the metadata service itself decides).
        if headers.contains_key(FORWARDED) {
            return Err(Refusal::Forwarded);
        }
        let ttl = single(headers, TOKEN_TTL).unwrap_or_default();
        let token = self.tokens.issue(&pod.uid, ttl)?;
        let mut answer = respond(StatusCode::OK, TEXT, token);
        if let Ok(ttl) = HeaderValue::from_str(ttl) {
            answer.headers_mut().insert(TOKEN_TTL, ttl);
        }
        Ok(answer)
    }

    fn check_token(&self, pod: &PodRecord, headers: &HeaderMap) -> Result<(), Refusal> {
        if !headers.contains_key(TOKEN) {
            return if self.rules.require_token {
                Err(Refusal::TokenWanted)
            } else {
                Ok(())
            };
        }
        // Two tokens, or one that is no text, are no token of ours.
        Ok(self
            .tokens
            .check(&pod.uid, single(headers, TOKEN).unwrap_or_default())?)
    }

    async fn pass(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        // Only the origin form, without a query, is as it looks: a path.
        let plain = asked.target.authority().is_none() && asked.target.query().is_none();
        let path = asked.target.path();
        if !asked.is_read() || !plain || !self.passthrough.allows(path) {
            return Err(Refusal::NotPassed);
        }
        let passed = self.passthrough.fetch(path).await?;
        Ok(respond(
            StatusCode::OK,
            passed.content_type.unwrap_or(TEXT),
            passed.body,
        ))
    }

    fn report(&self, asked: &Asked<'_>, progress: &Progress, refusal: &Refusal) {
        self.metrics.denial(refusal.reason());
        let pod = progress
            .pod
            .as_ref()
            .map_or_else(|| "?".to_owned(), ToString::to_string);
        let role = match (&progress.role, &progress.pod) {
            (Some(role), _) => role.to_string(),
            (None, Some(pod)) => as_written(pod),
            (None, None) => String::new(),
        };
        let path: String = asked.target.path().chars().take(200).collect();
        warn!(
            pod,
            ?role,
            reason = %refusal,
            status = refusal.status().as_u16(),
            source = %asked.remote,
            method = %asked.method,
            ?path,
            "refused"
        );
    }
}

/// A request, as far as it matters.
struct Asked<'a> {
    remote: SocketAddr,
    method: &'a Method,
    target: &'a http::Uri,
    route: Route,
}

/// What was found out before a request was refused, for the log.
#[derive(Default)]
struct Progress {
    pod: Option<Arc<PodRecord>>,
    role: Option<Wanted>,
}

/// The annotations of a pod that names no one role.
fn as_written(pod: &PodRecord) -> String {
    let vault = pod.vault_role.as_ref().map(|role| format!("vault:{role}"));
    let all: Vec<String> = pod.role.clone().into_iter().chain(vault).collect();
    all.join(" and ")
}

/// The one value of a header; none if there are several.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn refuse(refusal: &Refusal) -> Answer {
    let mut answer = respond(refusal.status(), TEXT, format!("{}\n", refusal.text()));
    if let Refusal::Method { allowed } = refusal {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    }
    answer
}

fn respond(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    // The metadata service's own name, which some clients look for.
    answer.headers_mut().insert(SERVER, HeaderValue::from_static("EC2ws"));
    answer
}

// === impl Asked ===

impl<'a> Asked<'a> {
    fn new<B>(remote: SocketAddr, request: &'a Request<B>) -> Self {
        let target = request.uri();
        Self {
            remote,
            method: request.method(),
            target,
            route: Route::of(target.path()),
        }
    }

    fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    fn method_is_right(&self) -> Result<(), Refusal> {
        match self.route {
            Route::Token if self.method != Method::PUT => Err(Refusal::Method { allowed: "PUT" }),
            Route::Listing | Route::Credentials(_) if !self.is_read() => Err(Refusal::Method { allowed: "GET, HEAD" }),
            _ => Ok(()),
        }
    }
}

// === impl PodRecord ===

impl fmt::Display for PodRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
