//! The command line: kube2iam's flags, by their names and defaults, and a few of our own.

mod choices;
mod metadata_addr;
mod spelling;
mod vault;
mod without_effect;

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{ArgAction, Parser, error::ErrorKind};

pub use choices::{Command, Intercept, LogFormat, LogLevel};
pub use metadata_addr::{InvalidMetadataAddr, MetadataAddr};
pub use vault::VaultFlags;
pub use without_effect::WithoutEffect;

pub use crate::may::RestrictionFormat;
use crate::{
    answer::PassthroughRule,
    which::{BaseArn, DefaultRole},
};

const EXAMPLES: &str = "\
Examples:
  On a node, for its own pods, with the rule that brings their requests here:
    rolecall-proxy --node=$NODE_NAME --host-ip=$HOST_IP --host-interface=cbr0 --iptables=true \\
      --base-role-arn=arn:aws:iam::123456789012:role/ --namespace-restrictions
  Interfaces by prefix (Calico), tokens demanded, one more path let through:
    rolecall-proxy --host-ip=$HOST_IP --host-interface=cali+ --intercept=nftables \\
      --require-token --passthrough=instance-type --passthrough=instance-id
  Keys of Vault's roles for the pods that name one:
    rolecall-proxy --node=$NODE_NAME --host-ip=$HOST_IP --iptables=true \\
      --vault-addr=https://vault.vault.svc:8200 --vault-ca-cert=/etc/vault/ca.pem
  Take the rule away again when the proxy leaves the node for good:
    rolecall-proxy uninstall";

/// A metadata proxy that hands each pod the AWS role it may have (a drop-in for kube2iam).
#[derive(Clone, Debug, Parser)]
#[command(name = "rolecall-proxy", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Flags {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Kubeconfig file; without it and --api-server the pod's service account, or KUBECONFIG, is used
    #[arg(long, value_name = "FILE", conflicts_with = "api_server")]
    pub kubeconfig: Option<PathBuf>,

    /// URL of the Kubernetes API server
    #[arg(long, value_name = "URL")]
    pub api_server: Option<http::Uri>,

    /// Bearer token for --api-server
    #[arg(long, value_name = "TOKEN", requires = "api_server", hide_env_values = true)]
    pub api_token: Option<secrecy::SecretString>,

    /// Name of this node: only its pods are watched. Without it every pod of the cluster is
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,

    /// Address of this node that pods' requests are brought to; the proxy listens there alone (default: everywhere)
    #[arg(long, value_name = "IP")]
    pub host_ip: Option<Ipv4Addr>,

    /// Interface that pods' requests come in by; a trailing + makes it a prefix
    #[arg(long, value_name = "NAME", default_value = "docker0")]
    pub host_interface: String,

    /// Port that pods' requests are brought to
    #[arg(long, value_name = "PORT", default_value_t = 8181)]
    pub app_port: u16,

    /// Prefix of the roles that annotations give by name, as arn:aws:iam::123456789012:role/
    #[arg(long, value_name = "ARN")]
    pub base_role_arn: Option<BaseArn>,

    /// Find --base-role-arn out: all roles of the account that the instance's profile is in, as iam/info of the
    /// metadata service names it. No pod gets a role before it is found; /readyz says what is wrong
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set)]
    pub auto_discover_base_arn: bool,

    /// Role of pods that have no role annotation; an empty annotation asks for none. A namespace under restrictions
    /// must allow it like any other role
    #[arg(long, value_name = "NAME|ARN")]
    pub default_role: Option<DefaultRole>,

    /// Refused: every pod without an annotation would get what the node may do. Name a role by --default-role
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set)]
    pub auto_discover_default_role: bool,

    /// Pod annotation that names the role
    #[arg(long, value_name = "KEY", default_value = "iam.amazonaws.com/role")]
    pub iam_role_key: String,

    /// Pod annotation that gives the external id for AssumeRole
    #[arg(long, value_name = "KEY", default_value = "iam.amazonaws.com/external-id")]
    pub iam_external_id: String,

    /// How long the same keys are handed out; sessions last twice as long, within 15 minutes and an hour
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub iam_role_session_ttl: Duration,

    /// Let a pod have only the roles that its namespace's annotation allows
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set)]
    pub namespace_restrictions: bool,

    /// How the namespace's annotation is matched: globs, where only `*` is special, or regular expressions, as RE2's.
    /// The whole role must match in both; an entry that begins with arn: is for whole ARNs, others for what follows the
    /// base ARN
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "glob")]
    pub namespace_restriction_format: RestrictionFormat,

    /// Namespace annotation that lists the allowed roles as a JSON array of strings
    #[arg(long, value_name = "KEY", default_value = "iam.amazonaws.com/allowed-roles")]
    pub namespace_key: String,

    /// Address of the instance's metadata service, for this proxy itself and for the interception
    #[arg(long, value_name = "IP[:PORT]", default_value = "169.254.169.254")]
    pub metadata_addr: MetadataAddr,

    /// How pods' requests are brought here; `none` removes what an earlier start left
    #[arg(long, value_enum, value_name = "MODE", conflicts_with = "iptables")]
    pub intercept: Option<Intercept>,

    /// kube2iam's name for --intercept=nftables
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = ArgAction::Set)]
    pub iptables: Option<bool>,

    /// Metadata path that pods may read from the node's own service; relative to meta-data/, or to the version if it
    /// begins with /; a last segment * stands for everything below. Replaces the default; `none` passes nothing
    #[arg(long, value_name = "PATH", default_values = ["instance-id", "placement/*", "hostname"])]
    pub passthrough: Vec<PassthroughRule>,

    /// Refuse requests without a session token (IMDSv2 only)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set)]
    pub require_token: bool,

    /// Where /healthz, /readyz and /metrics are answered; keep it away from pods
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8182")]
    pub admin_addr: SocketAddr,

    /// kube2iam's flag: the port of --admin-addr, which stays on 127.0.0.1. The port for pods is refused here
    #[arg(long, value_name = "PORT", conflicts_with = "admin_addr", value_parser = clap::value_parser!(u16).range(1..))]
    pub metrics_port: Option<u16>,

    /// Least important lines to log
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,

    /// How lines are logged
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// The same as --log-level=debug
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set)]
    pub verbose: bool,

    /// The same as --log-level=debug; unlike kube2iam's it shows pods nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false,
          default_missing_value = "true", action = ArgAction::Set)]
    pub debug: bool,

    /// Where Vault is.
    #[command(flatten)]
    pub vault: VaultFlags,

    /// What is taken for kube2iam's sake.
    #[command(flatten)]
    pub without_effect: WithoutEffect,

    /// Let the admin listener move this process's clock (POST /clock/advance), for tests
    #[arg(long, hide = true, requires = "test_clock_token")]
    pub test_clock: bool,

    /// Bearer token that moving the clock wants
    #[arg(long, hide = true, env = "ROLECALL_TEST_CLOCK_TOKEN", hide_env_values = true)]
    pub test_clock_token: Option<secrecy::SecretString>,
}

// === impl Flags ===

impl Flags {
    /// Reads the command line; `args` begins with the program's name. Single-dash spellings of long flags, as Go's
    /// `flag` package takes them, are understood too.
    ///
    /// # Errors
    /// clap's own, which is to be printed; `--help` and `--version` are such errors too.
    pub fn read(args: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, clap::Error> {
        use clap::CommandFactory;
        let args = spelling::double_dashed(args.into_iter().map(Into::into).collect(), &Self::command());
        let flags = Self::try_parse_from(args)?;
        match &flags.command {
            None => flags
                .check()
                .map_err(|(kind, reason)| Self::command().error(kind, reason))?,
            Some(Command::Uninstall | Command::CredentialProcess(_)) => {}
        }
        Ok(flags)
    }

    /// What no single flag can be blamed for.
    fn check(&self) -> Result<(), (ErrorKind, &'static str)> {
        if self.intercept() == Intercept::Nftables {
            self.can_intercept()
                .map_err(|reason| (ErrorKind::MissingRequiredArgument, reason))?;
        }
        if self.auto_discover_default_role {
            return Err((
                ErrorKind::ValueValidation,
                "--auto-discover-default-role is refused: it would hand the node's own role to every pod without a role \
                 annotation, and with it the right to assume the roles of all others; name a role of its own by \
                 --default-role",
            ));
        }
        if self.auto_discover_base_arn && self.base_role_arn.is_some() {
            return Err((
                ErrorKind::ArgumentConflict,
                "--auto-discover-base-arn cannot be used with --base-role-arn",
            ));
        }
        let has_base = self.auto_discover_base_arn || self.base_role_arn.is_some();
        if !has_base && self.default_role.as_ref().is_some_and(DefaultRole::is_name) {
            return Err((
                ErrorKind::MissingRequiredArgument,
                "--default-role by name needs --base-role-arn or --auto-discover-base-arn, or give its whole ARN",
            ));
        }
        if self.metrics_port == Some(self.app_port) {
            return Err((
                ErrorKind::ValueValidation,
                "--metrics-port must not be the port for pods: metrics name the roles of all pods of the node; leave \
                 it out (127.0.0.1:8182), give another port, or an address by --admin-addr",
            ));
        }
        Ok(())
    }

    /// Where /healthz, /readyz and /metrics are answered: `--admin-addr`, or the port of `--metrics-port` on loopback.
    pub fn admin(&self) -> SocketAddr {
        match self.metrics_port {
            Some(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            None => self.admin_addr,
        }
    }

    /// What who starts the proxy should know of flags that do not do here what they do elsewhere.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.without_effect.notes();
        if self.metrics_port.is_some() {
            let at = self.admin();
            notes.push(format!(
                "metrics are answered at {at} alone; --admin-addr chooses another address"
            ));
        }
        if let Some(address) = &self.vault.vault_addr {
            notes.push(format!(
                "roles of the Vault at {address} are given too; for that this proxy may create tokens for service \
                 accounts, which is close to what a cluster's administrator may"
            ));
        }
        notes
    }

    /// How pods' requests are brought here: `--intercept`, or what `--iptables` says; `none` by default, as kube2iam.
    pub fn intercept(&self) -> Intercept {
        match (self.intercept, self.iptables) {
            (Some(mode), _) => mode,
            (None, Some(true)) => Intercept::Nftables,
            (None, _) => Intercept::None,
        }
    }

    /// Where pods' requests are answered: the host's address alone if it is known.
    pub fn listen(&self) -> SocketAddr {
        let address = self.host_ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
        SocketAddr::new(IpAddr::V4(address), self.app_port)
    }

    fn can_intercept(&self) -> Result<(), &'static str> {
        match self.host_ip {
            None => Err("intercepting needs --host-ip: the address of this node that requests are brought to"),
            Some(address) if address.is_unspecified() || address.is_loopback() => {
                Err("--host-ip must be an address of this node that pods reach, not 0.0.0.0 or a loopback address")
            }
            Some(_) => Ok(()),
        }
    }
}

/// Go's spelling of durations (`15m`, `1h30m`, `900s`).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration = text
        .parse()
        .map_err(|error| format!("not a duration such as 15m or 900s: {error}"))?;
    match Duration::try_from(signed) {
        Ok(duration) if duration >= Duration::from_secs(1) => Ok(duration),
        _ => Err("must be at least 1s".to_owned()),
    }
}

#[cfg(test)]
mod tests;
