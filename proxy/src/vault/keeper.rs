//! What is done for pods that do not ask: renewing their tokens, and revoking those that nobody needs.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tracing::{info, warn};

use super::{
    Vault, VaultErrorKind,
    entry::later,
    lease::Token,
    pods::Inner,
    state::{EntryKey, State},
};

/// How often times are looked at. The world's clock may be moved, so nothing waits for a time itself.
const LOOK: Duration = Duration::from_millis(250);

impl Vault {
    /// Renews and revokes for ever.
    pub async fn keep(self) {
        let mut changes = self.inner.pods.changes();
        loop {
            self.tend();
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Looks at everything once, as [`keep`](Self::keep) does again and again, and starts what is due:
    ///
    /// * a pod that is gone, has finished or names another role: its token is revoked;
    /// * a token whose lease has ended and that nobody asked anything more of: revoked;
    /// * a token in the last third of its time whose lease has not ended: renewed;
    /// * a token that could not be revoked: tried again.
    pub fn tend(&self) {
        let inner = &self.inner;
        let now = inner.clock.wall();
        let mut unneeded = Vec::new();
        let mut renewals = Vec::new();
        let mut state = inner.lock();
        let State {
            entries, owed, closed, ..
        } = &mut *state;
        if *closed {
            return;
        }
        entries.retain(|key, entry| {
            let pod = inner.pods.pod(&key.uid);
            let wanted = pod.as_ref().is_some_and(|pod| {
                let named = pod.vault_role.as_deref().map(str::trim);
                pod.live && named == Some(key.role.name())
            });
            let whose = || {
                pod.as_ref()
                    .map_or_else(|| format!("uid {}", key.uid), ToString::to_string)
            };
            if !wanted || entry.token_is_idle(now) {
                unneeded.extend(entry.token.take().map(|token| (token, whose())));
            } else if entry.token_is_over(now) {
                entry.token = None;
            } else if entry.wants_renewal(now) {
                entry.renewing = true;
                renewals.extend(
                    entry
                        .token
                        .clone()
                        .map(|token| (key.clone(), entry.number, token, whose())),
                );
            }
            wanted && !entry.is_over(now)
        });
        let due = owed.extract_if(.., |owed| now >= owed.not_before);
        unneeded.extend(due.map(|owed| (owed.token, owed.whose)));
        drop(state);
        for (token, whose) in unneeded {
            inner.revoke(token, whose);
        }
        for (key, number, token, whose) in renewals {
            Inner::renew(inner, key, number, token, whose);
        }
    }

    /// Ends: nothing is fetched any more, and every token is revoked. Returns once that is done, and after `within` at
    /// the latest.
    pub async fn close(&self, within: Duration) {
        let inner = &self.inner;
        let (tokens, owed) = {
            let mut state = inner.lock();
            state.closed = true;
            let tokens: Vec<_> = state
                .entries
                .drain()
                .filter_map(|(key, entry)| Some((entry.token?, key.uid)))
                .collect();
            (tokens, std::mem::take(&mut state.owed))
        };
        let count = tokens.len() + owed.len();
        for (token, uid) in tokens {
            let whose = inner
                .pods
                .pod(&uid)
                .map_or_else(|| format!("uid {uid}"), |pod| pod.to_string());
            inner.revoke(token, whose);
        }
        for owed in owed {
            inner.revoke(owed.token, owed.whose);
        }
        inner.tasks.close();
        let in_time = tokio::time::timeout(within, inner.tasks.wait()).await.is_ok();
        let left = inner.lock().owed.len();
        if in_time && left == 0 {
            info!(count, "Vault tokens revoked");
        } else {
            warn!(
                count,
                ?within,
                "not all Vault tokens could be revoked in time; the others end by themselves"
            );
        }
    }
}

// === impl Inner ===

impl Inner {
    fn renew(inner: &Arc<Self>, key: EntryKey, number: u64, token: Token, whose: String) {
        let task_inner = inner.clone();
        inner.tasks.spawn(async move {
            let Ok(turn) = task_inner.background.acquire().await else {
                return;
            };
            let renewed = task_inner.api.renew(&token, task_inner.settings.timeout).await;
            drop(turn);
            let now = task_inner.clock.wall();
            let mut state = task_inner.lock();
            let entry = state.entries.get_mut(&key).filter(|entry| entry.number == number);
            let entry = entry.and_then(|entry| {
                entry.renewing = false;
                // A fetch that landed may have brought another.
                let held = entry.token.as_ref().is_some_and(|held| held.is_same(&token));
                held.then_some(entry)
            });
            let Some(entry) = entry else {
                drop(state);
                // Whoever let it go after its end took it for ended, and did not revoke it.
                if let (Ok(token), true) = (renewed, now >= token.until) {
                    task_inner.revoke(token, whose);
                }
                return;
            };
            let error = match renewed {
                Ok(token) => return entry.renewed(token),
                Err(error) => error,
            };
            let first = entry.renew_after.is_none();
            entry.renew_after = Some(after_a_failure(now, &token));
            match error.kind {
                // Somebody has revoked it, and its lease with it.
                VaultErrorKind::TokenGone => {
                    entry.token = None;
                    entry.renew_after = None;
                    entry.slot.drop_keys();
                }
                // Its policies, or its kind, do not have it: it is replaced, with the keys, before it ends.
                VaultErrorKind::Refused | VaultErrorKind::PolicyDenied => entry.renewed(Token {
                    renewable: false,
                    ..token.clone()
                }),
                _ => {}
            }
            drop(state);
            if first {
                warn!(pod = whose, role = %key.role, reason = %error, ends = %token.until,
                      "cannot renew the pod's Vault token");
            }
        });
    }
}

/// A tenth of the token's time later, but a second at least: there are three such tries in the last third.
fn after_a_failure(now: Timestamp, token: &Token) -> Timestamp {
    let tenth = Duration::try_from(token.ttl / 10).unwrap_or_default();
    later(now, tenth.max(Duration::from_secs(1)))
}
