//! What a scenario's steps ask of the embedded world.

use std::{sync::Arc, time::Duration};

use nix::sys::signal::Signal;
use rolecall_namespaces::Namespace;
use rolecall_probe::{Imds, Report, Sdk, Task, TokenUse as ProbeToken};
use rolecall_scenario::model::{
    Actor, Call, Given, ImdsRequest, Journal, ProxyCommand, ProxySettings, ProxyVerb, Target, TokenUse,
};

use super::{
    cloud::Cloud,
    network::Network,
    pods::{Pod, Pods},
    probe::Programs,
    record::{outcome, probe_keys, record},
    seen::{seen, texts},
    subject::Fleet,
};
use crate::{
    check::{self, Context, Exec, JournalEntry, Keys, Metadata, Saved},
    world::{
        Diagnostics, JournalMark, MetadataTask, Patience, World, WorldError,
        operator::{AwsOperator, KubernetesOperator},
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
}

impl World for EmbeddedWorld {
    fn patience(&self) -> Patience {
        Patience {
            within: Duration::from_secs(5),
            throughout: Duration::from_millis(300),
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
        let fixed = given.cluster.name.is_some() || given.cluster.nodes.is_some() || given.region.is_some();
        let imds = &given.cluster.imds;
        if fixed || imds.tokens_required.is_some() || imds.hop_limit.is_some() || imds.user_data.is_some() {
            return Err(WorldError::new(
                "`apply` cannot change a cluster's name, nodes, region or metadata service here; say them in `given`",
            ));
        }
        self.aws.apply_cluster(&given.cluster).await?;
        self.aws.apply_roles(&given.roles).await?;
        self.aws.apply_buckets(&given.buckets).await?;
        self.kubernetes.apply_namespaces(&given.namespaces).await?;
        self.kubernetes.apply_pods(&given.pods).await?;
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

    async fn metadata(
        &self,
        actor: &Actor,
        task: &MetadataTask<'_>,
        context: &Context,
    ) -> Result<Metadata, WorldError> {
        let place = self.place(actor)?;
        let task = match task {
            MetadataTask::Walk(walk) if walk.client.as_deref() == Some("rust") => Task::Sdk(Sdk::default()),
            MetadataTask::Walk(walk) => Task::Credentials(rolecall_probe::Credentials {
                ask_for: walk.ask_for.clone(),
                token: token(&walk.token, context)?,
                ..Default::default()
            }),
            MetadataTask::Raw(raw) => Task::Imds(self.raw(raw, &place.node, context)?),
        };
        let report = self.programs.probe(&place.host, &task).await?;
        // Headers too: a secret is one wherever it stands. The walk's own document is judged by `role`.
        let texts = texts(&report);
        let mut seen = seen(report)?;
        seen.node_secrets = self.cloud.secrets.within(&texts);
        seen.at = self.cloud.clock.wall();
        seen.proxy_is_stopped = self.fleet.is_stopped(&place.node);
        seen.identity = match &seen.keys {
            Some(keys) => Some(self.aws.identity(keys).await),
            None => None,
        };
        if let (Some(keys), Some(Ok(identity))) = (&seen.keys, &seen.identity) {
            seen.origin = self.origin(keys, identity);
        }
        Ok(seen)
    }

    async fn call(&self, actor: Option<&Actor>, call: &Call, keys: Option<&Keys>) -> Result<check::Call, WorldError> {
        let host = match actor {
            Some(actor) => self.place(actor)?.host,
            // Saved keys without `as:` are used by the operator, who sits in the vpc.
            None => self.network.vpc.clone(),
        };
        let operation = format!("{}:{}", call.service, call.operation);
        let task = Task::Call(rolecall_probe::Call {
            operation: operation.clone(),
            with: call.with.clone().into_iter().collect(),
            keys: keys.map(probe_keys),
            whole_ms: 15_000,
        });
        let Report::Call(report) = self.programs.probe(&host, &task).await? else {
            return Err(WorldError::new("the probe answered another question"));
        };
        let decided = report
            .request_id
            .as_deref()
            .and_then(|id| self.cloud.front.decision(id));
        Ok(check::Call {
            operation,
            record: decided.as_ref().map(record),
            outcome: outcome(*report),
        })
    }

    async fn exec(&self, actor: &Actor, words: &[String]) -> Result<Exec, WorldError> {
        self.programs.exec(&self.place(actor)?.host, words).await
    }

    fn journal_mark(&self) -> JournalMark {
        self.mark()
    }

    fn journal(
        &self,
        journal: &Journal,
        from: JournalMark,
        context: &Context,
    ) -> Result<Vec<JournalEntry>, WorldError> {
        self.recorded(journal, from, context)
    }

    fn diagnose(&self) -> Diagnostics {
        self.collect()
    }

    fn doors(&self) -> Vec<String> {
        self.entrances()
    }

    fn log(&self, node: Option<&str>) -> Result<String, WorldError> {
        Ok(self.fleet.log(node))
    }
}

/// Where an actor is.
struct Place {
    host: Arc<Namespace>,
    node: String,
}

// === impl EmbeddedWorld ===

impl EmbeddedWorld {
    fn place(&self, actor: &Actor) -> Result<Place, WorldError> {
        match actor {
            Actor::Node(name) => {
                let node = self.network.node(name)?;
                Ok(Place {
                    host: node.host.clone(),
                    node: name.clone(),
                })
            }
            Actor::Pod(key) => {
                let pod = self.pod(key)?;
                Ok(Place {
                    host: pod.host,
                    node: pod.node,
                })
            }
        }
    }

    fn pod(&self, key: &str) -> Result<Pod, WorldError> {
        let pod = self.kubernetes.locate(key);
        self.pods
            .find(&pod.namespace, &pod.name)
            .ok_or_else(|| WorldError::new(format!("there is no pod {pod} now")))
    }

    fn raw(&self, raw: &ImdsRequest, node: &str, context: &Context) -> Result<Imds, WorldError> {
        let to = match raw.to {
            Target::Metadata => format!("{}:80", super::network::METADATA),
            Target::Proxy => format!("{}:{}", self.network.node(node)?.address(), crate::subject::APP_PORT),
        };
        let mut headers = Vec::with_capacity(raw.headers.len());
        for (name, value) in &raw.headers {
            let value = match value.strip_prefix("of:") {
                Some(pod) => self.pod(pod)?.address.to_string(),
                None => value.clone(),
            };
            headers.push((name.clone(), value.into()));
        }
        Ok(Imds {
            method: raw.method.clone(),
            target: raw.target.clone(),
            headers,
            body: raw.body.clone().map(Into::into),
            token: token(&raw.token, context)?,
            to,
            at_once: 1,
            patience: Default::default(),
        })
    }

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
}

fn token(word: &TokenUse, context: &Context) -> Result<ProbeToken, WorldError> {
    Ok(match word {
        TokenUse::Fresh => ProbeToken::Fresh,
        TokenUse::None => ProbeToken::None,
        TokenUse::Saved(name) => match context.saved.get(name) {
            Some(Saved::Token(token)) => ProbeToken::Given(token.clone().into()),
            _ => return Err(WorldError::new(format!("no token was saved as {name}"))),
        },
    })
}
