//! The controllers of `apps/v1`, run inside every transaction: what is seen from outside is always what they would have
//! come to. A pod is a workload's if its controlling owner has the workload's UID; none is adopted.
//!
//! A Deployment owns its pods itself, without a ReplicaSet between. A pod that has failed stays and counts as one of the
//! workload's, where a real kubelet would go on trying to start it.

mod daemon_set;
mod deployment;
mod garbage;
mod pods;
mod status;

use super::Registry;
use crate::store::State;

/// More rounds than these never were needed; the next write goes on in any case.
const ROUNDS: usize = 32;

// === impl Registry ===

impl Registry {
    /// Runs all controllers and the scheduler until none of them has anything left to do.
    pub(super) fn run_controllers(&self, state: &mut State) {
        for _ in 0..ROUNDS {
            let before = state.version();
            self.collect_garbage(state);
            self.run_daemon_sets(state);
            self.run_deployments(state);
            self.schedule(state);
            if state.version() == before {
                return;
            }
        }
        tracing::warn!("the controllers have not come to rest");
    }
}
