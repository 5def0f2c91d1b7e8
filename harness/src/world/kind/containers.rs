//! The containers beside the cluster, on kind's network: LocalStack, Vault where it is wanted, and what stands before both,
//! together with the metadata service.

use std::{borrow::Cow, net::Ipv4Addr, time::Duration};

use testcontainers::{ContainerAsync, Image, ImageExt, core::WaitFor, runners::AsyncRunner};

use super::{
    command::Program,
    marks::Marks,
    options::LOCALSTACK_IMAGE,
    vault_container::{VAULT_PORT, VaultContainer},
};
use crate::{secrets::learn, world::WorldError};

/// kind's network, on which every cluster of kind's is.
pub(super) const NETWORK: &str = "kind";
/// Where the front listens for proxies and pods.
pub(super) const AWS_PORT: u16 = 4566;
/// Where it listens for whoever steers it.
pub(super) const CONTROL_PORT: u16 = 4567;
/// Where it listens for the operator.
pub(super) const OPERATOR_PORT: u16 = 4568;
/// Where Vault's forwarder listens for the operator; for proxies and pods it does where Vault itself does.
pub(super) const VAULT_OPERATOR_PORT: u16 = 8201;
/// Where API servers of kind's listen on their nodes, and where the front passes the subject's connections on to them.
pub(super) const API_PORT: u16 = 6443;

/// Some seconds on an idle machine; LocalStack alone takes more than a minute on one that also compiles.
const START: Duration = Duration::from_secs(180);

/// LocalStack's services that are behind the front.
#[derive(Clone, Debug, Default)]
struct LocalStack;

/// AWS, the metadata service and Vault's forwarder in one process, as `rolecall serve world` has them.
#[derive(Clone, Debug)]
struct Tools {
    name: String,
    tag: String,
    arguments: Vec<String>,
}

/// A container that runs, and where it is. It goes when this is dropped, unless it was told to stay.
pub(super) struct Running<I: Image> {
    container: ContainerAsync<I>,
    pub(super) address: Ipv4Addr,
}

/// The containers of a run.
pub(super) struct Containers {
    localstack: Running<LocalStack>,
    tools: Running<Tools>,
    pub(super) vault: Option<VaultContainer>,
    /// The version that LocalStack tells of itself.
    pub(super) localstack_version: String,
}

/// What the front is started with. Its secrets are in the container's environment.
#[derive(Clone)]
pub(super) struct FrontSecrets {
    /// `ID:SECRET`
    pub(super) root_key: String,
    /// What the control listener wants.
    pub(super) control_token: String,
}

// === impl LocalStack ===

impl Image for LocalStack {
    fn name(&self) -> &str {
        LOCALSTACK_IMAGE
            .split_once(':')
            .map_or(LOCALSTACK_IMAGE, |(name, _)| name)
    }

    fn tag(&self) -> &str {
        LOCALSTACK_IMAGE.split_once(':').map_or("latest", |(_, tag)| tag)
    }

    fn ready_conditions(&self) -> Vec<WaitFor> {
        // The rest of its log is on standard error.
        vec![WaitFor::message_on_stdout("Ready.")]
    }

    fn env_vars(&self) -> impl IntoIterator<Item = (impl Into<Cow<'_, str>>, impl Into<Cow<'_, str>>)> {
        [
            ("SERVICES", "iam,sts,s3,ec2,es,opensearch"),
            // Key ids as AWS has them, which carry their account.
            ("PARITY_AWS_ACCESS_KEY_ID", "1"),
            ("DISABLE_EVENTS", "1"),
            ("SKIP_SSL_CERT_DOWNLOAD", "1"),
        ]
    }
}

// === impl Tools ===

impl Tools {
    fn new(image: &str, localstack: Ipv4Addr, vault: Option<Ipv4Addr>, api_server: Ipv4Addr) -> Self {
        // A registry's port has a colon too; a tag follows the last one behind the last slash.
        let (name, tag) = match image.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (image, "latest"),
        };
        let words = ["serve", "world", "--upstream"];
        let mut arguments: Vec<String> = words.map(str::to_owned).into();
        arguments.push(format!("http://{localstack}:{AWS_PORT}"));
        let mut listeners = vec![
            ("--listen", AWS_PORT),
            ("--operator", OPERATOR_PORT),
            ("--control", CONTROL_PORT),
            // The address itself is given to the container when it runs.
            ("--imds", 80),
            ("--kubernetes", API_PORT),
        ];
        if let Some(vault) = vault {
            arguments.extend(["--vault-upstream".to_owned(), format!("http://{vault}:{VAULT_PORT}")]);
            listeners.extend([
                ("--vault-listen", VAULT_PORT),
                ("--vault-operator", VAULT_OPERATOR_PORT),
            ]);
        }
        for (flag, port) in listeners {
            arguments.extend([flag.to_owned(), format!("0.0.0.0:{port}")]);
        }
        arguments.extend(["--api-server".to_owned(), format!("{api_server}:{API_PORT}")]);
        Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
            arguments,
        }
    }
}

impl Image for Tools {
    fn name(&self) -> &str {
        &self.name
    }

    fn tag(&self) -> &str {
        &self.tag
    }

    fn ready_conditions(&self) -> Vec<WaitFor> {
        // Whoever starts it waits for its control listener.
        Vec::new()
    }

    fn cmd(&self) -> impl IntoIterator<Item = impl Into<Cow<'_, str>>> {
        &self.arguments
    }
}

// === impl Containers ===

impl Containers {
    /// Starts them; LocalStack and Vault are ready, the front is waited for by its control listener.
    ///
    /// # Errors
    /// One cannot be started, or is not ready in time.
    pub(super) async fn start(
        tools_image: &str,
        with_vault: bool,
        secrets: &FrontSecrets,
        api_server: Ipv4Addr,
        marks: &Marks,
    ) -> Result<Self, WorldError> {
        let (localstack, vault) = tokio::try_join!(run(LocalStack, "localstack", marks, Vec::new()), async {
            match with_vault {
                true => VaultContainer::start(marks).await.map(Some),
                false => Ok(None),
            }
        })?;
        let localstack_version = LocalStack.tag().to_owned();
        let environment = vec![
            ("ROLECALL_ROOT_KEY".to_owned(), secrets.root_key.clone()),
            ("ROLECALL_CONTROL_TOKEN".to_owned(), secrets.control_token.clone()),
        ];
        learn(&secrets.control_token);
        let before_vault = vault.as_ref().map(|vault| vault.running.address);
        let tools = Tools::new(tools_image, localstack.address, before_vault, api_server);
        let tools = run(tools, "front", marks, environment).await?;
        Ok(Self {
            localstack,
            tools,
            vault,
            localstack_version,
        })
    }

    pub(super) fn localstack(&self) -> Ipv4Addr {
        self.localstack.address
    }

    pub(super) fn front(&self) -> Ipv4Addr {
        self.tools.address
    }

    /// LocalStack's id, and the front's.
    pub(super) fn ids(&self) -> [&str; 2] {
        [self.localstack.id(), self.tools.id()]
    }

    /// Their words, by name.
    pub(super) async fn logs(&self) -> Vec<(String, String)> {
        let [localstack, front] = self.ids();
        let vault = self.vault.as_ref().map(|vault| ("vault", vault.running.id()));
        let mut all = Vec::new();
        for (name, id) in [("localstack", localstack), ("front", front)].into_iter().chain(vault) {
            let said = Program::docker(["logs", "--tail", "2000", id]).ask().await;
            let text = said.map_or_else(
                |error| error.to_string(),
                |written| format!("{}{}", written.stdout, written.stderr),
            );
            all.push((format!("{name}.log"), text));
        }
        all
    }

    /// Removes them, or lets them stay.
    pub(super) async fn end(self, keep: bool) -> Result<(), WorldError> {
        let vault = self.vault.map(|vault| vault.running.container);
        if keep {
            // Dropping a handle removes its container.
            std::mem::forget((self.localstack.container, self.tools.container, vault));
            return Ok(());
        }
        let (one, other, vault) = tokio::join!(self.localstack.container.rm(), self.tools.container.rm(), async {
            match vault {
                Some(vault) => vault.rm().await,
                None => Ok(()),
            }
        });
        one.and(other)
            .and(vault)
            .map_err(|error| WorldError::doing("remove the run's containers", &error))
    }
}

// === impl Running ===

impl<I: Image> Running<I> {
    pub(super) fn id(&self) -> &str {
        self.container.id()
    }
}

pub(super) async fn run<I: Image + 'static>(
    image: I,
    what: &str,
    marks: &Marks,
    environment: Vec<(String, String)>,
) -> Result<Running<I>, WorldError> {
    let shown = format!("{}:{}", image.name(), image.tag());
    let mut request = image
        .with_container_name(marks.container(what))
        .with_labels(marks.labels())
        .with_network(NETWORK)
        .with_startup_timeout(START);
    for (name, value) in environment {
        request = request.with_env_var(name, value);
    }
    let failed = |error: &dyn std::error::Error| WorldError::doing(format_args!("start a container of {shown}"), error);
    let container = request.start().await.map_err(|error| failed(&error))?;
    let address = address(container.id()).await?;
    Ok(Running { container, address })
}

/// A container's address on kind's network.
///
/// # Errors
/// It has none: it ended, and what it said.
async fn address(container: &str) -> Result<Ipv4Addr, WorldError> {
    let format = format!("{{{{with index .NetworkSettings.Networks \"{NETWORK}\"}}}}{{{{.IPAddress}}}}{{{{end}}}}");
    let told = Program::docker(["inspect", "--format", &format, container])
        .run()
        .await?;
    match told.trim().parse() {
        Ok(address) => Ok(address),
        Err(_) => {
            let said = Program::docker(["logs", "--tail", "20", container]).ask().await?;
            Err(WorldError::new(format!(
                "container {container} has no address on the network {NETWORK}; it said: {}{}",
                said.stdout, said.stderr
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("rolecall/tools:1f", "rolecall/tools", "1f")]
    #[case("registry:5000/tools", "registry:5000/tools", "latest")]
    #[case("registry:5000/tools:2", "registry:5000/tools", "2")]
    fn an_image_is_told_from_its_tag(#[case] image: &str, #[case] name: &str, #[case] tag: &str) {
        let tools = Tools::new(image, Ipv4Addr::LOCALHOST, None, Ipv4Addr::LOCALHOST);
        assert_eq!((tools.name(), tools.tag()), (name, tag));
    }
}
