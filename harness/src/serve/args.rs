//! Flags of `rolecall serve`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use rolecall_aws::Upstream;
use secrecy::SecretString;

use super::{ServeError, root_key};

/// The name of the variable with the control listener's token.
pub(crate) const CONTROL_TOKEN: &str = "ROLECALL_CONTROL_TOKEN";

const AWS_EXAMPLES: &str = "\
Examples:
  # an AWS in memory that enforces IAM:
  ROLECALL_ROOT_KEY=AKIAROLECALLROOT0000:change-me rolecall serve aws
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_ACCESS_KEY_ID=AKIAROLECALLROOT0000 \\
    AWS_SECRET_ACCESS_KEY=change-me AWS_DEFAULT_REGION=us-east-1 aws iam create-role …

  # LocalStack, with IAM enforced before it:
  docker run -d -p 14566:4566 localstack/localstack:4.14.0
  rolecall serve aws --root-key-file root.key --upstream http://127.0.0.1:14566

  # say each decision, and let pass what would be denied:
  rolecall serve aws --root-key-file root.key --soft --why

  # a control listener, for `rolecall why ID` and for tests that move the clock:
  ROLECALL_CONTROL_TOKEN=$(openssl rand -hex 16) rolecall serve aws --root-key-file root.key --control 127.0.0.1:4567

There is no magic key: the root key is verified like any other, and every other key is one that this AWS has given
out. Ctrl-C or SIGTERM ends it, with 0. 2: wrong flags; 5: it cannot serve here.";

const IMDS_EXAMPLES: &str = "\
Examples:
  rolecall serve imds --listen 127.0.0.1:1338 --nodes nodes.json --front http://127.0.0.1:4567

nodes.json holds the instances, each found by the address that asks:
  [{\"name\": \"node-1\", \"address\": \"172.18.0.3\", \"pods\": [\"10.244.1.0/24\"], \"instance_profile\": \"nodes\"}]

The keys are those that EC2 gets for the instance profile's role from the front behind --front (a control listener, with
ROLECALL_CONTROL_TOKEN): the role's trust policy decides. `rolecall serve world` has both in one process, with one clock.";

const KUBERNETES_EXAMPLES: &str = "\
Examples:
  rolecall serve kubernetes --kubeconfig /tmp/kubeconfig --node node-1=172.20.1.1,10.244.1.0/24
  kubectl --kubeconfig /tmp/kubeconfig get nodes

Pods that are bound to a node get an address of its range and are Running, and nothing runs in them.";

const VAULT_EXAMPLES: &str = "\
Examples:
  VAULT_DEV_ROOT_TOKEN_ID=a-token-of-mine rolecall serve vault
  VAULT_ADDR=http://127.0.0.1:8200 VAULT_TOKEN=a-token-of-mine vault secrets enable aws

A dev server: unsealed, in memory, with the root token in VAULT_DEV_ROOT_TOKEN_ID, as `vault server -dev` has it. Its AWS
engine reaches plain HTTP endpoints, such as a `rolecall serve aws`, and real ones not: it is given no authorities.";

const WORLD_EXAMPLES: &str = "\
Examples:
  export ROLECALL_ROOT_KEY=AKIAROLECALLROOT0000:change-me ROLECALL_CONTROL_TOKEN=$(openssl rand -hex 16)
  rolecall serve world --listen 0.0.0.0:4566 --imds 169.254.169.254:80 --control 127.0.0.1:4567
  curl -H \"authorization: Bearer $ROLECALL_CONTROL_TOKEN\" -X PUT http://127.0.0.1:4567/v1/nodes -d @nodes.json

What the control listener answers is told by GET /v1/ there.

  # the same, and before a Vault server; clients ask it on port 8200 here:
  rolecall serve world --imds 169.254.169.254:80 --vault-upstream http://172.18.0.9:8200";

/// `serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(subcommand)]
    pub(crate) service: Service,
}

/// What is served.
#[derive(Debug, Subcommand)]
pub(crate) enum Service {
    /// An AWS that enforces IAM: IAM, STS, S3 and parts of EC2 behind one port
    #[command(after_help = AWS_EXAMPLES)]
    Aws(AwsArgs),
    /// The EC2 instance metadata service of many nodes, each told by its address
    #[command(after_help = IMDS_EXAMPLES)]
    Imds(ImdsArgs),
    /// The part of the Kubernetes API that metadata proxies, kubectl and kube-rs use
    #[command(after_help = KUBERNETES_EXAMPLES)]
    Kubernetes(KubernetesArgs),
    /// AWS and the metadata service together with one clock, for a world of containers
    #[command(after_help = WORLD_EXAMPLES)]
    World(Box<WorldArgs>),
    /// Vault's HTTP API as far as pods get AWS credentials through it
    #[command(after_help = VAULT_EXAMPLES)]
    Vault(VaultArgs),
    /// Nothing, until SIGTERM or Ctrl-C: the main process of a pod that probes are to run in
    Idle,
}

/// The front's own settings.
#[derive(Clone, Debug, Args)]
pub(crate) struct FrontArgs {
    /// The root user's key. Every user of this host sees it in `ps`: better give ROLECALL_ROOT_KEY or --root-key-file
    #[arg(long, value_name = "ID:SECRET", env = "ROLECALL_ROOT_KEY", hide_env_values = true)]
    root_key: Option<SecretString>,
    /// A file of one line, ID:SECRET
    #[arg(long, value_name = "FILE", conflicts_with = "root_key")]
    root_key_file: Option<PathBuf>,
    /// The account's id, twelve digits
    #[arg(long, value_name = "DIGITS", default_value = "000000000000", value_parser = root_key::account)]
    pub(crate) account: String,
    /// The region of requests that name none
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// Let this store and answer what is allowed, such as LocalStack, instead of memory. Nothing else may change it
    #[arg(long, value_name = "URL", value_parser = Upstream::new)]
    pub(crate) upstream: Option<Upstream>,
    /// Decide and record, but let everything pass that is signed well: says what enforcement would deny
    #[arg(long)]
    pub(crate) soft: bool,
    /// Print a line for each decision
    #[arg(long)]
    pub(crate) why: bool,
}

/// The control listener.
#[derive(Clone, Debug, Args)]
pub(crate) struct ControlArgs {
    /// Listen here for clock, journal, decisions, faults and reset, for whoever has the token in ROLECALL_CONTROL_TOKEN
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) control: Option<SocketAddr>,
}

/// `serve aws`
#[derive(Clone, Debug, Args)]
pub(crate) struct AwsArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4566")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) front: FrontArgs,
    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

/// `serve world`
#[derive(Clone, Debug, Args)]
pub(crate) struct WorldArgs {
    /// Where AWS listens for proxies and pods
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:4566")]
    pub(crate) listen: SocketAddr,
    /// Where AWS listens for the operator, whose requests are verified alike but meet no fault and are marked in the journal
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) operator: Option<SocketAddr>,
    /// Where the metadata service listens
    #[arg(long, value_name = "ADDR:PORT", default_value = "169.254.169.254:80")]
    pub(crate) imds: SocketAddr,
    /// The instances at the start, a JSON array; the control listener can replace them
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: Option<PathBuf>,
    /// Stand before this Vault server and record what it is asked; `https://` servers are not reached
    #[arg(long, value_name = "URL", value_parser = vault_upstream)]
    pub(crate) vault_upstream: Option<String>,
    /// Where Vault listens for proxies and pods
    #[arg(
        long,
        value_name = "ADDR:PORT",
        default_value = "0.0.0.0:8200",
        requires = "vault_upstream"
    )]
    pub(crate) vault_listen: SocketAddr,
    /// Where Vault listens for the operator, whose requests meet no fault and are not in the journal
    #[arg(long, value_name = "ADDR:PORT", requires = "vault_upstream")]
    pub(crate) vault_operator: Option<SocketAddr>,
    /// Where connections to the API server behind --api-server are taken and passed on, TLS and all, so that they can be cut
    #[arg(long, value_name = "ADDR:PORT", requires = "api_server")]
    pub(crate) kubernetes: Option<SocketAddr>,
    /// A real API server
    #[arg(long, value_name = "ADDR:PORT", requires = "kubernetes")]
    pub(crate) api_server: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) front: FrontArgs,
    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

/// `serve imds`
#[derive(Clone, Debug, Args)]
pub(crate) struct ImdsArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1338")]
    pub(crate) listen: SocketAddr,
    /// The instances, a JSON array
    #[arg(long, value_name = "FILE")]
    pub(crate) nodes: PathBuf,
    /// The control listener of the AWS front that gives the instances their keys
    #[arg(long, value_name = "URL")]
    pub(crate) front: String,
    /// The account that the instances say they belong to
    #[arg(long, value_name = "DIGITS", default_value = "000000000000", value_parser = root_key::account)]
    pub(crate) account: String,
    /// The region that the instances say they are in
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
}

/// `serve kubernetes`
#[derive(Clone, Debug, Args)]
pub(crate) struct KubernetesArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6443")]
    pub(crate) listen: SocketAddr,
    /// Write the admin's kubeconfig here
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: PathBuf,
    /// Write the kubeconfig of a metadata proxy here: it may read pods, namespaces, nodes and service accounts
    #[arg(long, value_name = "FILE")]
    pub(crate) proxy_kubeconfig: Option<PathBuf>,
    /// A node with its address and its pods' network of 24 bits; may be given several times
    #[arg(long = "node", value_name = "NAME=ADDRESS,CIDR")]
    pub(crate) nodes: Vec<String>,
}

/// `serve vault`
#[derive(Clone, Debug, Args)]
pub(crate) struct VaultArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8200")]
    pub(crate) listen: SocketAddr,
    /// The region of an AWS engine that is configured without one
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
}

// === impl FrontArgs ===

impl FrontArgs {
    /// The root key, from wherever it was given.
    ///
    /// # Errors
    /// None was given, or it is malformed. The message does not show it.
    pub(crate) fn root(&self) -> Result<rolecall_aws::AccessKey, ServeError> {
        use secrecy::ExposeSecret;
        if let Some(path) = &self.root_key_file {
            return root_key::root_key_of(path);
        }
        let text = self.root_key.as_ref().ok_or_else(|| {
            ServeError::Usage(
                "this AWS needs a root key: give ID:SECRET in the variable ROLECALL_ROOT_KEY, or a file with \
                 --root-key-file FILE"
                    .to_owned(),
            )
        })?;
        root_key::root_key(text.expose_secret()).map_err(|error| ServeError::Usage(format!("--root-key: {error}")))
    }
}

/// A Vault server that a forwarder can stand before.
fn vault_upstream(text: &str) -> Result<String, String> {
    let uri: http::Uri = text
        .parse()
        .map_err(|_| "not a URL such as http://172.18.0.9:8200".to_owned())?;
    let is_root = uri.path() == "/" && uri.query().is_none();
    if uri.scheme_str() == Some("http") && uri.authority().is_some() && is_root {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err("not http://HOST:PORT and no more, such as http://172.18.0.9:8200".to_owned())
}

/// The root token of a Vault, from the variable that Vault itself reads.
///
/// # Errors
/// There is none.
pub(crate) fn vault_root_token() -> Result<SecretString, ServeError> {
    const VARIABLE: &str = "VAULT_DEV_ROOT_TOKEN_ID";
    let token = std::env::var(VARIABLE).unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ServeError::Usage(format!(
            "this Vault needs a root token: give one of printable characters in the variable {VARIABLE}"
        )));
    }
    crate::secrets::learn(&token);
    Ok(token.into())
}

/// The token of a control listener, from the environment.
///
/// # Errors
/// There is none, or it is too short to be a secret.
pub(crate) fn control_token() -> Result<SecretString, ServeError> {
    let token = std::env::var(CONTROL_TOKEN).map_err(|_| {
        ServeError::Usage(format!(
            "the control listener wants a token: give one in the variable {CONTROL_TOKEN}, such as that of `openssl rand -hex 16`"
        ))
    })?;
    if token.len() < 16 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ServeError::Usage(format!(
            "the token in {CONTROL_TOKEN} must have at least 16 printable characters and no spaces"
        )));
    }
    crate::secrets::learn(&token);
    Ok(token.into())
}
