//! The containers beside the cluster, on kind's network: LocalStack, and the front with the metadata service.

use std::{borrow::Cow, net::Ipv4Addr, time::Duration};

use testcontainers::{ContainerAsync, Image, ImageExt, core::WaitFor, runners::AsyncRunner};

use super::{command::Program, marks::Marks, options::LOCALSTACK_IMAGE};
use crate::{secrets::learn, world::WorldError};

/// kind's network, on which every cluster of kind's is.
pub(super) const NETWORK: &str = "kind";
/// Where the front listens for proxies and pods.
pub(super) const AWS_PORT: u16 = 4566;
/// Where it listens for whoever steers it.
pub(super) const CONTROL_PORT: u16 = 4567;
/// Where it listens for the operator.
pub(super) const OPERATOR_PORT: u16 = 4568;

const START: Duration = Duration::from_secs(60);

/// LocalStack's services that are behind the front.
#[derive(Clone, Debug, Default)]
struct LocalStack;

/// AWS and the metadata service in one process, as `rolecall serve world` has them.
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

/// Both containers of a run.
pub(super) struct Containers {
    localstack: Running<LocalStack>,
    tools: Running<Tools>,
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
    fn new(image: &str, localstack: Ipv4Addr) -> Self {
        // A registry's port has a colon too; a tag follows the last one behind the last slash.
        let (name, tag) = match image.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (image, "latest"),
        };
        let words = ["serve", "world", "--upstream"];
        let mut arguments: Vec<String> = words.map(str::to_owned).into();
        arguments.push(format!("http://{localstack}:{AWS_PORT}"));
        let listeners = [
            ("--listen", AWS_PORT),
            ("--operator", OPERATOR_PORT),
            ("--control", CONTROL_PORT),
            // The address itself is given to the container when it runs.
            ("--imds", 80),
        ];
        for (flag, port) in listeners {
            arguments.extend([flag.to_owned(), format!("0.0.0.0:{port}")]);
        }
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
    /// Starts both; LocalStack is ready, the front is waited for by its control listener.
    ///
    /// # Errors
    /// One cannot be started, or LocalStack is not ready in time.
    pub(super) async fn start(tools_image: &str, secrets: &FrontSecrets, marks: &Marks) -> Result<Self, WorldError> {
        let localstack = run(LocalStack, "localstack", marks, Vec::new()).await?;
        let localstack_version = LocalStack.tag().to_owned();
        let environment = vec![
            ("ROLECALL_ROOT_KEY".to_owned(), secrets.root_key.clone()),
            ("ROLECALL_CONTROL_TOKEN".to_owned(), secrets.control_token.clone()),
        ];
        learn(&secrets.control_token);
        let tools = run(Tools::new(tools_image, localstack.address), "front", marks, environment).await?;
        Ok(Self {
            localstack,
            tools,
            localstack_version,
        })
    }

    pub(super) fn localstack(&self) -> Ipv4Addr {
        self.localstack.address
    }

    pub(super) fn front(&self) -> Ipv4Addr {
        self.tools.address
    }

    /// The containers' ids: LocalStack's, and the front's.
    pub(super) fn ids(&self) -> [&str; 2] {
        [self.localstack.container.id(), self.tools.container.id()]
    }

    /// Their words, by name.
    pub(super) async fn logs(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (name, id) in ["localstack", "front"].into_iter().zip(self.ids()) {
            let said = Program::docker(["logs", "--tail", "2000", id]).ask().await;
            let text = said.map_or_else(
                |error| error.to_string(),
                |written| format!("{}{}", written.stdout, written.stderr),
            );
            all.push((format!("{name}.log"), text));
        }
        all
    }

    /// Removes both, or lets both stay.
    pub(super) async fn end(self, keep: bool) -> Result<(), WorldError> {
        if keep {
            // Dropping a handle removes its container.
            std::mem::forget((self.localstack.container, self.tools.container));
            return Ok(());
        }
        let (one, other) = tokio::join!(self.localstack.container.rm(), self.tools.container.rm());
        one.and(other)
            .map_err(|error| WorldError::doing("remove the run's containers", &error))
    }
}

async fn run<I: Image + 'static>(
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
        let tools = Tools::new(image, Ipv4Addr::LOCALHOST);
        assert_eq!((tools.name(), tools.tag()), (name, tag));
    }
}
