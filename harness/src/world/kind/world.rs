//! What a scenario's steps ask of the kind world.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use rolecall_clock::Clock;
use rolecall_scenario::model::{Actor, Call, Fault, Given, Journal, ProxyCommand, ProxySettings, ProxyVerb};

use super::{audit::Audit, fleet::Fleet, ground::KindGround, vault::KindVault};
use crate::{
    check::{self, Context, Exec, JournalEntry, Keys, Metadata},
    subject::Settings,
    world::{
        Diagnostics, FaultEnd, JournalMark, MetadataTask, Patience, World, WorldError,
        node_secrets::NodeSecrets,
        operator::{AwsOperator, KubernetesOperator},
    },
};

/// One scenario's state in the run's one cluster.
pub(crate) struct KindWorld {
    pub(super) ground: Arc<KindGround>,
    pub(super) fleet: Fleet,
    pub(super) aws: AwsOperator,
    pub(super) kubernetes: KubernetesOperator,
    /// The front's time, which is moved with it.
    pub(super) clock: Clock,
    pub(super) secrets: NodeSecrets,
    /// Vault, if the scenario has to do with it.
    pub(super) vault: Option<KindVault>,
    /// Up to where the journals were read.
    pub(super) marked: tokio::sync::Mutex<JournalMark>,
    /// What the API server records, if the scenario reads it.
    pub(super) audit: Option<Audit>,
    /// How late changes of IAM are seen.
    pub(super) propagation: Mutex<Duration>,
    /// `advance` waits instead of moving clocks.
    pub(super) real_time: bool,
    /// Of bringing it up; not set before that is over.
    pub(super) settled: OnceLock<Duration>,
}

impl World for KindWorld {
    fn settled(&self) -> Duration {
        self.settled.get().copied().unwrap_or_default()
    }

    fn patience(&self) -> Patience {
        Patience {
            within: Duration::from_secs(30),
            throughout: Duration::from_secs(2) + self.propagation(),
            interval: Duration::from_millis(100),
        }
    }

    fn node_role(&self) -> String {
        self.aws.names.node_role()
    }

    fn master_role(&self) -> String {
        self.aws.names.master_role()
    }

    async fn apply(&self, given: &Given, proxy: &ProxySettings) -> Result<(), WorldError> {
        let fixed = given.cluster.name.is_some() || given.cluster.nodes.is_some() || given.region.is_some();
        let imds = &given.cluster.imds;
        if fixed || imds.tokens_required.is_some() || imds.hop_limit.is_some() || imds.user_data.is_some() {
            return Err(WorldError::new(
                "`apply` cannot change a cluster's name, nodes, region or metadata service here; say them in `given`",
            ));
        }
        self.set_propagation(given).await?;
        self.aws.apply_cluster(&given.cluster).await?;
        self.aws.apply_users(&given.users).await?;
        self.aws.apply_roles(&given.roles).await?;
        self.aws.apply_buckets(&given.buckets).await?;
        if let Some(vault) = &self.vault {
            Box::pin(vault.operator.apply(given, &self.aws, &self.kubernetes)).await?;
        }
        self.kubernetes.apply_namespaces(&given.namespaces).await?;
        self.kubernetes.apply_pods(&given.pods).await?;
        self.kubernetes.apply_manifests(&given.manifests).await?;
        let settings = self.fleet.settings().with(proxy);
        if settings != self.fleet.settings() {
            self.change_subject(settings).await?;
        }
        Ok(())
    }

    async fn delete(&self, pod: &str, grace: Duration) -> Result<(), WorldError> {
        self.kubernetes.delete(pod, grace).await.map(drop)
    }

    async fn recreate(&self, pod: &str, grace: Duration) -> Result<(), WorldError> {
        self.kubernetes.recreate(pod, grace).await
    }

    async fn proxy(&self, command: &ProxyCommand) -> Result<(), WorldError> {
        let chosen = command.node.as_ref().map(|node| node.value.as_str());
        let workers = self
            .aws
            .names
            .workers()
            .filter(|worker| chosen.is_none_or(|node| node == *worker));
        let commands = workers.map(|worker| async move {
            match command.verb {
                ProxyVerb::Stop => self.fleet.stop(worker).await,
                ProxyVerb::Kill => self.fleet.kill(worker).await,
                ProxyVerb::Start => {
                    self.fleet.start(worker).await?;
                    self.inherit(Some(worker)).await
                }
                ProxyVerb::Restart => {
                    self.fleet.stop(worker).await?;
                    self.fleet.start(worker).await?;
                    self.inherit(Some(worker)).await
                }
            }
        });
        futures::future::try_join_all(commands).await.map(drop)
    }

    async fn advance(&self, by: Duration) -> Result<(), WorldError> {
        if self.real_time {
            tokio::time::sleep(by).await;
            return Ok(());
        }
        let moved = self.ground.control.advance(by).await;
        moved.map_err(|error| self.steering(&error))?;
        self.clock.advance(by);
        self.fleet.advance(None, by).await
    }

    async fn inject(&self, fault: &Fault) -> Result<(), WorldError> {
        self.begin_fault(fault).await
    }

    async fn heal(&self, service: &str) -> Result<FaultEnd, WorldError> {
        self.end_faults(service).await
    }

    fn user_keys(&self, name: &str) -> Option<Keys> {
        self.aws.user_keys(name)
    }

    async fn metadata(
        &self,
        actor: &Actor,
        task: &MetadataTask<'_>,
        volley: usize,
        context: &Context,
    ) -> Result<Vec<Metadata>, WorldError> {
        self.ask_metadata(actor, task, volley, context).await
    }

    async fn call(&self, actor: Option<&Actor>, call: &Call, keys: Option<&Keys>) -> Result<check::Call, WorldError> {
        self.ask_aws(actor, call, keys).await
    }

    async fn exec(&self, actor: &Actor, words: &[String]) -> Result<Exec, WorldError> {
        self.run_program(actor, words).await
    }

    async fn journal_mark(&self) -> Result<JournalMark, WorldError> {
        self.mark().await
    }

    async fn journal(
        &self,
        journal: &Journal,
        from: JournalMark,
        context: &Context,
    ) -> Result<Vec<JournalEntry>, WorldError> {
        self.recorded(journal, from, context).await
    }

    async fn diagnose(&self) -> Diagnostics {
        self.collect().await
    }

    fn doors(&self) -> Vec<String> {
        self.entrances()
    }

    async fn metrics(&self, node: Option<&str>) -> Result<String, WorldError> {
        self.fleet.metrics(node).await
    }

    async fn log(&self, node: Option<&str>) -> Result<String, WorldError> {
        Ok(self.fleet.log(node))
    }
}

// === impl KindWorld: the subject ===

impl KindWorld {
    /// The subject runs with other settings when this returns.
    async fn change_subject(&self, settings: Settings) -> Result<(), WorldError> {
        self.ground.change_interception(&settings).await?;
        self.fleet.set(settings);
        self.fleet.roll().await?;
        self.inherit(None).await
    }

    /// A subject that is started later inherits the world's time.
    async fn inherit(&self, node: Option<&str>) -> Result<(), WorldError> {
        let offset = self.clock.offset();
        if offset.is_zero() {
            return Ok(());
        }
        self.fleet.advance(node, offset).await
    }
}
