//! Secrets engines and auth methods, and the paths they are mounted on.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::{aws::Aws, kubernetes::Kubernetes, mint};

/// The longest, and the default, life of tokens and leases where nothing else is configured.
pub(crate) const SYSTEM_TTL: SignedDuration = SignedDuration::from_hours(768);

/// What answers on a mount.
pub(crate) enum Backend {
    System,
    Identity,
    Cubbyhole,
    Token,
    Aws(Box<Aws>),
    Kubernetes(Box<Kubernetes>),
}

/// One mount.
pub(crate) struct Mount {
    /// Its path from the root, with a slash at the end: `aws/`, `auth/kubernetes/`.
    pub(crate) path: String,
    pub(crate) accessor: String,
    pub(crate) uuid: String,
    pub(crate) description: String,
    pub(crate) default_ttl: SignedDuration,
    pub(crate) max_ttl: SignedDuration,
    pub(crate) backend: Backend,
}

/// All mounts, by path.
pub(crate) struct Mounts(BTreeMap<String, Mount>);

// === impl Backend ===

impl Backend {
    /// The type as the API names it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Identity => "identity",
            Self::Cubbyhole => "cubbyhole",
            Self::Token => "token",
            Self::Aws(_) => "aws",
            Self::Kubernetes(_) => "kubernetes",
        }
    }
}

// === impl Mount ===

impl Mount {
    pub(crate) fn new(path: &str, description: &str, backend: Backend) -> Self {
        let kind = backend.kind();
        let auth = if path.starts_with("auth/") { "auth_" } else { "" };
        Self {
            path: path.to_owned(),
            accessor: format!("{auth}{kind}_{}", hex::encode(mint::bytes(4))),
            uuid: mint::uuid(),
            description: description.to_owned(),
            default_ttl: SignedDuration::ZERO,
            max_ttl: SignedDuration::ZERO,
            backend,
        }
    }

    /// How long what the mount gives out lives, if nothing else says so, and at most.
    pub(crate) fn ttls(&self) -> (SignedDuration, SignedDuration) {
        let or = |own: SignedDuration, system: SignedDuration| if own.is_zero() { system } else { own };
        let max = or(self.max_ttl, SYSTEM_TTL);
        (or(self.default_ttl, SYSTEM_TTL).min(max), max)
    }

    /// The mount as `sys/mounts` and `sys/auth` show it.
    pub(crate) fn shown(&self) -> Value {
        let auth = self.path.starts_with("auth/");
        let mut config = json!({
            "default_lease_ttl": self.default_ttl.as_secs(),
            "force_no_cache": false,
            "max_lease_ttl": self.max_ttl.as_secs(),
        });
        let (version, passed) = match &self.backend {
            Backend::System => ("v1.21.4+builtin.vault", Some("Accept")),
            Backend::Identity => ("v1.21.4+builtin.vault", Some("Authorization")),
            Backend::Kubernetes(_) => ("v0.23.1+builtin", None),
            _ => ("v1.21.4+builtin.vault", None),
        };
        if let Some(passed) = passed {
            config["passthrough_request_headers"] = json!([passed]);
        }
        if auth {
            config["token_type"] = json!("default-service");
        }
        let own = matches!(self.backend, Backend::Aws(_) | Backend::Kubernetes(_));
        let mut shown = Map::new();
        shown.insert("accessor".into(), json!(self.accessor));
        shown.insert("config".into(), config);
        if own {
            shown.insert("deprecation_status".into(), json!("supported"));
        }
        shown.insert("description".into(), json!(self.description));
        shown.insert("external_entropy_access".into(), json!(false));
        shown.insert("local".into(), json!(matches!(self.backend, Backend::Cubbyhole)));
        shown.insert("options".into(), if own { json!({}) } else { Value::Null });
        shown.insert("plugin_version".into(), json!(""));
        shown.insert("running_plugin_version".into(), json!(version));
        shown.insert("running_sha256".into(), json!(""));
        shown.insert("seal_wrap".into(), json!(matches!(self.backend, Backend::System)));
        shown.insert("type".into(), json!(self.backend.kind()));
        shown.insert("uuid".into(), json!(self.uuid));
        Value::Object(shown)
    }
}

// === impl Mounts ===

impl Mounts {
    pub(crate) fn new() -> Self {
        let mut mounts = Self(BTreeMap::new());
        mounts.add(Mount::new("auth/token/", "token based credentials", Backend::Token));
        mounts.add(Mount::new(
            "cubbyhole/",
            "per-token private secret storage",
            Backend::Cubbyhole,
        ));
        mounts.add(Mount::new("identity/", "identity store", Backend::Identity));
        mounts.add(Mount::new(
            "sys/",
            "system endpoints used for control, policy and debugging",
            Backend::System,
        ));
        mounts
    }

    pub(crate) fn add(&mut self, mount: Mount) {
        self.0.insert(mount.path.clone(), mount);
    }

    /// The mount that a path belongs to.
    pub(crate) fn of(&self, path: &str) -> Option<&Mount> {
        let ends = path.match_indices('/').map(|(at, _)| &path[..=at]);
        ends.rev().find_map(|prefix| self.0.get(prefix))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Mount> {
        self.0.get(path)
    }

    pub(crate) fn get_mut(&mut self, path: &str) -> Option<&mut Mount> {
        self.0.get_mut(path)
    }

    pub(crate) fn remove(&mut self, path: &str) -> Option<Mount> {
        self.0.remove(path)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Mount> {
        self.0.values()
    }

    /// A mount that is in the way of a new one: of the same path, above or below it.
    pub(crate) fn in_the_way(&self, path: &str) -> Option<&Mount> {
        self.all()
            .find(|mount| mount.path.starts_with(path) || path.starts_with(&mount.path))
    }

    pub(crate) fn aws(&self, path: &str) -> Option<&Aws> {
        match &self.get(path)?.backend {
            Backend::Aws(aws) => Some(aws),
            _ => None,
        }
    }

    pub(crate) fn aws_mut(&mut self, path: &str) -> Option<&mut Aws> {
        match &mut self.get_mut(path)?.backend {
            Backend::Aws(aws) => Some(aws),
            _ => None,
        }
    }

    pub(crate) fn kubernetes(&self, path: &str) -> Option<&Kubernetes> {
        match &self.get(path)?.backend {
            Backend::Kubernetes(kubernetes) => Some(kubernetes),
            _ => None,
        }
    }

    pub(crate) fn kubernetes_mut(&mut self, path: &str) -> Option<&mut Kubernetes> {
        match &mut self.get_mut(path)?.backend {
            Backend::Kubernetes(kubernetes) => Some(kubernetes),
            _ => None,
        }
    }
}
