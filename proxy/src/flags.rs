//! The command line: kube2iam's flags, by their names and defaults, and a few of our own.

mod metadata_addr;
mod spelling;

use std::{
    ffi::OsString,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub use metadata_addr::{InvalidMetadataAddr, MetadataAddr};

use crate::{answer::PassthroughRule, which::BaseArn};

const EXAMPLES: &str = "\
Examples:
  On a node, for its own pods, with the rule that brings their requests here:
    rolecall-proxy --node=$NODE_NAME --host-ip=$HOST_IP --host-interface=cbr0 --iptables=true \\
      --base-role-arn=arn:aws:iam::123456789012:role/ --namespace-restrictions
  Interfaces by prefix (Calico), tokens demanded, one more path let through:
    rolecall-proxy --host-ip=$HOST_IP --host-interface=cali+ --intercept=nftables \\
      --require-token --passthrough=instance-type --passthrough=instance-id
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

    /// How the namespace's annotation is matched: only `*` is special, the whole role must match
    #[arg(long, value_name = "FORMAT", default_value = "glob", value_parser = restriction_format)]
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

    /// Let the admin listener move this process's clock (POST /clock/advance), for tests
    #[arg(long, hide = true, requires = "test_clock_token")]
    pub test_clock: bool,

    /// Bearer token that moving the clock wants
    #[arg(long, hide = true, env = "ROLECALL_TEST_CLOCK_TOKEN", hide_env_values = true)]
    pub test_clock_token: Option<secrecy::SecretString>,
}

/// What to do instead of serving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Remove the interception rule from this node; says nothing if there is none
    Uninstall,
}

/// How pods' requests are brought to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Intercept {
    /// A rule of our own in nf_tables, written over netlink. It stays when the proxy stops.
    Nftables,
    /// Nothing: somebody else redirects, or pods name the proxy as their endpoint.
    None,
}

/// How a namespace's list of allowed roles is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestrictionFormat {
    /// Only `*` is special.
    Glob,
}

/// Least important lines to log, in kube2iam's (logrus') names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    #[value(alias = "warn")]
    Warning,
    #[value(aliases = ["fatal", "panic"])]
    Error,
}

/// How lines are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
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
        if flags.intercept() == Intercept::Nftables && flags.command.is_none() {
            flags
                .can_intercept()
                .map_err(|reason| Self::command().error(clap::error::ErrorKind::MissingRequiredArgument, reason))?;
        }
        Ok(flags)
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
fn duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration = text
        .parse()
        .map_err(|error| format!("not a duration such as 15m or 900s: {error}"))?;
    match Duration::try_from(signed) {
        Ok(duration) if duration >= Duration::from_secs(1) => Ok(duration),
        _ => Err("must be at least 1s".to_owned()),
    }
}

fn restriction_format(text: &str) -> Result<RestrictionFormat, String> {
    match text {
        "glob" => Ok(RestrictionFormat::Glob),
        "regexp" => Err(
            "regexp is not supported: write the allowed roles as globs, where only * is special and the \
                         whole role must match"
                .to_owned(),
        ),
        _ => Err("must be glob".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(args: &[&str]) -> Result<Flags, String> {
        Flags::read(std::iter::once("rolecall-proxy").chain(args.iter().copied())).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_are_kube2iams_where_those_are_safe() {
        let flags = read(&[]).unwrap();
        assert_eq!(flags.app_port, 8181);
        assert_eq!(flags.host_interface, "docker0");
        assert_eq!(flags.iam_role_session_ttl, Duration::from_secs(900));
        assert!(!flags.namespace_restrictions);
        assert_eq!(flags.intercept(), Intercept::None);
        assert_eq!(flags.passthrough.len(), 3);
        assert_eq!(flags.listen().to_string(), "0.0.0.0:8181");
    }

    #[rstest]
    #[case(&["--iptables=true", "--host-ip=10.0.0.1"], Intercept::Nftables)]
    #[case(&["--iptables", "--host-ip=10.0.0.1"], Intercept::Nftables)]
    #[case(&["-iptables=true", "-host-ip=10.0.0.1"], Intercept::Nftables)]
    #[case(&["--iptables=false"], Intercept::None)]
    #[case(&["--intercept=nftables", "--host-ip", "10.0.0.1"], Intercept::Nftables)]
    #[case(&["--intercept", "none"], Intercept::None)]
    fn kube2iams_spelling_of_the_interception_is_understood(#[case] args: &[&str], #[case] mode: Intercept) {
        assert_eq!(read(args).unwrap().intercept(), mode);
    }

    #[rstest]
    #[case(&["--namespace-restrictions"], true)]
    #[case(&["--namespace-restrictions=true"], true)]
    #[case(&["-namespace-restrictions=true"], true)]
    #[case(&["--namespace-restrictions=false"], false)]
    fn a_switch_takes_gos_spelling(#[case] args: &[&str], #[case] on: bool) {
        assert_eq!(read(args).unwrap().namespace_restrictions, on);
    }

    #[rstest]
    #[case(&["--namespace-restriction-format=regexp"], "regexp is not supported")]
    #[case(&["--iptables=true"], "needs --host-ip")]
    #[case(&["--intercept=nftables", "--host-ip=127.0.0.1"], "not 0.0.0.0 or a loopback")]
    #[case(&["--passthrough=iam/info"], "never passed")]
    #[case(&["--base-role-arn=arn:aws:iam::1:user/x"], "role")]
    #[case(&["--iam-role-session-ttl=0s"], "at least 1s")]
    #[case(&["--metadata-addr=imds.example"], "address")]
    #[case(&["--default-role=x"], "--default-role")]
    #[case(&["--test-clock"], "test-clock-token")]
    fn what_cannot_be_served_is_refused_at_start(#[case] args: &[&str], #[case] reason: &str) {
        let error = read(args).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn uninstall_is_a_command() {
        assert_eq!(read(&["uninstall"]).unwrap().command, Some(Command::Uninstall));
    }
}
