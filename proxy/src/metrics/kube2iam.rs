//! kube2iam's names, labels and buckets, for dashboards that know it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Method;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};

use crate::answer::Route;

/// Most roles that have series of their own: pods name roles, and must not fill the memory by that. Those beyond share
/// the empty label.
const MOST: usize = 1024;

#[derive(Clone)]
pub(super) struct Kube2iam {
    iam_requests: Family<IamRequest, Histogram>,
    cache_hits: Family<Hit, Counter>,
    http_requests: Family<HttpRequest, Histogram>,
    health: Gauge,
    roles: Arc<Mutex<HashSet<String>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IamRequest {
    code: String,
    role_arn: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Hit {
    role_arn: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpRequest {
    code: u16,
    method: &'static str,
    handler: &'static str,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

impl Kube2iam {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let iam_requests = Family::new_with_constructor(seconds as fn() -> Histogram);
        let http_requests = Family::new_with_constructor(seconds as fn() -> Histogram);
        let (cache_hits, health) = (Family::default(), Gauge::default());
        let version = Info::new(vec![("version", concat!("rolecall-proxy ", env!("CARGO_PKG_VERSION")))]);
        registry.register("kube2iam", "What runs in kube2iam's place", version);
        let registry = registry.sub_registry_with_prefix("kube2iam");
        registry.register(
            "iam_request_duration_seconds",
            "Time for AssumeRole, by AWS's code and role",
            iam_requests.clone(),
        );
        registry.register(
            "iam_cache_hits",
            "Keys that were served from the cache, by role",
            cache_hits.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time for an answer to a pod",
            http_requests.clone(),
        );
        registry.register(
            "healthcheck_status",
            "1 if pods can be served at the time of this answer, 0 if not",
            health.clone(),
        );
        Self {
            iam_requests,
            cache_hits,
            http_requests,
            health,
            roles: Arc::default(),
        }
    }

    pub(super) fn request(&self, route: &Route, method: &Method, code: u16, took: Duration) {
        let labels = HttpRequest {
            code,
            method: method_label(method),
            handler: handler(route),
        };
        self.http_requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(super) fn hit(&self, role_arn: &str) {
        let role_arn = self.role_label(role_arn);
        self.cache_hits.get_or_create(&Hit { role_arn }).inc();
    }

    pub(super) fn asked(&self, code: Result<(), Option<&str>>, role_arn: &str, took: Duration) {
        let code = match code {
            Ok(()) => "Success",
            Err(code) => code.unwrap_or("UnknownError"),
        };
        let (code, role_arn) = (code.to_owned(), self.role_label(role_arn));
        let labels = IamRequest { code, role_arn };
        self.iam_requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    fn role_label(&self, role_arn: &str) -> String {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if !roles.contains(role_arn) {
            if roles.len() >= MOST {
                return String::new();
            }
            roles.insert(role_arn.to_owned());
        }
        role_arn.to_owned()
    }

    pub(super) fn healthy(&self, healthy: bool) {
        self.health.set(i64::from(healthy));
    }
}

/// The handler of kube2iam that would have answered.
fn handler(route: &Route) -> &'static str {
    match route {
        Route::Listing => "securityCredentialsHandler",
        Route::Credentials(_) => "roleHandler",
        Route::Token | Route::Other => "reverseProxyHandler",
    }
}

/// Clients may send any word as a method; those that nobody knows share a label.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn roles_beyond_a_bound_share_a_series() {
        let mut registry = Registry::default();
        let metrics = Kube2iam::new(&mut registry);
        for n in 0..MOST + 10 {
            metrics.hit(&n.to_string());
            metrics.asked(Ok(()), &n.to_string(), Duration::ZERO);
        }
        metrics.hit("0");
        let text = text(&registry);
        assert!(
            text.contains("kube2iam_iam_cache_hits_total{role_arn=\"\"} 10"),
            "{text}"
        );
        assert!(text.contains("kube2iam_iam_cache_hits_total{role_arn=\"0\"} 2"));
        let series = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!(series("kube2iam_iam_cache_hits_total"), MOST + 1);
        assert_eq!(series("kube2iam_iam_request_duration_seconds_count"), MOST + 1);
    }

    #[test]
    fn methods_that_nobody_knows_share_a_series() {
        let mut registry = Registry::default();
        let metrics = Kube2iam::new(&mut registry);
        for method in ["A", "B", "GET"] {
            let method = method.parse().unwrap();
            metrics.request(&Route::Other, &method, 405, Duration::from_millis(3));
        }
        let text = text(&registry);
        let count =
            |method: &str| format!("_count{{code=\"405\",method=\"{method}\",handler=\"reverseProxyHandler\"}}");
        assert!(text.contains(&format!("{} 2", count("other"))), "{text}");
        assert!(text.contains(&format!("{} 1", count("GET"))), "{text}");
        assert!(text.contains("le=\"0.004\""), "{text}");
    }
}
