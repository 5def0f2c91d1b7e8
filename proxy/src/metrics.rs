//! Counters, for Prometheus: our own, and beside them those of kube2iam's that mean the same here.

mod kube2iam;
mod vault;

use std::{fmt, sync::Arc, time::Duration};

use http::Method;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{answer::Route, provider::ProviderError};

use kube2iam::Kube2iam;
pub(crate) use vault::VaultMetrics;

/// The process's counters. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Request, Counter>,
    denials: Family<Denial, Counter>,
    cache: Family<CacheLabel, Counter>,
    fetches: Family<Fetch, Counter>,
    pods: Gauge,
    ineffective: Gauge,
    vault: VaultMetrics,
    kube2iam: Kube2iam,
}

/// What became of a look into the credentials cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum CacheResult {
    /// Keys in their time were there.
    Hit,
    /// A fetch was started.
    Miss,
    /// A fetch was under way already.
    Joined,
    /// Keys past their time in the cache, but not expired, were served because a fetch failed.
    Stale,
    /// The failure of the last second was the answer.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: &'static str,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Denial {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabel {
    result: CacheResult,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fetch {
    result: &'static str,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut all = Registry::default();
        let kube2iam = Kube2iam::new(&mut all);
        let registry = all.sub_registry_with_prefix("rolecall");
        let (requests, denials) = (Family::default(), Family::default());
        let (cache, fetches) = (Family::default(), Family::default());
        let (pods, ineffective) = (Gauge::default(), Gauge::default());
        registry.register("requests", "Requests of pods, by route and answer", requests.clone());
        registry.register("denials", "Requests that were refused, by reason", denials.clone());
        registry.register(
            "credentials_cache",
            "Looks into the credentials cache, by result",
            cache.clone(),
        );
        registry.register("assume_role", "Calls of AssumeRole, by result", fetches.clone());
        registry.register("pods", "Pods known", pods.clone());
        registry.register(
            "namespace_restriction_ineffective",
            "Namespaces that list allowed roles while namespace restrictions are off, so that the lists do nothing",
            ineffective.clone(),
        );
        let vault = VaultMetrics::new(registry);
        Self {
            registry: Arc::new(all),
            requests,
            denials,
            cache,
            fetches,
            pods,
            ineffective,
            vault,
            kube2iam,
        }
    }

    /// Counts an answer.
    pub(crate) fn request(&self, route: &Route, method: &Method, code: u16, took: Duration) {
        let label = route.label();
        self.requests.get_or_create(&Request { route: label, code }).inc();
        self.kube2iam.request(route, method, code, took);
    }

    /// Counts a refusal.
    pub(crate) fn denial(&self, reason: &'static str) {
        self.denials.get_or_create(&Denial { reason }).inc();
    }

    /// Counts a look into the cache.
    pub(crate) fn cache(&self, result: CacheResult, role_arn: &str) {
        self.cache.get_or_create(&CacheLabel { result }).inc();
        if matches!(result, CacheResult::Hit | CacheResult::Stale) {
            self.kube2iam.hit(role_arn);
        }
    }

    /// Counts what STS said: `code` is its error's, if there is one.
    pub(crate) fn asked(&self, code: Result<(), Option<&str>>, role_arn: &str, took: Duration) {
        self.kube2iam.asked(code, role_arn, took);
    }

    /// What is asked of Vault.
    pub(crate) fn vault(&self) -> &VaultMetrics {
        &self.vault
    }

    /// Counts a fetch.
    pub(crate) fn fetched(&self, error: Option<&ProviderError>) {
        let result = match error {
            None => "ok",
            Some(ProviderError::Denied(_)) => "denied",
            Some(ProviderError::Refused(_)) => "refused",
            Some(_) => "unavailable",
        };
        self.fetches.get_or_create(&Fetch { result }).inc();
    }

    /// Sets the number of pods known.
    pub(crate) fn pods(&self, count: usize) {
        self.pods.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets the number of namespaces whose lists do nothing.
    pub(crate) fn ineffective(&self, count: usize) {
        self.ineffective.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Sets whether pods can be served.
    pub(crate) fn healthy(&self, healthy: bool) {
        self.kube2iam.healthy(healthy);
    }

    /// OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
