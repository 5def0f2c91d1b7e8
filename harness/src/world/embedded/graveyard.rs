//! Where finished worlds lie.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use super::{network::Network, pods::Pods};

/// Worlds that lie at the same time. A run of the usual size ends before any of them is taken down; a run of a thousand
/// scenarios holds no more threads and descriptors than this many worlds have.
const LYING: usize = 48;

/// Keeps the namespaces of finished worlds for a while.
///
/// The kernel takes namespaces down in the background, and making new ones waits for that: a world that is let go of while
/// others are still to be made slows those down. What still lies when the process ends goes with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graveyard(Arc<Mutex<VecDeque<Remains>>>);

/// What holds a world's threads and namespaces.
type Remains = (Arc<Network>, Arc<Pods>);

// === impl Graveyard ===

impl Graveyard {
    /// Takes a finished world in, and lets go of the oldest if too many lie here.
    pub(super) fn bury(&self, network: Arc<Network>, pods: Arc<Pods>) {
        let oldest = {
            let mut lying = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            lying.push_back((network, pods));
            if lying.len() > LYING { lying.pop_front() } else { None }
        };
        // Ending threads must not hold up whoever just finished.
        if let Some(oldest) = oldest {
            tokio::task::spawn_blocking(move || drop(oldest));
        }
    }
}
