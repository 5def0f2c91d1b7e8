//! Bringing one scenario's state up in the run's cluster, and taking it down.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
};

use rolecall_clock::{Clock, monotonic, since};
use rolecall_scenario::model::{Action, Actor, Given, Scenario};

use super::{
    KindWorld,
    audit::{self, Audit},
    daemon_set::SubjectPlan,
    faults,
    fleet::Fleet,
    ground::{KindGround, environment, root_key},
    issuer, node_pods, tidy,
};
use crate::{
    check::Keys,
    plan::{Capabilities, clients},
    serve::{
        Node,
        control::{AccountKeys, Reset},
    },
    subject::Settings,
    world::{
        WorldError, Worlds,
        node_secrets::NodeSecrets,
        operator::{AwsAccess, AwsOperator, ClusterNames, Documents, KubernetesOperator, PodStyle},
        random::{random_account, random_key},
    },
};

/// What the kind world can do.
pub(crate) fn capabilities() -> Capabilities {
    // LocalStack's image has the AWS CLI and its Python; what else an image has is not known before it runs.
    let mut has = Capabilities::new(
        "the kind world",
        [
            "client:botocore",
            "clock",
            "faults",
            "exec:aws",
            "vault",
            "web_identity",
        ],
    );
    has.fix_clock(
        "vault",
        "Vault is a real server in the kind world and has no clock that can be moved".to_owned(),
    );
    has
}

/// Why a scenario cannot be run in kind, beside what it needs.
pub(crate) fn unable(scenario: &Scenario) -> Option<String> {
    let nodes = ClusterNames::of(&scenario.given).nodes;
    if nodes != ["master-1", "node-1", "node-2"] {
        return Some(format!(
            "the kind world has the nodes master-1, node-1 and node-2, and the scenario has {}",
            nodes.join(", ")
        ));
    }
    scenario.steps.iter().find_map(|step| match &step.action.value {
        Action::Exec(_) => step.actor.as_ref().and_then(|actor| agent_of(&actor.value, scenario)),
        Action::Inject(faults) => faults.iter().find_map(faults::unable),
        _ => None,
    })
}

/// Why a program cannot be run in a pod: one of another image finds no credential process in it.
fn agent_of(actor: &Actor, scenario: &Scenario) -> Option<String> {
    let Actor::Pod(key) = actor else { return None };
    let pod = scenario.given.pods.get(key)?;
    pod.vault_agent.as_ref().map(|_| {
        format!("in the kind world no program but the SDK's own call finds the `vault_agent` of pod {key} (`exec:`)")
    })
}

/// Whether a scenario has to do with Vault.
pub(crate) fn wants_vault(scenario: &Scenario) -> bool {
    scenario.needs.contains("vault")
}

/// The kind world, for one scenario after the other.
#[derive(Clone)]
pub(crate) struct KindWorlds {
    pub(crate) ground: Arc<KindGround>,
    /// The folder of `fixtures/`.
    pub(crate) fixtures: std::path::PathBuf,
    /// Off only in tests of the suite itself.
    pub(crate) enforcement: bool,
    /// `advance` waits instead of moving clocks.
    pub(crate) real_time: bool,
}

impl Worlds for KindWorlds {
    type World = KindWorld;

    async fn bring_up(&self, scenario: &Scenario, settings: &Settings) -> Result<KindWorld, WorldError> {
        let (given, ground) = (&scenario.given, &self.ground);
        let names = ClusterNames::of(given);
        let region = given.region.clone().unwrap_or_else(|| "us-east-1".to_owned());
        let start = monotonic();
        // What a scenario before left where it could not be taken down.
        tidy::scenario(&ground.cluster).await?;
        let (account, root) = (random_account(), random_key());
        let further: BTreeMap<String, (String, Keys)> = given
            .accounts
            .iter()
            .map(|name| (name.value.clone(), (random_account(), random_key())))
            .collect();
        let mut documents = Documents {
            account: account.clone(),
            accounts: further
                .iter()
                .map(|(name, (number, _))| (name.clone(), number.clone()))
                .collect(),
            node_role: names.node_role(),
            issuer: None,
            fixtures: self.fixtures.clone(),
        };
        let vault = match &ground.vault {
            // While the front still knows the account that Vault made users in.
            Some(vault) if wants_vault(scenario) => Some(Box::pin(vault.begin(&region, documents.clone())).await?),
            _ => None,
        };
        let reset = Reset {
            account: Some(account.clone()),
            region: Some(region.clone()),
            root_key: Some(root_key(&root)),
            accounts: Some(
                further
                    .values()
                    .map(|(id, keys)| AccountKeys {
                        id: id.clone(),
                        root_key: root_key(keys),
                    })
                    .collect(),
            ),
            enforcement: Some(self.enforcement),
            nodes: Some(self.nodes(&names, given)?),
        };
        let reset = ground.control.reset(&reset).await;
        reset.map_err(|error| WorldError::doing("reset the AWS front", &error))?;
        if scenario.needs.contains("web_identity") {
            let told = issuer::token_issuer(&ground.cluster.client).await?;
            let set = ground.control.set_issuer(&told).await;
            set.map_err(|error| WorldError::doing("tell the AWS front of the cluster's issuer", &error))?;
            documents.issuer = Some(told.issuer);
        }
        let clock = Clock::new();
        let access = AwsAccess {
            endpoint: ground.operator.clone(),
            region: region.clone(),
            keys: root,
            accounts: further.into_iter().map(|(name, (_, keys))| (name, keys)).collect(),
            clock: clock.clone(),
        };
        let style = PodStyle {
            probe: Some((ground.images.tools.clone(), node_pods::waits())),
            programs: wants_programs(scenario).then(|| ground.options.aws_cli_image.clone()),
            mapped: Some(ground.options.aws_cli_image.clone()),
            environment: environment(&ground.endpoint, &region),
            hosts: ground
                .cluster
                .nodes
                .iter()
                .map(|node| (node.name.clone(), node.host.clone()))
                .collect(),
            labels: ground.marks.labels(),
        };
        let plan = SubjectPlan {
            subject: ground.subject.clone(),
            image: ground.images.proxy.clone(),
            settings: settings.clone(),
            endpoint: ground.endpoint.clone(),
            vault: ground.vault.as_ref().map(|vault| vault.address.clone()),
            api_server: ground.api_server,
            region,
            account,
            clock_token: ground.clock_token.clone(),
            marks: ground.marks.clone(),
        };
        let client = ground.cluster.client.clone();
        let mut kubernetes = KubernetesOperator::new(client, ground.subject.clone(), style, documents.clone());
        if let Some(vault) = &ground.vault {
            kubernetes = kubernetes.with_agent(vault.agent());
        }
        // Before the subject is started: what it asks first is recorded too.
        let audit = match audit::wants_audit(scenario) {
            true => Some(Audit::begin(&ground.cluster).await?),
            false => None,
        };
        let world = KindWorld {
            aws: AwsOperator::new(&access, names, documents),
            kubernetes,
            vault,
            fleet: Fleet::new(ground.cluster.clone(), plan),
            ground: ground.clone(),
            clock,
            secrets: NodeSecrets::default(),
            marked: Default::default(),
            audit,
            propagation: Mutex::default(),
            real_time: self.real_time,
            settled: OnceLock::new(),
        };
        ground.change_interception(settings).await?;
        let room = since(start);
        world.aws.create_oidc_provider().await?;
        world.aws.create_cluster_roles(&given.cluster).await?;
        // On the heap: all of them together are more than an unoptimised program's threads have room for.
        let applying = Box::pin(async {
            furnish_vault(&world, given).await?;
            tokio::try_join!(
                Box::pin(async {
                    if world.vault.is_none() {
                        world.aws.apply_users(&given.users).await?;
                    }
                    world.aws.apply_roles(&given.roles).await?;
                    world.aws.apply_buckets(&given.buckets).await
                }),
                Box::pin(async {
                    world.kubernetes.apply_namespaces(&given.namespaces).await?;
                    world.kubernetes.apply_pods(&given.pods).await?;
                    world.kubernetes.apply_manifests(&given.manifests).await
                }),
            )?;
            Ok(monotonic())
        });
        let (applied, ()) = tokio::try_join!(applying, Box::pin(world.fleet.roll()))?;
        let _ = world.settled.set(room + since(applied));
        // What is given has arrived everywhere before the first step.
        world.set_propagation(given).await?;
        world.begin_vault_journal().await?;
        Ok(world)
    }

    async fn take_down(&self, world: KindWorld) {
        let buckets = world.aws.remove_buckets();
        let (buckets, objects) = tokio::join!(buckets, tidy::scenario(&self.ground.cluster));
        // When no pod is left that could ask for more.
        let leases = match &world.vault {
            Some(vault) => Box::pin(vault.clear()).await,
            None => Ok(()),
        };
        for left in [buckets, objects, leases].into_iter().filter_map(Result::err) {
            tracing::warn!("a scenario's state cannot be removed: {left}");
        }
    }
}

/// Mounts what Vault serves, and tells it what the scenario says. Before the pods: one that asks at once finds its role.
async fn furnish_vault(world: &KindWorld, given: &Given) -> Result<(), WorldError> {
    let Some(vault) = &world.vault else { return Ok(()) };
    vault.operator.prepare().await?;
    world.aws.apply_users(&given.users).await?;
    vault.operator.apply(given, &world.aws, &world.kubernetes).await
}

// === impl KindWorlds ===

impl KindWorlds {
    /// The nodes as EC2 instances, tagged as kops tags its instances.
    fn nodes(&self, names: &ClusterNames, given: &Given) -> Result<Vec<Node>, WorldError> {
        let imds = &given.cluster.imds;
        let node = |node: &super::cluster::ClusterNode| {
            let role = names.role_of(&node.name);
            Ok(Node {
                name: node.name.clone(),
                address: node.address,
                pods: vec![node.pods.clone().try_into().map_err(WorldError::new)?],
                tags: BTreeMap::from([
                    ("Name".to_owned(), role.clone()),
                    ("KubernetesCluster".to_owned(), names.cluster.clone()),
                ]),
                instance_profile: Some(role),
                role: None,
                instance_id: None,
                availability_zone: None,
                user_data: imds.user_data.clone(),
                tokens_required: imds.tokens_required.unwrap_or_default(),
                hop_limit: imds.hop_limit.unwrap_or(2),
            })
        };
        self.ground.cluster.nodes.iter().map(node).collect()
    }
}

/// Whether a scenario runs programs in its pods.
pub(crate) fn wants_programs(scenario: &Scenario) -> bool {
    let image = |given: &Given| given.pods.values().any(|pod| pod.image.is_some()) || !given.manifests.is_empty();
    let applied = scenario.steps.iter().any(|step| match &step.action.value {
        Action::Exec(_) => true,
        Action::Apply(given, _) => image(given),
        _ => false,
    });
    let has_client = clients(scenario).any(|client| client == "botocore");
    applied || has_client || image(&scenario.given) || scenario.needs.iter().any(|need| need.starts_with("exec:"))
}
