//! `sys/health`, whose status tells the state.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{core::Core, reply::Reply, request::Fields};

/// The version that this server speaks for.
pub(super) const VERSION: &str = "1.21.4";

// === impl Core ===

impl Core {
    /// The state, with the status that the query may choose for it. `fault` says `(sealed, standby)` in place of the
    /// server's own state.
    pub(crate) fn health(&self, query: &Map<String, Value>, fault: Option<(bool, bool)>) -> Reply {
        let state = self.state();
        let initialised = state.seal.initialised();
        let own_sealed = state.seal.is_sealed();
        let sealed = own_sealed || fault.is_some_and(|(sealed, _)| sealed);
        let standby = sealed || fault.is_some_and(|(_, standby)| standby);
        let fields = Fields(query);
        let code = |name: &str, default: u16| {
            let asked = fields.number(name).ok().flatten();
            let asked = asked.and_then(|code| u16::try_from(code).ok());
            asked
                .and_then(|code| StatusCode::from_u16(code).ok())
                .filter(|code| code.as_u16() >= 200)
                .unwrap_or_else(|| StatusCode::from_u16(default).unwrap_or(StatusCode::SERVICE_UNAVAILABLE))
        };
        let standby_is_fine = query
            .get("standbyok")
            .and_then(Value::as_str)
            .is_some_and(|ok| ok != "false");
        let status = match (initialised, sealed, standby) {
            (false, _, _) => code("uninitcode", 501),
            (_, true, _) => code("sealedcode", 503),
            (_, _, true) if !standby_is_fine => code("standbycode", 429),
            _ => code("activecode", 200),
        };
        let replication = if sealed { "unknown" } else { "disabled" };
        let mut body = json!({
            "initialized": initialised,
            "sealed": sealed,
            "standby": standby,
            "performance_standby": false,
            "replication_performance_mode": replication,
            "replication_dr_mode": replication,
            "server_time_utc": self.now().as_second(),
            "version": VERSION,
            "enterprise": false,
        });
        if !sealed && let Some(body) = body.as_object_mut() {
            body.insert("cluster_name".into(), json!(state.seal.cluster.0));
            body.insert("cluster_id".into(), json!(state.seal.cluster.1));
        }
        if let Some(body) = body.as_object_mut() {
            for zero in ["echo_duration_ms", "clock_skew_ms", "replication_primary_canary_age_ms"] {
                body.insert(zero.into(), json!(0));
            }
        }
        Reply::bare(status, body)
    }
}
