//! What is asked of Vault.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

/// Counters of what is asked of Vault. Clones share them.
#[derive(Clone)]
pub(crate) struct VaultMetrics {
    requests: Family<VaultRequest, Counter>,
    durations: Family<VaultOperation, Histogram>,
    tokens: Gauge,
    owed: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VaultRequest {
    operation: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VaultOperation {
    operation: &'static str,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

impl VaultMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(seconds as fn() -> Histogram),
            tokens: Gauge::default(),
            owed: Gauge::default(),
        };
        let registry = registry.sub_registry_with_prefix("vault");
        registry.register(
            "requests",
            "Requests to Vault, by what was asked and what came of it",
            metrics.requests.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "Time for an answer of Vault",
            metrics.durations.clone(),
        );
        registry.register(
            "tokens",
            "Vault tokens held, one for each pod with keys",
            metrics.tokens.clone(),
        );
        registry.register(
            "tokens_to_revoke",
            "Vault tokens of pods that are gone which could not be revoked yet",
            metrics.owed.clone(),
        );
        metrics
    }

    /// Counts an answer, or that there was none.
    pub(crate) fn asked(&self, operation: &'static str, result: &'static str, took: Duration) {
        self.requests.get_or_create(&VaultRequest { operation, result }).inc();
        let durations = self.durations.get_or_create(&VaultOperation { operation });
        durations.observe(took.as_secs_f64());
    }

    /// Sets the numbers of tokens held and of those to be revoked.
    pub(crate) fn tokens(&self, (held, owed): (usize, usize)) {
        self.tokens.set(i64::try_from(held).unwrap_or(i64::MAX));
        self.owed.set(i64::try_from(owed).unwrap_or(i64::MAX));
    }
}
