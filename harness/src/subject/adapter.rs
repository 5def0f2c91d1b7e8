use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use rolecall_scenario::model::{self, VaultUse};

use crate::subject::Settings;

/// A proxy that can be put to the test.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The proxy that comes with the project, started as `rolecall proxy`.
    Bundled,
    /// Any program with kube2iam's flags.
    Program {
        /// What is started.
        path: PathBuf,
        /// Arguments after the adapter's own.
        arguments: Vec<String>,
    },
}

/// What a subject must be told of the node that it is started on.
#[derive(Clone, Debug)]
pub(crate) struct NodeFacts {
    /// Its name in Kubernetes, or what the world puts that in the place of.
    pub(crate) node: String,
    /// Its address, or what the world puts that in the place of.
    pub(crate) host_ip: String,
    /// The pods' bridge, or a prefix of their interfaces and `+`.
    pub(crate) interface: String,
    /// A file; without one the subject uses its service account.
    pub(crate) kubeconfig: Option<String>,
    /// The address that SDKs ask for metadata.
    pub(crate) metadata_address: Ipv4Addr,
    /// ARN prefix of the account's roles, ending in `/`.
    pub(crate) base_role_arn: String,
    /// Where Vault is, if the world has one.
    pub(crate) vault: Option<String>,
}

/// How a started subject is asked whether it can serve, from inside its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// Where.
    pub(crate) at: Listener,
    /// What is asked for.
    pub(crate) path: &'static str,
    /// The statuses that mean yes.
    pub(crate) ready: &'static [u16],
}

/// Where a subject listens, seen from its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// A port of the node's loopback.
    Loopback(u16),
    /// A port of the node's own address.
    Node(u16),
}

/// The bundled proxy's admin listener.
const ADMIN: Listener = Listener::Loopback(8182);

/// kube2iam's annotations, which the bundled proxy reads too.
const ROLE_KEY: &str = "iam.amazonaws.com/role";
const EXTERNAL_ID_KEY: &str = "iam.amazonaws.com/external-id";
/// The bundled proxy's own, for keys from Vault.
const VAULT_ROLE_KEY: &str = "iam.amazonaws.com/vault-role";
const ALLOWED_ROLES_KEY: &str = "iam.amazonaws.com/allowed-roles";

/// The port a subject serves pods on, kube2iam's default.
pub(crate) const APP_PORT: u16 = 8181;

// === impl Listener ===

impl Listener {
    /// Its port.
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Loopback(port) | Self::Node(port) => port,
        }
    }

    /// Its address on a node that has this one.
    pub(crate) fn on(self, node: Ipv4Addr) -> SocketAddr {
        match self {
            Self::Loopback(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            Self::Node(port) => SocketAddr::from((node, port)),
        }
    }
}

// === impl Subject ===

impl Subject {
    /// What a report calls it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Bundled => "rolecall-proxy".to_owned(),
            Self::Program { path, .. } => path.file_name().map_or_else(
                || path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
        }
    }

    /// Program and first arguments.
    pub(crate) fn program(&self, own: &std::path::Path) -> (PathBuf, Vec<String>) {
        match self {
            Self::Bundled => (own.to_owned(), vec!["proxy".to_owned()]),
            Self::Program { path, .. } => (path.clone(), Vec::new()),
        }
    }

    /// Whether every setting can be made a flag.
    ///
    /// # Errors
    /// The setting that it lacks.
    pub(crate) fn supports(&self, settings: &Settings) -> Result<(), String> {
        let unsupported = match self {
            Self::Bundled => None,
            Self::Program { .. } => [
                settings
                    .vault
                    .as_ref()
                    .filter(|vault| matches!(vault, VaultUse::On { .. }))
                    .map(|_| "`vault`"),
                settings.passthrough.as_ref().map(|_| "`passthrough`"),
                settings
                    .require_token
                    .filter(|required| *required)
                    .map(|_| "`require_token`"),
                settings
                    .intercept
                    .as_ref()
                    .filter(|mode| *mode == "nftables")
                    .map(|_| "`intercept: nftables`"),
            ]
            .into_iter()
            .flatten()
            .next(),
        };
        match unsupported {
            None => Ok(()),
            Some(setting) => Err(setting.to_owned()),
        }
    }

    /// Its flags on this node.
    pub(crate) fn flags(&self, settings: &Settings, facts: &NodeFacts) -> Vec<String> {
        let kubeconfig = facts.kubeconfig.iter();
        let mut flags: Vec<String> = kubeconfig.map(|file| format!("--kubeconfig={file}")).collect();
        flags.extend([
            format!("--node={}", facts.node),
            format!("--host-ip={}", facts.host_ip),
            format!("--host-interface={}", facts.interface),
            format!("--app-port={APP_PORT}"),
            format!("--metadata-addr={}", facts.metadata_address),
            format!(
                "--base-role-arn={}",
                settings.base_role_arn.as_ref().unwrap_or(&facts.base_role_arn)
            ),
        ]);
        match self {
            Self::Bundled => {
                flags.push("--test-clock".to_owned());
                flags.push(format!(
                    "--intercept={}",
                    settings.intercept.as_deref().unwrap_or("nftables")
                ));
                flags.extend(
                    settings
                        .passthrough
                        .iter()
                        .flatten()
                        // A scenario names what a pod asks for; the flag's paths stand below the version.
                        .map(|path| format!("--passthrough={}", path.strip_prefix("/latest").unwrap_or(path))),
                );
                if settings.require_token == Some(true) {
                    flags.push("--require-token".to_owned());
                }
                if let (Some(VaultUse::On { auth_role }), Some(vault)) = (&settings.vault, &facts.vault) {
                    flags.push(format!("--vault-addr={vault}"));
                    flags.extend(auth_role.iter().map(|role| format!("--vault-auth-role={role}")));
                }
            }
            Self::Program { .. } => {
                flags.push(format!("--iptables={}", settings.intercept.as_deref() != Some("none")));
            }
        }
        if settings.namespace_restrictions == Some(true) {
            flags.push("--namespace-restrictions".to_owned());
        }
        if let Some(format) = &settings.namespace_format {
            flags.push(format!("--namespace-restriction-format={format}"));
        }
        if let Some(ttl) = settings.cache_ttl {
            flags.push(format!("--iam-role-session-ttl={}s", ttl.as_secs()));
        }
        if let Some(role) = &settings.default_role {
            flags.push(format!("--default-role={role}"));
        }
        if let Self::Program { arguments, .. } = self {
            flags.extend(arguments.iter().cloned());
        }
        flags
    }

    /// How it is asked whether it can serve.
    pub(crate) fn readiness(&self) -> Readiness {
        match self {
            Self::Bundled => Readiness {
                at: ADMIN,
                path: "/readyz",
                ready: &[200],
            },
            // kube2iam answers 500 until it knows its instance. A proxy without this path still listens when it says
            // that there is none.
            Self::Program { .. } => Readiness {
                at: Listener::Node(APP_PORT),
                path: "/healthz",
                ready: &[200, 404],
            },
        }
    }

    /// Whether it heeds `AWS_ENDPOINT_URL`. Of a program that is not known to, AWS's own names lead to the front too.
    pub(crate) fn knows_endpoints(&self) -> bool {
        matches!(self, Self::Bundled)
    }

    /// Where its clock can be moved; `None` if it has no test clock.
    pub(crate) fn test_clock(&self) -> Option<Listener> {
        match self {
            Self::Bundled => Some(ADMIN),
            Self::Program { .. } => None,
        }
    }

    /// Where it tells its metrics.
    pub(crate) fn metrics(&self) -> Listener {
        match self {
            Self::Bundled => ADMIN,
            Self::Program { .. } => Listener::Node(APP_PORT),
        }
    }

    /// What it is started with beside the world's environment.
    pub(crate) fn environment(&self, clock_token: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Bundled => vec![("ROLECALL_TEST_CLOCK_TOKEN", clock_token.to_owned())],
            Self::Program { .. } => Vec::new(),
        }
    }

    /// The annotations that give a pod what the scenario says it has.
    pub(crate) fn pod_annotations(&self, pod: &model::Pod) -> BTreeMap<String, String> {
        let mut annotations = pod.annotations.clone().unwrap_or_default();
        if let Some(role) = &pod.role {
            annotations.insert(ROLE_KEY.to_owned(), role.value.clone());
        }
        if let Some(external_id) = &pod.external_id {
            annotations.insert(EXTERNAL_ID_KEY.to_owned(), external_id.clone());
        }
        if let Some(role) = &pod.vault_role {
            annotations.insert(VAULT_ROLE_KEY.to_owned(), role.value.clone());
        }
        annotations
    }

    /// The annotations of a pod that words of their own stand for.
    pub(crate) fn own_pod_annotations(&self) -> [&'static str; 3] {
        [ROLE_KEY, EXTERNAL_ID_KEY, VAULT_ROLE_KEY]
    }

    /// The annotations that go when these words of a pod are restored to their default.
    pub(crate) fn restored_pod_annotations(&self, restored: &model::Restored) -> Vec<&'static str> {
        let words = [
            ("role", ROLE_KEY),
            ("external_id", EXTERNAL_ID_KEY),
            ("vault_role", VAULT_ROLE_KEY),
        ];
        words
            .into_iter()
            .filter(|(word, _)| restored.contains(word))
            .map(|(_, key)| key)
            .collect()
    }

    /// The annotations that go when these words of a namespace are restored to their default.
    pub(crate) fn restored_namespace_annotations(&self, restored: &model::Restored) -> Vec<&'static str> {
        if restored.contains("allowed_roles") {
            vec![ALLOWED_ROLES_KEY]
        } else {
            Vec::new()
        }
    }

    /// The annotations by which a namespace allows roles.
    pub(crate) fn namespace_annotations(&self, namespace: &model::Namespace) -> BTreeMap<String, String> {
        let mut annotations = namespace.annotations.clone().unwrap_or_default();
        if let Some(roles) = &namespace.allowed_roles {
            let list = serde_json::Value::from(roles.clone()).to_string();
            annotations.insert(ALLOWED_ROLES_KEY.to_owned(), list);
        }
        annotations
    }
}
