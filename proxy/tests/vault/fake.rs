//! Vault's HTTP API, as far as the proxy uses it, and the API server's tokens for service accounts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::LOCATION};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use rolecall_accept::{CancellationToken, Limits, Transport, serve};
use rolecall_clock::Clock;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Semaphore};

/// One Vault, or the API server: what is told apart is the path.
#[derive(Clone)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    clock: Clock,
    /// What is held up takes a permit before it is answered.
    pub(crate) gate: Arc<Semaphore>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) tokens: BTreeMap<String, Token>,
    pub(crate) leases: HashMap<String, Lease>,
    /// When leases ended that live no more.
    pub(crate) ended: HashMap<String, Timestamp>,
    /// Nothing ends before.
    next_end: Timestamp,
    pub(crate) users: BTreeSet<String>,
    /// IAM users ever made.
    pub(crate) users_made: usize,
    /// `METHOD path -> status`.
    pub(crate) asked: Vec<String>,
    /// Bodies of requests, in the same order.
    pub(crate) bodies: Vec<Value>,
    pub(crate) roles: HashMap<String, Role>,
    /// Answers instead of the usual ones, by a part of the path.
    pub(crate) faults: Vec<(&'static str, Fault)>,
    pub(crate) token_ttl: i64,
    /// Life that renewals do not get beyond.
    pub(crate) token_max: i64,
    pub(crate) token_renewable: bool,
    pub(crate) count_only: bool,
    pub(crate) requests: usize,
    numbers: usize,
}

pub(crate) struct Token {
    until: Timestamp,
    last: Timestamp,
    renewable: bool,
    pub(crate) account: String,
}

pub(crate) struct Lease {
    pub(crate) until: Timestamp,
    pub(crate) token: String,
    user: Option<String>,
}

#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// Keys of STS for so many seconds.
    Session(i64),
    /// An IAM user.
    User,
    /// An IAM user, by a role of the old form.
    LegacyUser,
    /// A role of AWS, by a role of the old form.
    Legacy(i64),
}

#[derive(Clone)]
pub(crate) enum Fault {
    Answer(u16, &'static str),
    Plain(u16, &'static str),
    Led(String),
    /// Waits at the gate.
    Held,
    /// Is done at once, and answered when the gate opens.
    AnsweredLate,
    /// Waits at the gate if the body or the token's account says so.
    HeldFor(&'static str),
}

type Answer = Response<Full<Bytes>>;

impl Fake {
    /// Answers at a port of its own.
    pub(crate) async fn start(clock: &Clock) -> (Self, SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let fake = Self::new(clock);
        let (address, stop) = fake.serve(listener, Transport::Plain);
        (fake, address, stop)
    }

    pub(crate) fn new(clock: &Clock) -> Self {
        let state = State {
            roles: HashMap::from([
                ("readonly".to_owned(), Role::Session(900)),
                ("user".to_owned(), Role::User),
            ]),
            token_ttl: 1200,
            token_max: 2_764_800,
            token_renewable: true,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock: clock.clone(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn serve(&self, listener: TcpListener, transport: Transport) -> (SocketAddr, CancellationToken) {
        let (address, stop) = (listener.local_addr().expect("its address"), CancellationToken::new());
        let fake = self.clone();
        let limits = Limits {
            connections: 4096,
            drain: std::time::Duration::from_millis(1),
            ..Limits::default()
        };
        tokio::spawn(serve(listener, transport, limits, stop.clone(), move |_, request| {
            let fake = fake.clone();
            async move { fake.answer(request).await }
        }));
        (address, stop)
    }

    /// Its state, after what has ended by now has ended.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let now = self.clock.wall();
        let mut state = self.state.lock().expect("no panic");
        state.settle(now);
        state
    }

    pub(crate) fn fault(&self, part: &'static str, fault: Fault) {
        self.state().faults.push((part, fault));
    }

    pub(crate) fn heal(&self) {
        self.state().faults.clear();
    }

    /// Requests that were answered, as `METHOD path -> status`, of which `part` is a part.
    pub(crate) fn asked(&self, part: &str) -> Vec<String> {
        let state = self.state();
        state.asked.iter().filter(|line| line.contains(part)).cloned().collect()
    }

    /// Tokens that live.
    pub(crate) fn tokens(&self) -> usize {
        self.state().tokens.len()
    }

    /// When the tokens end that live.
    pub(crate) fn ends(&self) -> Vec<Timestamp> {
        self.state().tokens.values().map(|token| token.until).collect()
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = head.uri.path().trim_start_matches("/v1/").to_owned();
        let token = head.headers.get("x-vault-token").and_then(|value| value.to_str().ok());
        let token = token.unwrap_or_default().to_owned();
        let fault = {
            let state = self.state();
            let account = state.tokens.get(&token).map(|token| token.account.clone());
            let whose = format!("{body} {}", account.unwrap_or_default());
            let hit = state.faults.iter().find(|(part, fault)| {
                let for_whom = match fault {
                    Fault::HeldFor(whom) => whose.contains(whom),
                    _ => true,
                };
                // What is for every path is for Vault's.
                path.contains(part) && for_whom && (!part.is_empty() || !path.starts_with("/api/"))
            });
            hit.map(|(_, fault)| fault.clone())
        };
        let answer = match fault {
            Some(Fault::Answer(code, message)) if path.starts_with("/api/") => {
                let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                                     "message": message, "reason": "", "code": code });
                json_answer(code, &status)
            }
            Some(Fault::Answer(status, text)) => errors(status, text),
            Some(Fault::Plain(status, text)) => plain(status, text),
            Some(Fault::Led(to)) => {
                let mut answer = plain(307, "");
                let to = format!("{to}/v1/{path}").parse().expect("a header");
                answer.headers_mut().insert(LOCATION, to);
                answer
            }
            Some(Fault::Held | Fault::HeldFor(_)) => {
                self.gate.acquire().await.expect("the gate stays").forget();
                self.usual(&head.method, &path, &token, &body)
            }
            Some(Fault::AnsweredLate) => {
                let answer = self.usual(&head.method, &path, &token, &body);
                self.gate.acquire().await.expect("the gate stays").forget();
                answer
            }
            None => self.usual(&head.method, &path, &token, &body),
        };
        let mut state = self.state.lock().expect("no panic");
        state.requests += 1;
        if !state.count_only {
            state
                .asked
                .push(format!("{} {path} -> {}", head.method, answer.status().as_u16()));
            state.bodies.push(body);
        }
        answer
    }

    fn usual(&self, method: &Method, path: &str, token: &str, body: &Value) -> Answer {
        let now = self.clock.wall();
        let mut state = self.state();
        let segments: Vec<&str> = path.split('/').collect();
        match (method.as_str(), &segments[..]) {
            // The API server.
            (
                "POST",
                [
                    "",
                    "api",
                    "v1",
                    "namespaces",
                    namespace,
                    "serviceaccounts",
                    account,
                    "token",
                ],
            ) => {
                let pod = &body["spec"]["boundObjectRef"]["uid"];
                let jwt = format!("jwt:{namespace}:{account}:{}", pod.as_str().unwrap_or_default());
                let until = now + SignedDuration::from_secs(600);
                json_answer(
                    201,
                    &json!({
                        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
                        "spec": body["spec"], "status": { "token": jwt, "expirationTimestamp": until },
                    }),
                )
            }
            ("POST", ["auth", "kubernetes", "login"]) => state.login(now, body),
            _ if !state.tokens.contains_key(token) => {
                errors(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
            }
            ("GET", ["aws", way @ ("sts" | "creds"), role]) => state.lease(now, way, role, token),
            ("POST", ["auth", "token", "renew-self"]) => state.renew(now, token),
            ("POST", ["auth", "token", "revoke-self"]) => {
                state.tokens.remove(token);
                state.end(now);
                plain(204, "")
            }
            ("PUT", ["sys", "leases", "renew"]) => {
                state.renew_lease(now, body["lease_id"].as_str().unwrap_or_default())
            }
            ("GET", ["aws", ..]) => errors(404, "1 error occurred:\n\t* unsupported path\n\n"),
            _ => errors(404, &format!("no handler for route \"{path}\". route entry not found.")),
        }
    }
}

// === impl State ===

impl State {
    /// Tokens end, and with them and by themselves leases, and with those users.
    fn settle(&mut self, now: Timestamp) {
        if now >= self.next_end {
            self.end(now);
        }
    }

    fn end(&mut self, now: Timestamp) {
        let mut ends = HashMap::new();
        self.tokens.retain(|secret, token| {
            ends.insert(secret.clone(), token.until);
            now < token.until
        });
        let (tokens, users, ended) = (&self.tokens, &mut self.users, &mut self.ended);
        self.leases.retain(|id, lease| {
            let lives = now < lease.until && tokens.contains_key(&lease.token);
            if !lives {
                let end = ends.get(&lease.token).copied().unwrap_or(now);
                ended.insert(id.clone(), end.min(lease.until));
                users.retain(|user| Some(user) != lease.user.as_ref());
            }
            lives
        });
        let tokens = self.tokens.values().map(|token| token.until);
        let all = tokens.chain(self.leases.values().map(|lease| lease.until));
        self.next_end = all.min().unwrap_or(Timestamp::MAX);
    }

    /// Forgets every token, as their revocation by somebody would.
    pub(crate) fn forget_tokens(&mut self) {
        self.tokens.clear();
        self.next_end = Timestamp::MIN;
    }

    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    fn login(&mut self, now: Timestamp, body: &Value) -> Answer {
        let (role, jwt) = (
            body["role"].as_str().unwrap_or_default(),
            body["jwt"].as_str().unwrap_or_default(),
        );
        let account = account(jwt);
        match (role, account.as_str()) {
            ("nope", _) => return errors(400, "invalid role name \"nope\""),
            (_, "stranger") => return errors(403, "service account name not authorized"),
            (_, "") => return errors(403, "permission denied"),
            _ => {}
        }
        let secret = format!("hvs.secret-{}", self.number());
        let token = Token {
            until: now + SignedDuration::from_secs(self.token_ttl),
            last: now + SignedDuration::from_secs(self.token_max),
            renewable: self.token_renewable,
            account,
        };
        self.next_end = self.next_end.min(token.until);
        self.tokens.insert(secret.clone(), token);
        json_answer(200, &envelope(&json!({ "auth": self.auth(&secret, self.token_ttl) })))
    }

    fn renew(&mut self, now: Timestamp, secret: &str) -> Answer {
        let ttl = self.token_ttl;
        let Some(token) = self.tokens.get_mut(secret).filter(|token| token.renewable) else {
            return errors(400, "lease is not renewable");
        };
        token.until = (now + SignedDuration::from_secs(ttl)).min(token.last);
        let left = token.until.duration_since(now).as_secs();
        json_answer(200, &envelope(&json!({ "auth": self.auth(secret, left) })))
    }

    fn auth(&self, secret: &str, ttl: i64) -> Value {
        json!({
            "client_token": secret, "accessor": "ML7dt2QAt88dT1WXhl7xYupZ", "policies": ["default", "readonly"],
            "token_policies": ["default", "readonly"], "metadata": { "role": "reader" }, "lease_duration": ttl,
            "renewable": self.token_renewable, "entity_id": "e", "token_type": "service", "orphan": true,
            "mfa_requirement": null, "num_uses": 0,
        })
    }

    fn lease(&mut self, now: Timestamp, way: &str, role: &str, token: &str) -> Answer {
        let legacy = |of: &str| {
            let text = format!(
                "attempted to retrieve {of} credentials through the {way} path; this is not allowed for legacy roles"
            );
            errors(400, &text)
        };
        let (user, life) = match (self.roles.get(role).copied(), way) {
            (None, _) => return errors(400, &format!("Role \"{role}\" not found")),
            (Some(Role::LegacyUser), "sts") => return legacy("iam_user"),
            (Some(Role::Legacy(_)), "creds") => return legacy("assumed_role"),
            (Some(Role::User | Role::LegacyUser), _) => (true, 2_764_800),
            (Some(Role::Session(life) | Role::Legacy(life)), _) if life < 900 => {
                return errors(
                    400,
                    "Error assuming role: InvalidParameter: 1 validation error(s) found.\n- minimum field value of 900, \
                     AssumeRoleInput.DurationSeconds.\n",
                );
            }
            (Some(Role::Session(life) | Role::Legacy(life)), _) => (false, life),
        };
        let number = self.number();
        let id = format!("aws/{way}/{role}/{number}");
        let name = user.then(|| format!("vault-{number}"));
        self.users_made += usize::from(user);
        self.users.extend(name.clone());
        let lease = Lease {
            until: now + SignedDuration::from_secs(life),
            token: token.to_owned(),
            user: name,
        };
        self.next_end = self.next_end.min(lease.until);
        self.leases.insert(id.clone(), lease);
        let data = if user {
            json!({ "access_key": format!("AKIA{number}"), "secret_key": "user-secret", "session_token": null })
        } else {
            json!({
                "access_key": format!("ASIA{number}"), "arn": "arn:aws:sts::123456789012:assumed-role/x/y",
                "secret_key": "lease-secret", "security_token": "lease-token", "session_token": "lease-token",
                "ttl": life,
            })
        };
        let answer = json!({ "lease_id": id, "renewable": user, "lease_duration": life, "data": data });
        json_answer(200, &envelope(&answer))
    }

    fn renew_lease(&mut self, now: Timestamp, id: &str) -> Answer {
        match self.leases.get_mut(id) {
            None => errors(400, "lease not found"),
            Some(lease) if lease.user.is_none() => errors(400, "lease is not renewable"),
            Some(lease) => {
                lease.until = now + SignedDuration::from_secs(2_764_800);
                let answer = json!({ "lease_id": id, "renewable": true, "lease_duration": 2_764_800 });
                json_answer(200, &envelope(&answer))
            }
        }
    }
}

/// The service account's name in a token of this API server, or of the emulator's if it is for Vault.
fn account(jwt: &str) -> String {
    if jwt.starts_with("jwt:") {
        return jwt.split(':').nth(2).unwrap_or_default().to_owned();
    }
    let claims = jwt.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    let bound = &claims["kubernetes.io"];
    if claims["aud"] == json!(["vault"]) && bound["pod"]["uid"].is_string() {
        bound["serviceaccount"]["name"].as_str().unwrap_or_default().to_owned()
    } else {
        String::new()
    }
}

fn envelope(what: &Value) -> Value {
    let mut all = json!({
        "request_id": "ec7229af-8ffd-1082-54e7-c1486aff5219", "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": null, "wrap_info": null, "warnings": null, "auth": null, "mount_type": "",
    });
    for (key, value) in what.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    all
}

fn errors(status: u16, text: &str) -> Answer {
    json_answer(status, &json!({ "errors": [text] }))
}

fn json_answer(status: u16, body: &Value) -> Answer {
    let mut answer = plain(status, &body.to_string());
    let kind = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    answer
}

fn plain(status: u16, body: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_owned())));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    answer
}
