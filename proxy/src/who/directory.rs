use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::PodRecord;

/// How long a request from an address that no pod has waits for the watch: a container runs before the API server has
/// told everybody its address.
const UNSEEN: Duration = Duration::from_millis(250);

/// The pods, by address.
#[derive(Debug)]
pub struct Directory {
    by_uid: Mutex<HashMap<String, Arc<PodRecord>>>,
    by_address: ArcSwap<HashMap<IpAddr, Occupants>>,
    synced: AtomicBool,
    changes: watch::Sender<()>,
}

/// Why an address is nobody's.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unidentified {
    /// No live pod has it, or a hostNetwork pod or the node itself asks.
    #[error("no pod has the address")]
    Unknown,
    /// The pods, or their namespaces, have not been listed yet.
    #[error("the API server's lists are not there yet")]
    NotSynced,
    /// More than one live pod has it; whose answer would be right is not knowable.
    #[error("several pods have the address: {0}")]
    Shared(String),
}

#[derive(Debug)]
enum Occupants {
    One(Arc<PodRecord>),
    Many(Vec<Arc<PodRecord>>),
}

impl Directory {
    /// No pods, not yet synced.
    pub fn new() -> Self {
        Self {
            by_uid: Mutex::default(),
            by_address: ArcSwap::default(),
            synced: AtomicBool::new(false),
            changes: watch::Sender::new(()),
        }
    }

    /// The live pod at `address`. Waits for at most a quarter of a second, and only if no pod has it.
    ///
    /// # Errors
    /// See [`Unidentified`].
    pub async fn pod_at(&self, address: IpAddr) -> Result<Arc<PodRecord>, Unidentified> {
        let address = address.to_canonical();
        // Before the first look, so that no change falls between looking and waiting.
        let mut changes = self.changes.subscribe();
        let seen = async {
            loop {
                if let Some(found) = self.look(address) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    return Err(Unidentified::Unknown);
                }
            }
        };
        match tokio::time::timeout(UNSEEN, seen).await {
            Ok(found) => found,
            Err(_) if self.is_synced() => Err(Unidentified::Unknown),
            Err(_) => Err(Unidentified::NotSynced),
        }
    }

    /// Adds a pod, or what has become of it.
    pub fn apply(&self, pod: PodRecord) {
        self.change(|pods| {
            pods.insert(pod.uid.clone(), Arc::new(pod));
        });
    }

    /// Forgets a pod that is gone.
    pub fn remove(&self, uid: &str) {
        self.change(|pods| {
            pods.remove(uid);
        });
    }

    /// Replaces all pods by a fresh list; those that it lacks are gone.
    pub fn replace(&self, list: Vec<PodRecord>) {
        self.synced.store(true, Ordering::SeqCst);
        self.change(|pods| *pods = list.into_iter().map(|pod| (pod.uid.clone(), Arc::new(pod))).collect());
    }

    /// Whether the pods have been listed once.
    pub fn is_synced(&self) -> bool {
        self.synced.load(Ordering::SeqCst)
    }

    /// Ends once the pods have been listed.
    pub async fn synced(&self) {
        let mut changes = self.changes.subscribe();
        while !self.is_synced() && changes.changed().await.is_ok() {}
    }

    /// The pod of that UID, live or not.
    pub fn pod(&self, uid: &str) -> Option<Arc<PodRecord>> {
        let pods = self.by_uid.lock().unwrap_or_else(PoisonError::into_inner);
        pods.get(uid).cloned()
    }

    /// Tells of every change from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Number of pods known, live or not.
    pub fn len(&self) -> usize {
        self.by_uid.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no pod is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn look(&self, address: IpAddr) -> Option<Result<Arc<PodRecord>, Unidentified>> {
        match self.by_address.load().get(&address)? {
            Occupants::One(pod) => Some(Ok(pod.clone())),
            Occupants::Many(pods) => {
                let names: Vec<_> = pods
                    .iter()
                    .map(|pod| format!("{}/{}", pod.namespace, pod.name))
                    .collect();
                Some(Err(Unidentified::Shared(names.join(", "))))
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Arc<PodRecord>>)) {
        let mut pods = self.by_uid.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut pods);
        let mut addresses = HashMap::with_capacity(pods.len());
        for pod in pods.values().filter(|pod| pod.live) {
            for address in &pod.addresses {
                addresses
                    .entry(*address)
                    .and_modify(|occupants: &mut Occupants| occupants.join(pod))
                    .or_insert_with(|| Occupants::One(pod.clone()));
            }
        }
        // Stored under the lock, so that an older snapshot never follows a newer one.
        self.by_address.store(Arc::new(addresses));
        drop(pods);
        self.changes.send_replace(());
    }
}

impl Default for Directory {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Occupants ===

impl Occupants {
    fn join(&mut self, pod: &Arc<PodRecord>) {
        match self {
            Self::One(first) => *self = Self::Many(vec![first.clone(), pod.clone()]),
            Self::Many(pods) => pods.push(pod.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, address: &str, live: bool) -> PodRecord {
        PodRecord {
            uid: uid.to_owned(),
            namespace: "default".to_owned(),
            name: format!("pod-{uid}"),
            addresses: vec![address.parse().unwrap()],
            live,
            role: None,
            external_id: None,
            vault_role: None,
            service_account: "default".to_owned(),
        }
    }

    const A: &str = "10.244.1.2";

    fn uid(found: Result<Arc<PodRecord>, Unidentified>) -> Result<String, Unidentified> {
        found.map(|pod| pod.uid.clone())
    }

    #[tokio::test]
    async fn two_live_pods_on_one_address_are_nobody() {
        let directory = Directory::new();
        directory.replace(vec![pod("1", A, true), pod("2", A, true)]);
        let found = directory.pod_at(A.parse().unwrap()).await;
        assert!(matches!(found, Err(Unidentified::Shared(_))), "{found:?}");
        directory.remove("1");
        assert_eq!(uid(directory.pod_at(A.parse().unwrap()).await), Ok("2".to_owned()));
    }

    #[tokio::test]
    async fn a_finished_pod_leaves_its_address_to_the_next() {
        let directory = Directory::new();
        directory.replace(vec![pod("1", A, false), pod("2", A, true)]);
        assert_eq!(uid(directory.pod_at(A.parse().unwrap()).await), Ok("2".to_owned()));
    }

    #[tokio::test]
    async fn a_request_waits_for_the_watch_to_tell_of_its_pod() {
        let directory = Arc::new(Directory::new());
        directory.replace(Vec::new());
        let mut asking = tokio::spawn({
            let directory = directory.clone();
            async move { uid(directory.pod_at(A.parse().unwrap()).await) }
        });
        // The pod is told only once the request is waiting for it.
        let waiting = tokio::time::timeout(Duration::from_millis(2), &mut asking).await;
        assert!(waiting.is_err(), "it does not wait: {waiting:?}");
        directory.apply(pod("1", A, true));
        assert_eq!(asking.await.unwrap(), Ok("1".to_owned()));
    }

    #[tokio::test]
    async fn an_address_that_nobody_has_is_unknown_and_before_the_first_list_undecided() {
        let directory = Directory::new();
        assert_eq!(
            uid(directory.pod_at(A.parse().unwrap()).await),
            Err(Unidentified::NotSynced)
        );
        directory.replace(Vec::new());
        assert_eq!(
            uid(directory.pod_at(A.parse().unwrap()).await),
            Err(Unidentified::Unknown)
        );
    }

    #[tokio::test]
    async fn a_list_forgets_what_it_lacks() {
        let directory = Directory::new();
        directory.replace(vec![pod("1", A, true)]);
        directory.replace(vec![pod("2", "10.244.1.3", true)]);
        assert_eq!(
            uid(directory.pod_at(A.parse().unwrap()).await),
            Err(Unidentified::Unknown)
        );
    }

    #[tokio::test]
    async fn an_ipv4_address_in_ipv6_clothes_is_the_same_address() {
        let directory = Directory::new();
        directory.replace(vec![pod("1", A, true)]);
        let mapped = "::ffff:10.244.1.2".parse().unwrap();
        assert_eq!(uid(directory.pod_at(mapped).await), Ok("1".to_owned()));
    }
}
