//! What a scenario's steps ask of the embedded world.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use nix::sys::signal::Signal;
use rolecall_scenario::{
    Spanned,
    model::{self, Actor, Call, Fault, Given, Journal, ProxyCommand, ProxySettings, ProxyVerb},
};

use super::{cloud::Cloud, network::Network, pods::Pods, probe::Programs, subject::Fleet, vault::VaultServer};
use crate::{
    check::{self, Context, Exec, JournalEntry, Keys, Metadata},
    world::{
        Diagnostics, FaultEnd, JournalMark, MetadataTask, Patience, World, WorldError,
        operator::{AwsOperator, KubernetesOperator, VaultOperator},
    },
};

/// One scenario's world.
pub(crate) struct EmbeddedWorld {
    pub(super) cloud: Cloud,
    pub(super) network: Arc<Network>,
    pub(super) pods: Arc<Pods>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) programs: Programs,
    pub(super) aws: AwsOperator,
    pub(super) kubernetes: KubernetesOperator,
    /// Vault, if the scenario has to do with it.
    pub(super) vault: Option<WithVault>,
    /// How late changes of IAM are seen.
    pub(super) propagation: Mutex<Duration>,
    /// `advance` waits instead of moving clocks.
    pub(super) real_time: bool,
    /// Of bringing it up; not set before that is over.
    pub(super) settled: OnceLock<Duration>,
}

/// Vault, and who tells it what a scenario says.
pub(crate) struct WithVault {
    pub(super) server: VaultServer,
    pub(super) operator: VaultOperator,
}

impl World for EmbeddedWorld {
    fn settled(&self) -> Duration {
        self.settled.get().copied().unwrap_or_default()
    }

    fn patience(&self) -> Patience {
        Patience {
            within: Duration::from_secs(5),
            // What is still on its way must have arrived.
            throughout: Duration::from_millis(300) + self.propagation(),
            interval: Duration::from_millis(40),
        }
    }

    fn node_role(&self) -> String {
        self.aws.names.node_role()
    }

    fn master_role(&self) -> String {
        self.aws.names.master_role()
    }

    async fn apply(&self, given: &Given, proxy: &ProxySettings) -> Result<(), WorldError> {
        self.set_propagation(given);
        let fixed = given.cluster.name.is_some() || given.cluster.nodes.is_some() || given.region.is_some();
        let imds = &given.cluster.imds;
        if fixed || imds.tokens_required.is_some() || imds.hop_limit.is_some() || imds.user_data.is_some() {
            return Err(WorldError::new(
                "`apply` cannot change a cluster's name, nodes, region or metadata service here; say them in `given`",
            ));
        }
        self.aws.apply_cluster(&given.cluster).await?;
        self.aws.apply_users(&given.users).await?;
        self.aws.apply_roles(&given.roles).await?;
        self.aws.apply_buckets(&given.buckets).await?;
        if let Some(vault) = &self.vault {
            vault.operator.apply(given, &self.aws, &self.kubernetes).await?;
        }
        self.kubernetes.apply_namespaces(&given.namespaces).await?;
        self.apply_pods(&given.pods).await?;
        self.kubernetes.apply_manifests(&given.manifests).await?;
        let settings = self.fleet.settings().with(proxy);
        if settings != self.fleet.settings() {
            self.fleet.set(settings);
            self.each_worker(None, ProxyVerb::Restart).await?;
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
        self.each_worker(command.node.as_ref().map(|node| node.value.as_str()), command.verb)
            .await
    }

    async fn advance(&self, by: Duration) -> Result<(), WorldError> {
        if self.real_time {
            tokio::time::sleep(by).await;
            return Ok(());
        }
        self.cloud.clock.advance(by);
        if let Some(vault) = &self.vault {
            vault.server.settle().await;
        }
        self.fleet.advance(by).await
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
        Ok(self.mark())
    }

    async fn journal(
        &self,
        journal: &Journal,
        from: JournalMark,
        context: &Context,
    ) -> Result<Vec<JournalEntry>, WorldError> {
        self.recorded(journal, from, context)
    }

    async fn diagnose(&self) -> Diagnostics {
        self.collect()
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

// === impl EmbeddedWorld: the subject ===

impl EmbeddedWorld {
    /// Does the command on one worker, or on all of them at once.
    pub(super) async fn each_worker(&self, node: Option<&str>, verb: ProxyVerb) -> Result<(), WorldError> {
        let workers = self
            .aws
            .names
            .workers()
            .filter(|worker| node.is_none_or(|node| node == *worker));
        let commands = workers.map(|worker| async move {
            match verb {
                ProxyVerb::Stop => self.fleet.end(worker, Signal::SIGTERM).await,
                ProxyVerb::Kill => self.fleet.end(worker, Signal::SIGKILL).await,
                ProxyVerb::Start => self.fleet.start(worker).await,
                ProxyVerb::Restart => {
                    self.fleet.end(worker, Signal::SIGTERM).await?;
                    self.fleet.start(worker).await
                }
            }
        });
        futures::future::try_join_all(commands).await.map(drop)
    }

    /// Makes pods, those first hidden from the subject that the API is not to show it.
    pub(super) async fn apply_pods(&self, pods: &BTreeMap<String, Spanned<model::Pod>>) -> Result<(), WorldError> {
        for (key, spec) in pods {
            let pod = self.kubernetes.locate_new(key, spec);
            match spec.hidden {
                Some(true) => self.cloud.cluster.hide(&pod.namespace, &pod.name),
                Some(false) => self.cloud.cluster.show(&pod.namespace, &pod.name),
                None if spec.restored.contains("hidden") => self.cloud.cluster.show(&pod.namespace, &pod.name),
                None => {}
            }
        }
        self.kubernetes.apply_pods(pods).await
    }
}
