//! What pods and nodes do: each task a process in its actor's container.

use std::net::SocketAddr;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use rolecall_clock::{monotonic, since};
use rolecall_probe::{Report, Sdk, Task};
use rolecall_scenario::model::{Actor, Call, Target};

use super::{KindWorld, exec::Container, node_pods, routes::METADATA};
use crate::{
    check::{self, Context, Exec, Keys, Metadata},
    secrets::learn,
    world::{
        MetadataTask, WorldError, botocore, metadata,
        operator::{PROBE, PROGRAMS},
        record::{outcome, probe_keys, record},
        seen::seen,
    },
};

/// Where an actor is.
struct Place {
    probe: Container,
    /// Where its further programs run.
    programs: Container,
    node: String,
}

// === impl KindWorld: asking ===

impl KindWorld {
    async fn place(&self, actor: &Actor) -> Result<Place, WorldError> {
        let key = match actor {
            Actor::Node(name) => {
                let probe = node_pods::of_node(self.ground.cluster.node(name)?);
                return Ok(Place {
                    programs: probe.clone(),
                    probe,
                    node: name.clone(),
                });
            }
            Actor::Pod(key) => key,
        };
        let located = self.kubernetes.locate(key);
        let pod = self.pod(key).await?;
        let spec = pod.spec.unwrap_or_default();
        let host = spec.node_name.unwrap_or_default();
        let node = self.ground.cluster.nodes.iter().find(|node| node.host == host);
        let node = node.ok_or_else(|| WorldError::new(format!("pod {located} is on no node of the cluster")))?;
        let container = |name: &str| Container {
            namespace: located.namespace.clone(),
            pod: located.name.clone(),
            name: name.to_owned(),
        };
        let has = |name: &str| spec.containers.iter().any(|container| container.name == name);
        // A manifest's pod has programs of its own, and the probe joined it later.
        let programs = match spec.containers.first() {
            _ if has(PROGRAMS) => PROGRAMS,
            Some(first) if !has(PROBE) => first.name.as_str(),
            _ => PROBE,
        };
        Ok(Place {
            programs: container(programs),
            probe: container(PROBE),
            node: node.name.clone(),
        })
    }

    async fn pod(&self, key: &str) -> Result<Pod, WorldError> {
        let located = self.kubernetes.locate(key);
        let api: Api<Pod> = Api::namespaced(self.ground.cluster.client.clone(), &located.namespace);
        let found = api
            .get_opt(&located.name)
            .await
            .map_err(|error| WorldError::doing(format_args!("get pod {located}"), &error))?;
        found.ok_or_else(|| WorldError::new(format!("there is no pod {located} now")))
    }

    async fn probe(&self, place: &Place, task: &Task) -> Result<Report, WorldError> {
        place.probe.probe(&self.ground.cluster.client, task).await
    }

    pub(super) async fn ask_metadata(
        &self,
        actor: &Actor,
        task: &MetadataTask<'_>,
        volley: usize,
        context: &Context,
    ) -> Result<Vec<Metadata>, WorldError> {
        let place = self.place(actor).await?;
        let mut sent = String::new();
        let answers = match task {
            MetadataTask::Walk(walk) => match walk.client.as_deref() {
                _ if walk.from_agent => {
                    let agent = Sdk {
                        agent: true,
                        ..Sdk::default()
                    };
                    seen(self.probe(&place, &Task::Sdk(agent)).await?)?
                }
                None => {
                    let walk = metadata::walk(walk, volley, context)?;
                    seen(self.probe(&place, &Task::Credentials(walk)).await?)?
                }
                Some("botocore") => {
                    let start = monotonic();
                    let client = &self.ground.cluster.client;
                    let ran = place.programs.run(client, &botocore::words_in_image(), &[]).await?;
                    vec![botocore::seen(&ran, since(start))?]
                }
                Some("rust") => seen(self.probe(&place, &Task::Sdk(Sdk::default())).await?)?,
                Some(other) => return Err(WorldError::new(format!("there is no client {other} here"))),
            },
            MetadataTask::Raw(raw) => {
                let to = match raw.to {
                    Target::Metadata => SocketAddr::from((METADATA, 80)),
                    Target::Proxy => {
                        let node = self.ground.cluster.node(&place.node)?;
                        SocketAddr::from((node.address, crate::subject::APP_PORT))
                    }
                };
                let mut addresses = Vec::new();
                for pod in raw.headers.iter().filter_map(|(_, value)| value.strip_prefix("of:")) {
                    let found = self.pod(pod).await?;
                    let address = found.status.and_then(|status| status.pod_ip).unwrap_or_default();
                    addresses.push((pod.to_owned(), address));
                }
                let address_of = |pod: &str| {
                    let found = addresses.iter().find(|(name, _)| name == pod);
                    let found = found.map(|(_, address)| address.clone());
                    found.ok_or_else(|| WorldError::new(format!("pod {pod} has no address")))
                };
                let request = metadata::raw(raw, to, volley, context, address_of)?;
                sent = metadata::sent(&request);
                seen(self.probe(&place, &Task::Imds(request)).await?)?
            }
        };
        self.learn_secrets().await?;
        let mut all = Vec::with_capacity(volley);
        for seen in answers {
            let mut metadata = seen.metadata;
            let leaked = self.secrets.within(&seen.answers, &sent);
            // A node's own walk brings the node's own keys.
            metadata.node_secrets = if matches!(actor, Actor::Node(_)) {
                Vec::new()
            } else {
                leaked
            };
            metadata.at = self.clock.wall();
            metadata.proxy_is_stopped = self.fleet.is_stopped(&place.node);
            metadata.identity = match &metadata.keys {
                Some(keys) => Some(self.identity_of(keys, &all).await?),
                None => None,
            };
            if let (Some(keys), Some(Ok(identity))) = (&metadata.keys, &metadata.identity) {
                // For the report of a failure: what cannot be told there fails nothing.
                metadata.origin = self.origin(keys, identity).await.unwrap_or_default();
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
            Some(actor) => self.place(actor).await?,
            // Saved keys without `as:` are used by the operator, who sits at the masters.
            None => self.place(&Actor::Node("master-1".to_owned())).await?,
        };
        let operation = format!("{}:{}", call.service, call.operation);
        let task = Task::Call(rolecall_probe::Call {
            operation: operation.clone(),
            with: call.with.clone().into_iter().collect(),
            keys: keys.map(probe_keys),
            whole_ms: 15_000,
        });
        let Report::Call(report) = self.probe(&place, &task).await? else {
            return Err(WorldError::new("the probe answered another question"));
        };
        self.learn_secrets().await?;
        let decided = match &report.request_id {
            Some(id) => self
                .ground
                .control
                .decision(id)
                .await
                .map_err(|error| self.steering(&error))?,
            None => None,
        };
        Ok(check::Call {
            operation,
            record: decided.as_ref().map(record),
            outcome: outcome(*report),
        })
    }

    /// No report shows what the front has given out, and no pod may be shown what is a node's.
    pub(super) async fn learn_secrets(&self) -> Result<(), WorldError> {
        let known = self
            .ground
            .control
            .secrets()
            .await
            .map_err(|error| self.steering(&error))?;
        for secret in known {
            learn(&secret.value);
            if secret.what != "key" {
                self.secrets.remember(&secret.what, &secret.value);
            }
        }
        Ok(())
    }

    pub(super) async fn run_program(&self, actor: &Actor, words: &[String]) -> Result<Exec, WorldError> {
        let place = self.place(actor).await?;
        let ran = place.programs.run(&self.ground.cluster.client, words, &[]).await;
        // A program may show keys that no step has seen.
        self.learn_secrets().await?;
        ran
    }
}
