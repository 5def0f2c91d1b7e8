//! The way of a request: seal, token, policy, engine, wrapping.

use std::{borrow::Cow, sync::Arc};

use jiff::SignedDuration;
use serde_json::json;

use crate::{
    aws,
    core::Core,
    kubernetes, mint,
    mount::Backend,
    reply::{Done, Refusal, Reply, several},
    request::{Operation, Request},
    sys,
    token::{self, Token},
};

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The token itself; empty for a login.
    pub(crate) token: String,
    pub(crate) display_name: String,
    pub(crate) policies: Vec<String>,
}

/// Which engine answers.
enum Engine {
    System,
    Nothing,
    Cubbyhole,
    Token,
    Aws,
    Kubernetes,
}

// === impl Core ===

impl Core {
    /// Answers a request.
    pub(crate) async fn handle(self: &Arc<Self>, request: Request) -> Done {
        if let Some(done) = self.always(&request) {
            return done;
        }
        if self.state().seal.is_sealed() {
            return Err(Refusal::sealed());
        }
        self.end_tokens();
        let login = self.is_login(&request.path);
        let caller = if login {
            Caller::nobody()
        } else {
            self.authorise(&request)?
        };
        let wrap = request.wrap;
        let path = request.path.clone();
        let used_up = !login && self.state().tokens.take_use(&caller.token);
        let done = self.dispatch(request, &caller).await;
        if used_up {
            let now = self.now();
            self.state().end_token(&caller.token, now);
            self.wake.notify_one();
        }
        match (done, wrap) {
            (Ok(reply), Some(ttl)) if reply.has_body() && reply.wrap_info.is_none() => Ok(self.wrap(reply, &path, ttl)),
            (done, _) => done,
        }
    }

    fn is_login(&self, path: &str) -> bool {
        let state = self.state();
        let mount = state.mounts.of(path);
        mount.is_some_and(|mount| {
            matches!(mount.backend, Backend::Kubernetes(_)) && path == format!("{}login", mount.path)
        })
    }

    /// The token must live, and its policies must allow the operation.
    fn authorise(&self, request: &Request) -> Result<Caller, Refusal> {
        let state = self.state();
        let now = self.now();
        // A wrapping token may be its own credential, in the body or in the header.
        let Some(token) = &request.token else {
            if let Some(inner) = sys::own_wrapping_token(request) {
                return match state.live_token(&inner, now).filter(|token| token.wrapped.is_some()) {
                    Some(found) => Ok(Caller::of(&inner, found)),
                    None => Err(Refusal::bad("wrapping token is not valid or does not exist")),
                };
            }
            return Err(Refusal::forbidden("permission denied"));
        };
        let Some(found) = state.live_token(token, now) else {
            return Err(Refusal::forbidden(several(&["permission denied", "invalid token"])));
        };
        let acl = state.acl(&found.policies);
        let on = acl.on(&request.path);
        let wanted: &[&str] = match request.operation {
            Operation::Read => &["read"],
            Operation::List => &["list"],
            Operation::Delete => &["delete"],
            Operation::Patch => &["patch"],
            Operation::Write => match self.exists(&state, &request.path) {
                None | Some(true) => &["update"],
                Some(false) => &["create"],
            },
        };
        let allowed = on.contains("root") || wanted.iter().all(|capability| on.contains(capability));
        let sudo = !sys::wants_sudo(&request.path, request.operation) || on.contains("root") || on.contains("sudo");
        if !allowed || !sudo {
            return Err(Refusal::denied());
        }
        Ok(Caller::of(token, found))
    }

    /// Whether what is written is there already, for the paths that tell `create` from `update`.
    fn exists(&self, state: &crate::state::State, path: &str) -> Option<bool> {
        let mount = state.mounts.of(path)?;
        let rest = path.strip_prefix(&mount.path)?;
        match &mount.backend {
            Backend::Aws(aws) if rest == "config/root" => Some(aws.root.is_some()),
            Backend::Kubernetes(kubernetes) => {
                let role = rest.strip_prefix("role/")?;
                Some(kubernetes.roles.contains_key(&role.to_lowercase()))
            }
            Backend::Cubbyhole => Some(false),
            _ => None,
        }
    }

    async fn dispatch(self: &Arc<Self>, request: Request, caller: &Caller) -> Done {
        let (mount, engine, kind) = {
            let state = self.state();
            let Some(mount) = state.mounts.of(&request.path) else {
                return Err(Refusal::no_route(&request.path));
            };
            let engine = match &mount.backend {
                Backend::System => Engine::System,
                Backend::Identity => Engine::Nothing,
                Backend::Cubbyhole => Engine::Cubbyhole,
                Backend::Token => Engine::Token,
                Backend::Aws(_) => Engine::Aws,
                Backend::Kubernetes(_) => Engine::Kubernetes,
            };
            (mount.path.clone(), engine, mount.backend.kind())
        };
        let rest = request.path[mount.len()..].to_owned();
        let rest = rest
            .strip_suffix('/')
            .map_or(Cow::Borrowed(rest.as_str()), |rest| Cow::Owned(rest.to_owned()));
        let done = match engine {
            Engine::System => sys::handle(self, &request, &rest, caller).await,
            Engine::Nothing => Err(Refusal::unsupported_path()),
            Engine::Cubbyhole => sys::cubbyhole(self, &request, &rest, caller),
            Engine::Token => token::handle(self, &request, &rest, caller),
            Engine::Aws => aws::handle(self, &request, &mount, &rest, caller).await,
            Engine::Kubernetes => kubernetes::handle(self, &request, &mount, &rest).await,
        };
        done.map(|mut reply| {
            // An auth method's own answer has no type where it hands a token out.
            if reply.mount_type.is_empty() && (reply.auth.is_none() || matches!(engine, Engine::Token)) {
                reply.mount_type = kind.to_owned();
            }
            reply
        })
    }

    /// Puts an answer away under a token of its own.
    fn wrap(&self, reply: Reply, path: &str, ttl: SignedDuration) -> Reply {
        let now = self.now();
        let wrapped_accessor = reply.auth.as_ref().map(|auth| auth["accessor"].clone());
        let token = mint::service_token(false);
        let entry = Token {
            policies: vec!["response-wrapping".to_owned()],
            display_name: String::new(),
            path: path.to_owned(),
            creation_ttl: ttl,
            expires: Some(now.saturating_add(ttl).unwrap_or(jiff::Timestamp::MAX)),
            explicit_max: ttl,
            uses: Some(1),
            wrapped: Some(Box::new((reply.envelope(), path.to_owned()))),
            ..Token::root(now)
        };
        let mut info = json!({
            "token": token,
            "accessor": entry.accessor,
            "ttl": ttl.as_secs(),
            "creation_time": now.to_string(),
            "creation_path": path,
        });
        if let Some(accessor) = wrapped_accessor {
            info["wrapped_accessor"] = accessor;
        }
        self.state().tokens.add(token, entry);
        Reply {
            wrap_info: Some(info),
            ..Reply::default()
        }
    }
}

// === impl Caller ===

impl Caller {
    fn nobody() -> Self {
        Self {
            token: String::new(),
            display_name: String::new(),
            policies: Vec::new(),
        }
    }

    fn of(token: &str, entry: &Token) -> Self {
        Self {
            token: token.to_owned(),
            display_name: entry.display_name.clone(),
            policies: entry.policies.clone(),
        }
    }
}
