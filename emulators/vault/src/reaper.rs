//! Ends what is over: tokens, leases with what they made in IAM, and users that were made by halves.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use jiff::SignedDuration;
use tracing::{debug, warn};

use crate::{
    aws,
    core::Core,
    lease::{Lease, Secret},
};

/// How often the world's clock is looked at, in real time.
const TICK: Duration = Duration::from_millis(50);
/// IAM users that are deleted at once.
const TOGETHER: usize = 16;
/// The age from which a half-made user is deleted, in the world's time.
pub(crate) const HALF_MADE: SignedDuration = SignedDuration::from_mins(5);
/// The pause after a failed try to delete one.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

// === impl Core ===

impl Core {
    /// Looks after all that ends until it is dropped.
    pub(crate) async fn reap_for_ever(self: &Arc<Self>) {
        loop {
            self.reap().await;
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Ends all that is over now. What AWS refuses is tried again later.
    pub(crate) async fn reap(self: &Arc<Self>) {
        if self.sealed() {
            return;
        }
        self.end_tokens();
        let leases = std::iter::from_fn(|| {
            let now = self.now();
            self.state().leases.take_over(now)
        });
        let ends = leases.map(|(id, lease)| {
            let core = self.clone();
            // A task of its own, so that a reaper that is dropped in between loses nobody's end.
            let end = tokio::spawn(async move { core.end_in_background(&id, &lease).await });
            async move {
                let _ = end.await;
            }
        });
        futures::stream::iter(ends)
            .buffer_unordered(TOGETHER)
            .for_each(|()| async {})
            .await;
        self.roll_back().await;
    }

    /// Takes out the tokens whose time is over; their leases are over with them.
    pub(crate) fn end_tokens(&self) {
        let now = self.now();
        let mut state = self.state();
        let mut any = false;
        while let Some(token) = state.tokens.over(now) {
            state.end_token(&token, now);
            any = true;
        }
        drop(state);
        if any {
            self.wake.notify_one();
        }
    }

    async fn end_in_background(self: &Arc<Self>, id: &str, lease: &Lease) {
        match self.end_secret(lease).await {
            Ok(()) => {
                debug!(lease = id, "lease ended");
                self.state().leases.remove(id);
            }
            Err(error) => {
                warn!(
                    lease = id,
                    error, "the IAM user of a lease could not be deleted; it is tried again"
                );
                let now = self.now();
                self.state().leases.failed(id, now);
            }
        }
    }

    /// Deletes what a lease has made in AWS.
    ///
    /// # Errors
    /// AWS's words, or that the engine is gone.
    pub(crate) async fn end_secret(self: &Arc<Self>, lease: &Lease) -> Result<(), String> {
        match &lease.secret {
            Secret::Sts { .. } => Ok(()),
            Secret::IamUser { name, .. } => {
                // A user that IAM does not know may only not have been seen yet.
                let old = self.now().duration_since(lease.issued) > HALF_MADE;
                aws::delete_user(self, &lease.mount, name, old).await
            }
        }
    }

    /// Deletes the users that were made by halves and are old enough.
    async fn roll_back(self: &Arc<Self>) {
        let now = self.now();
        let due: Vec<(String, String)> = {
            let mut state = self.state();
            let mounts: Vec<String> = state.mounts.all().map(|mount| mount.path.clone()).collect();
            let mut due = Vec::new();
            for mount in mounts {
                let Some(aws) = state.mounts.aws_mut(&mount) else {
                    continue;
                };
                for (name, at) in &mut aws.half_made {
                    if *at <= now {
                        *at = now.saturating_add(AGAIN).unwrap_or(jiff::Timestamp::MAX);
                        due.push((mount.clone(), name.clone()));
                    }
                }
            }
            due
        };
        for (mount, name) in due {
            match aws::delete_user(self, &mount, &name, true).await {
                Ok(()) => {
                    if let Some(aws) = self.state().mounts.aws_mut(&mount) {
                        aws.half_made.remove(&name);
                    }
                }
                Err(error) => warn!(
                    mount,
                    user = name,
                    error,
                    "a half-made IAM user could not be deleted; it is tried again"
                ),
            }
        }
    }
}
