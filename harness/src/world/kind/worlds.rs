//! Bringing one scenario's state up in the run's cluster, and taking it down.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
};

use rolecall_clock::{Clock, monotonic, since};
use rolecall_scenario::model::{Action, Given, Scenario};

use super::{
    KindWorld,
    daemon_set::SubjectPlan,
    faults,
    fleet::Fleet,
    ground::{KindGround, environment, root_key},
    issuer, node_pods, tidy,
};
use crate::{
    check::Keys,
    plan::Capabilities,
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
    // LocalStack's image has the AWS CLI; what else an image has is not known before it runs.
    Capabilities::new("the kind world", ["clock", "faults", "exec:aws", "web_identity"])
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
        Action::Journal(journal) if ["kubernetes", "vault"].contains(&journal.service.as_str()) => Some(format!(
            "nothing records `journal: {}` in the kind world",
            journal.service
        )),
        Action::Inject(faults) => faults.iter().find_map(faults::unable),
        _ => None,
    })
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
        let mut issuer = None;
        if scenario.needs.contains("web_identity") {
            let told = issuer::token_issuer(&ground.cluster.client).await?;
            let set = ground.control.set_issuer(&told).await;
            set.map_err(|error| WorldError::doing("tell the AWS front of the cluster's issuer", &error))?;
            issuer = Some(told.issuer);
        }
        let clock = Clock::new();
        let documents = Documents {
            account: account.clone(),
            accounts: further
                .iter()
                .map(|(name, (number, _))| (name.clone(), number.clone()))
                .collect(),
            node_role: names.node_role(),
            issuer,
            fixtures: self.fixtures.clone(),
        };
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
            region,
            account,
            clock_token: ground.clock_token.clone(),
            marks: ground.marks.clone(),
        };
        let client = ground.cluster.client.clone();
        let world = KindWorld {
            aws: AwsOperator::new(&access, names, documents.clone()),
            kubernetes: KubernetesOperator::new(client, ground.subject.clone(), style, documents),
            fleet: Fleet::new(ground.cluster.clone(), plan),
            ground: ground.clone(),
            clock,
            secrets: NodeSecrets::default(),
            marked: Default::default(),
            propagation: Mutex::default(),
            real_time: self.real_time,
            settled: OnceLock::new(),
        };
        ground.change_interception(settings).await?;
        let room = since(start);
        world.aws.create_oidc_provider().await?;
        world.aws.create_cluster_roles(&given.cluster).await?;
        let applying = async {
            tokio::try_join!(
                async {
                    world.aws.apply_users(&given.users).await?;
                    world.aws.apply_roles(&given.roles).await?;
                    world.aws.apply_buckets(&given.buckets).await
                },
                async {
                    world.kubernetes.apply_namespaces(&given.namespaces).await?;
                    world.kubernetes.apply_pods(&given.pods).await?;
                    world.kubernetes.apply_manifests(&given.manifests).await
                },
            )?;
            Ok(monotonic())
        };
        let (applied, ()) = tokio::try_join!(applying, world.fleet.roll())?;
        let _ = world.settled.set(room + since(applied));
        // What is given has arrived everywhere before the first step.
        world.set_propagation(given).await?;
        Ok(world)
    }

    async fn take_down(&self, world: KindWorld) {
        let buckets = world.aws.remove_buckets();
        let (buckets, objects) = tokio::join!(buckets, tidy::scenario(&self.ground.cluster));
        for left in [buckets, objects].into_iter().filter_map(Result::err) {
            tracing::warn!("a scenario's state cannot be removed: {left}");
        }
    }
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
    applied || image(&scenario.given) || scenario.needs.iter().any(|need| need.starts_with("exec:"))
}
