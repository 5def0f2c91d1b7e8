use serde_json::Value;

use super::{Registry, pods::Workload};
use crate::store::{
    State,
    object::{items, set, text},
};

// === impl Registry ===

impl Registry {
    /// Writes the `status` of a workload if it says anything new. The times of a condition are when it last changed.
    pub(super) fn set_workload_status(
        &self,
        state: &mut State,
        workload: &Workload,
        mut status: Value,
        conditions: Vec<Value>,
    ) {
        let Some(current) = state.get(&workload.key).cloned() else {
            return;
        };
        let conditions: Vec<Value> = conditions
            .into_iter()
            .map(|mut condition| {
                let known = items(&current, "/status/conditions")
                    .iter()
                    .find(|known| text(known, "/type") == text(&condition, "/type"));
                let same = |field: &str| known.is_some_and(|known| text(known, field) == text(&condition, field));
                let (unchanged, steady) = (same("/status") && same("/reason") && same("/message"), same("/status"));
                match known {
                    Some(known) if unchanged => known.clone(),
                    _ => {
                        let since = match known {
                            Some(known) if steady => text(known, "/lastTransitionTime").to_owned(),
                            _ => self.now(),
                        };
                        set(&mut condition, &["lastTransitionTime"], since);
                        set(&mut condition, &["lastUpdateTime"], self.now());
                        condition
                    }
                }
            })
            .collect();
        if !conditions.is_empty() {
            set(&mut status, &["conditions"], conditions);
        }
        if current["status"] != status {
            let mut updated = Value::clone(&current);
            set(&mut updated, &["status"], status);
            state.put(workload.key.clone(), updated);
        }
    }
}
