//! What pods and nodes do: each task a process in its actor's namespace.

use std::{net::SocketAddr, sync::Arc};

use rolecall_clock::{monotonic, since};
use rolecall_namespaces::Namespace;
use rolecall_probe::{Report, Sdk, Task};
use rolecall_scenario::model::{Actor, Call, Target};
use secrecy::ExposeSecret as _;

use super::{EmbeddedWorld, pods::Pod, probe::Programs};
use crate::{
    check::{self, Context, Exec, Keys, Metadata},
    secrets::learn,
    world::{
        MetadataTask, WorldError, botocore, metadata,
        record::{outcome, probe_keys, record},
        seen::seen,
    },
};

/// Where an actor is.
struct Place {
    host: Arc<Namespace>,
    node: String,
    /// What the pod's container has in its environment by its own specification.
    environment: Vec<(String, String)>,
}

// === impl EmbeddedWorld: asking ===

impl EmbeddedWorld {
    fn place(&self, actor: &Actor) -> Result<Place, WorldError> {
        match actor {
            Actor::Node(name) => {
                let node = self.network.node(name)?;
                Ok(Place {
                    host: node.host.clone(),
                    node: name.clone(),
                    environment: Vec::new(),
                })
            }
            Actor::Pod(key) => {
                let pod = self.pod(key)?;
                Ok(Place {
                    host: pod.host,
                    node: pod.node,
                    environment: pod.environment,
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

    pub(super) async fn ask_metadata(
        &self,
        actor: &Actor,
        task: &MetadataTask<'_>,
        volley: usize,
        context: &Context,
    ) -> Result<Vec<Metadata>, WorldError> {
        let place = self.place(actor)?;
        let mut sent = String::new();
        let answers = match task {
            MetadataTask::Walk(walk) => match walk.client.as_deref() {
                _ if walk.from_agent => {
                    let agent = Sdk {
                        agent: true,
                        ..Sdk::default()
                    };
                    seen(place.probe(&self.programs, &Task::Sdk(agent)).await?)?
                }
                None => {
                    let walk = metadata::walk(walk, volley, context)?;
                    seen(place.probe(&self.programs, &Task::Credentials(walk)).await?)?
                }
                Some("rust") => seen(place.probe(&self.programs, &Task::Sdk(Sdk::default())).await?)?,
                Some("botocore") => {
                    let start = monotonic();
                    let ran = place.exec(&self.programs, &botocore::words()).await?;
                    vec![botocore::seen(&ran, since(start))?]
                }
                Some(other) => return Err(WorldError::new(format!("there is no client {other} here"))),
            },
            MetadataTask::Raw(raw) => {
                let to = match raw.to {
                    Target::Metadata => SocketAddr::from((super::network::METADATA, 80)),
                    Target::Proxy => {
                        SocketAddr::from((self.network.node(&place.node)?.address(), crate::subject::APP_PORT))
                    }
                };
                let address_of = |pod: &str| Ok(self.pod(pod)?.address.to_string());
                let request = metadata::raw(raw, to, volley, context, address_of)?;
                sent = metadata::sent(&request);
                seen(place.probe(&self.programs, &Task::Imds(request)).await?)?
            }
        };
        let mut all = Vec::with_capacity(volley);
        for seen in answers {
            let mut metadata = seen.metadata;
            let leaked = self.cloud.secrets.within(&seen.answers, &sent);
            // A node's own walk brings the node's own keys.
            metadata.node_secrets = if matches!(actor, Actor::Node(_)) {
                Vec::new()
            } else {
                leaked
            };
            metadata.at = self.cloud.clock.wall();
            metadata.proxy_is_stopped = self.fleet.is_stopped(&place.node);
            metadata.identity = match &metadata.keys {
                Some(keys) => Some(self.identity_of(keys, &all).await?),
                None => None,
            };
            if let (Some(keys), Some(Ok(identity))) = (&metadata.keys, &metadata.identity) {
                metadata.origin = self.origin(keys, identity);
            }
            all.push(metadata);
        }
        Ok(all)
    }

    /// Whose keys they are. Of a volley that brought one key a hundred times, AWS is asked once.
    async fn identity_of(
        &self,
        keys: &Keys,
        before: &[Metadata],
    ) -> Result<Result<check::Identity, String>, WorldError> {
        let known = before.iter().find(|seen| seen.keys.as_ref() == Some(keys));
        match known.and_then(|seen| seen.identity.clone()) {
            Some(identity) => Ok(identity),
            None => self.aws.identity(keys).await,
        }
    }

    pub(super) async fn ask_aws(
        &self,
        actor: Option<&Actor>,
        call: &Call,
        keys: Option<&Keys>,
    ) -> Result<check::Call, WorldError> {
        let place = match actor {
            Some(actor) => self.place(actor)?,
            // Saved keys without `as:` are used by the operator, who sits in the vpc.
            None => Place {
                host: self.network.vpc.clone(),
                node: String::new(),
                environment: Vec::new(),
            },
        };
        let operation = format!("{}:{}", call.service, call.operation);
        let task = Task::Call(rolecall_probe::Call {
            operation: operation.clone(),
            with: call.with.clone().into_iter().collect(),
            keys: keys.map(probe_keys),
            whole_ms: 15_000,
        });
        let Report::Call(report) = place.probe(&self.programs, &task).await? else {
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

    /// No report shows what the front has given out.
    pub(super) fn learn_secrets(&self) {
        for secret in self.cloud.front.secrets() {
            learn(secret.expose());
        }
        for secret in self.vault.iter().flat_map(|vault| vault.server.secrets()) {
            learn(secret.expose_secret());
        }
    }

    pub(super) async fn run_program(&self, actor: &Actor, words: &[String]) -> Result<Exec, WorldError> {
        let ran = self.place(actor)?.exec(&self.programs, words).await;
        // A program may show keys that no step has seen.
        self.learn_secrets();
        ran
    }
}

// === impl Place ===

impl Place {
    async fn probe(&self, programs: &Programs, task: &Task) -> Result<Report, WorldError> {
        programs.probe(&self.host, &self.environment, task).await
    }

    async fn exec(&self, programs: &Programs, words: &[String]) -> Result<Exec, WorldError> {
        programs.exec(&self.host, &self.environment, words).await
    }
}
