//! Words that flags take.

use clap::{Subcommand, ValueEnum};

use crate::vault::credential_process::CredentialProcess;

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print keys of a Vault role as an AWS SDK's `credential_process` has them, for a pod that asks Vault by itself
    CredentialProcess(Box<CredentialProcess>),
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
