//! Bringing a world up.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::Instant,
};

use rolecall_aws::{Enforcement, Front, Upstream};
use rolecall_clock::{monotonic, since};
use rolecall_scenario::model::{ProxyVerb, Scenario};

use super::{
    EmbeddedWorld, Graveyard, Ground,
    aws_names::AwsNames,
    cloud::{Cloud, CloudSettings},
    issuer::ClusterKeys,
    network::Network,
    pods::Pods,
    probe::Programs,
    subject::{Equipment, Fleet},
    vault::VaultServer,
    world::WithVault,
};
use crate::{
    plan::{Capabilities, clients},
    subject::{Settings, Subject},
    world::{
        WorldError, Worlds, botocore,
        operator::{Agent, AwsOperator, ClusterNames, Documents, KubernetesOperator, PodStyle, VaultOperator},
    },
};

/// What the embedded world can do for these scenarios. What is costly to find out is found out only where one needs it.
pub(crate) fn capabilities(scenarios: &[Arc<Scenario>]) -> Capabilities {
    let mut has = vec!["addresses", "clock", "faults", "vault", "web_identity"];
    let wanted = scenarios
        .iter()
        .any(|scenario| clients(scenario).any(|client| client == "botocore"));
    if wanted && botocore::is_here() {
        has.push("client:botocore");
    }
    // A pod has the host's programs.
    let needs = scenarios.iter().flat_map(|scenario| &scenario.needs);
    has.extend(
        needs
            .map(String::as_str)
            .filter(|need| need.strip_prefix("exec:").is_some_and(is_installed)),
    );
    Capabilities::new("the embedded world", has)
}

/// Whether a program is found as a shell would find it.
fn is_installed(program: &str) -> bool {
    let runs = |path: &Path| {
        path.metadata()
            .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return runs(Path::new(program));
    }
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| runs(&folder.join(program))))
}

/// Embedded worlds, one beside the other.
#[derive(Clone, Debug)]
pub(crate) struct EmbeddedWorlds {
    pub(crate) ground: Ground,
    pub(crate) subject: Subject,
    /// This program, which is also the bundled proxy and the probe.
    pub(crate) own: PathBuf,
    /// The folder of `fixtures/`.
    pub(crate) fixtures: PathBuf,
    /// Off only in tests of the suite itself.
    pub(crate) enforcement: Enforcement,
    /// `advance` waits instead of moving clocks.
    pub(crate) real_time: bool,
    /// A real Vault in the emulator's place.
    pub(crate) vault_binary: Option<PathBuf>,
    /// A LocalStack behind the front.
    pub(crate) upstream: Option<Upstream>,
    pub(crate) graveyard: Graveyard,
}

impl Worlds for EmbeddedWorlds {
    type World = EmbeddedWorld;

    async fn bring_up(&self, scenario: &Scenario, settings: &Settings) -> Result<EmbeddedWorld, WorldError> {
        let given = &scenario.given;
        let start = monotonic();
        let names = ClusterNames::of(given);
        let region = given.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
        let (ground, nodes) = (self.ground.clone(), names.nodes.clone());
        // Waits for the kernel and for new threads, so not on a thread of the runtime.
        let network = tokio::task::spawn_blocking(move || Network::build(&ground, &nodes))
            .await
            .map_err(|error| WorldError::doing("build the world's network", &error))??;
        let network = Arc::new(network);
        let pods = Arc::new(Pods::new(self.ground.clone(), network.clone()));
        let cloud = Cloud::start(CloudSettings {
            network: network.clone(),
            names: &names,
            region: &region,
            imds: &given.cluster.imds,
            accounts: &given.accounts,
            enforcement: self.enforcement,
            upstream: self.upstream.as_ref(),
        })
        .await?;
        let front = cloud.front.clone();
        let world = self
            .furnish(scenario, settings, (cloud, network, pods), names, start)
            .await;
        if world.is_err() {
            clear(&front).await;
        }
        world
    }

    async fn take_down(&self, world: EmbeddedWorld) {
        // Its processes end here, its threads and namespaces when the graveyard lets go of them.
        let _ = world.each_worker(None, ProxyVerb::Kill).await;
        clear(&world.cloud.front).await;
        world.cloud.stop.cancel();
        self.graveyard.bury(world.network.clone(), world.pods.clone());
    }
}

// === impl EmbeddedWorlds ===

impl EmbeddedWorlds {
    /// Makes what the scenario says exists, and starts the subject.
    async fn furnish(
        &self,
        scenario: &Scenario,
        settings: &Settings,
        (cloud, network, pods): (Cloud, Arc<Network>, Arc<Pods>),
        names: ClusterNames,
        start: Instant,
    ) -> Result<EmbeddedWorld, WorldError> {
        let given = &scenario.given;
        let region = cloud.operator.region.clone();
        cloud.start_kubelets(&network, &pods)?;
        let documents = Documents {
            account: cloud.account.clone(),
            accounts: cloud.accounts.clone(),
            node_role: names.node_role(),
            issuer: scenario
                .needs
                .contains("web_identity")
                .then(|| cloud.cluster.issuer().to_owned()),
            fixtures: self.fixtures.clone(),
        };
        let aws = AwsOperator::new(&cloud.operator, names, documents.clone());
        let client = cloud.kubernetes_client().await?;
        cloud.front.set_identity_keys(Arc::new(ClusterKeys {
            client: client.clone(),
            issuer: cloud.cluster.issuer().to_owned(),
        }));
        let mut kubernetes =
            KubernetesOperator::new(client, self.subject.clone(), PodStyle::default(), documents.clone());
        if scenario.needs.contains("vault") {
            kubernetes = kubernetes.with_agent(Agent {
                command: format!("\"{}\" proxy credential-process", self.own.display()),
                vault: VaultServer::address(),
            });
        }
        let programs = Programs {
            own: self.own.clone(),
            region,
            clock: cloud.clock.clone(),
        };
        let names = if self.subject.knows_endpoints() {
            None
        } else {
            Some(AwsNames::serve(&cloud, &network.vpc, &programs.region).await?)
        };
        let vault = match scenario.needs.contains("vault") {
            true => Some(self.start_vault(&cloud, &network, &documents).await?),
            false => None,
        };
        let equipment = Equipment {
            subject: self.subject.clone(),
            programs: programs.clone(),
            network: network.clone(),
            account: cloud.account.clone(),
            kubeconfig: cloud.subject_kubeconfig(vault.is_some()),
            clock: cloud.clock.clone(),
            vault: vault.is_some().then(VaultServer::address),
            names,
        };
        let fleet = Arc::new(Fleet::new(equipment, settings.clone()));
        let world = EmbeddedWorld {
            cloud,
            network,
            pods,
            fleet,
            programs,
            aws,
            kubernetes,
            vault,
            propagation: Mutex::default(),
            real_time: self.real_time,
            settled: OnceLock::new(),
        };
        let room = since(start);
        // The subject needs the nodes' role and nothing else of the scenario: it starts beside the rest, as on a
        // cluster where pods come and go while it runs.
        world.aws.create_oidc_provider().await?;
        world.aws.create_cluster_roles(&given.cluster).await?;
        if let Some(vault) = &world.vault {
            // Before the pods: one that asks at once finds its Vault role.
            vault.operator.prepare().await?;
            world.aws.apply_users(&given.users).await?;
            vault.operator.apply(given, &world.aws, &world.kubernetes).await?;
        }
        let applying = async {
            tokio::try_join!(
                async {
                    if world.vault.is_none() {
                        world.aws.apply_users(&given.users).await?;
                    }
                    world.aws.apply_roles(&given.roles).await?;
                    world.aws.apply_buckets(&given.buckets).await
                },
                async {
                    world.kubernetes.apply_namespaces(&given.namespaces).await?;
                    world.apply_pods(&given.pods).await?;
                    world.kubernetes.apply_manifests(&given.manifests).await
                },
            )?;
            Ok(monotonic())
        };
        let (applied, ()) = tokio::try_join!(applying, world.each_worker(None, ProxyVerb::Start))?;
        let _ = world.settled.set(room + since(applied));
        // What is given has arrived everywhere before the first step.
        world.set_propagation(given);
        Ok(world)
    }

    async fn start_vault(
        &self,
        cloud: &Cloud,
        network: &Network,
        documents: &Documents,
    ) -> Result<WithVault, WorldError> {
        let server = VaultServer::start(cloud, &network.vpc, self.vault_binary.as_ref()).await?;
        let operator = VaultOperator::new(server.access.clone(), documents.clone());
        Ok(WithVault { server, operator })
    }
}

/// Removes from LocalStack what was made there; the front's memory goes with the front.
async fn clear(front: &Front) {
    if let Err(error) = front.remove_all().await {
        tracing::warn!(%error, "LocalStack keeps what this scenario made");
    }
}
