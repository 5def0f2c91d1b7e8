use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};

use super::{
    NodeSettings, PodRuntime,
    addresses::AddressPool,
    pod_worker::{PodWorker, Termination},
};
use crate::{
    registry::Registry,
    store::{
        Key, Resource,
        object::{has, text},
    },
};

/// The kubelet of one node, and what its workers share.
pub(crate) struct Kubelet {
    pub(super) registry: Arc<Registry>,
    pub(super) node: NodeSettings,
    pub(super) runtime: Arc<dyn PodRuntime>,
    /// The authority of the API server, PEM.
    pub(super) ca_pem: String,
    addresses: Mutex<AddressPool>,
}

// === impl Kubelet ===

impl Kubelet {
    /// Registers the node.
    pub(crate) fn register(
        registry: Arc<Registry>,
        node: NodeSettings,
        runtime: Arc<dyn PodRuntime>,
        ca_pem: &str,
    ) -> Arc<Self> {
        registry.kubelet_started(&node.name);
        node.register(&registry);
        let mut pool = AddressPool::new(node.pod_cidr);
        registry.store.read(|state| {
            for (_, pod) in state.list(Resource::Pods, None) {
                if text(pod, "/spec/nodeName") == node.name
                    && let Ok(IpAddr::V4(address)) = text(pod, "/status/podIP").parse()
                {
                    pool.claim(address);
                }
            }
        });
        Arc::new(Self {
            ca_pem: ca_pem.to_owned(),
            addresses: Mutex::new(pool),
            registry,
            node,
            runtime,
        })
    }

    /// Keeps one worker for each pod bound to the node, as long as it is polled. It looks at the state and not at
    /// single changes, so that nothing is lost, however far it is behind.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut published = self.registry.store.published();
        let mut tasks = JoinSet::new();
        let mut workers: HashMap<String, watch::Sender<Option<Termination>>> = HashMap::new();
        let mut adopt = true;
        loop {
            published.borrow_and_update();
            let pods = self.pods();
            workers.retain(|uid, ending| {
                let here = pods.iter().any(|(_, pod)| text(pod, "/metadata/uid") == uid);
                if !here {
                    // Removed without its kubelet: whatever still runs is stopped at once.
                    ending.send_replace(Some(Termination { grace: Duration::ZERO }));
                }
                here
            });
            for (key, pod) in pods {
                let ending = workers
                    .entry(text(&pod, "/metadata/uid").to_owned())
                    .or_insert_with(|| {
                        let (sender, receiver) = watch::channel(None);
                        let worker = PodWorker::new(self.clone(), key, pod.clone());
                        tasks.spawn(worker.run(adopt, receiver));
                        sender
                    });
                let asked = Termination::of(&pod);
                ending.send_if_modified(|known| {
                    let news = asked.is_some() && *known != asked;
                    if news {
                        *known = asked;
                    }
                    news
                });
            }
            adopt = false;
            while tasks.try_join_next().is_some() {}
            if published.changed().await.is_err() {
                return;
            }
        }
    }

    fn pods(&self) -> Vec<(Key, Arc<Value>)> {
        self.registry.store.read(|state| {
            state
                .list(Resource::Pods, None)
                .filter(|(_, pod)| text(pod, "/spec/nodeName") == self.node.name)
                .map(|(key, pod)| (key.clone(), pod.clone()))
                .collect()
        })
    }

    pub(super) fn addresses<R>(&self, f: impl FnOnce(&mut AddressPool) -> R) -> R {
        f(&mut self.addresses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.registry.kubelet_stopped(&self.node.name);
    }
}

// === impl Termination ===

impl Termination {
    /// What the object says of its end.
    fn of(pod: &Value) -> Option<Self> {
        if !has(pod, "/metadata/deletionTimestamp") {
            return None;
        }
        let seconds = pod
            .pointer("/metadata/deletionGracePeriodSeconds")
            .and_then(Value::as_u64);
        Some(Self {
            grace: Duration::from_secs(seconds.unwrap_or(0)),
        })
    }
}
