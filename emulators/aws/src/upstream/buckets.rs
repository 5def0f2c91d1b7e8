use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::Method;
use iam_policy::PolicyKind;
use jiff::Timestamp;

use super::{Client, UpstreamError, details::document};
use crate::state::{AccountRef, Bucket, SharedState, State};

/// Whose buckets are and what their policies say. The upstream lets every account use every bucket.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// Those whose policy, or that they have none, is known.
    read: Mutex<HashSet<String>>,
    reading: tokio::sync::Mutex<()>,
}

/// Whose a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// An account of the front, which its state tells.
    Known,
    /// There is no such bucket.
    Nobody,
    /// An account that is none of the front's.
    Stranger,
}

// === impl Buckets ===

impl Buckets {
    /// Reads whose a bucket is and what its policy says, unless both are known.
    pub(super) async fn read(
        &self,
        client: &Client,
        state: &SharedState,
        name: &str,
        now: Timestamp,
    ) -> Result<Owner, UpstreamError> {
        let owner = |state: &State| {
            let bucket = state.buckets.get(name)?;
            Some(state[bucket.owner].account.clone())
        };
        let is_read = || self.marks().contains(name);
        if owner(&state.read()).is_some() && is_read() {
            return Ok(Owner::Known);
        }
        let _one = self.reading.lock().await;
        if owner(&state.read()).is_none() {
            self.list(client, state, now).await?;
        }
        let Some(account) = owner(&state.read()) else {
            // Any account may look at any bucket.
            let main = { state.read()[AccountRef::MAIN].account.clone() };
            let reply = client.s3(&main, Method::HEAD, &format!("/{name}")).await?;
            return Ok(if reply.status == 404 {
                Owner::Nobody
            } else {
                Owner::Stranger
            });
        };
        if is_read() {
            return Ok(Owner::Known);
        }
        let reply = client.s3(&account, Method::GET, &format!("/{name}?policy")).await?;
        let policy = match reply.status.as_u16() {
            200 => {
                let text = String::from_utf8_lossy(&reply.body);
                Some(document(
                    PolicyKind::Resource,
                    &text,
                    &format!("the policy of bucket {name}"),
                ))
            }
            404 => None,
            status => {
                return Err(UpstreamError::Refused {
                    operation: "GetBucketPolicy".to_owned(),
                    status,
                    code: reply.code().unwrap_or_default(),
                    message: format!("of bucket {name}"),
                });
            }
        };
        if let Some(bucket) = state.write().buckets.get_mut(name) {
            let same = match (&bucket.policy, &policy) {
                (Some(before), Some(after)) => before.text == after.text,
                (before, after) => before.is_none() && after.is_none(),
            };
            if !same {
                bucket.policy_since = now;
            }
            bucket.policy = policy;
        }
        self.marks().insert(name.to_owned());
        Ok(Owner::Known)
    }

    /// Asks each account for its buckets.
    async fn list(&self, client: &Client, state: &SharedState, now: Timestamp) -> Result<(), UpstreamError> {
        let accounts = state.read().accounts();
        for (account, id) in accounts {
            let reply = client.s3(&id, Method::GET, "/").await?;
            let listed = reply.success("ListBuckets")?;
            let mut state = state.write();
            for found in listed.all("Bucket") {
                let Some(name) = found.get("Name") else { continue };
                let region = found.get("BucketRegion").unwrap_or("us-east-1");
                state
                    .buckets
                    .entry(name.to_owned())
                    .or_insert_with(|| bucket(account, region, now));
            }
        }
        Ok(())
    }

    /// A bucket was made by this account; whether it was new.
    pub(super) fn made(
        &self,
        state: &mut State,
        name: &str,
        account: AccountRef,
        region: &str,
        now: Timestamp,
    ) -> bool {
        if state.buckets.contains_key(name) {
            return false;
        }
        state.buckets.insert(name.to_owned(), bucket(account, region, now));
        self.marks().insert(name.to_owned());
        true
    }

    /// A bucket was deleted; whose it was.
    pub(super) fn deleted(&self, state: &mut State, name: &str) -> Option<AccountRef> {
        self.marks().remove(name);
        state.buckets.remove(name).map(|bucket| bucket.owner)
    }

    /// The bucket's policy was changed.
    pub(super) fn policy_changed(&self, name: &str) {
        self.marks().remove(name);
    }

    fn marks(&self) -> MutexGuard<'_, HashSet<String>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the front keeps of a bucket whose objects are elsewhere.
fn bucket(owner: AccountRef, region: &str, now: Timestamp) -> Bucket {
    Bucket {
        owner,
        created: now,
        region: region.to_owned(),
        objects: BTreeMap::new(),
        uploads: BTreeMap::new(),
        tags: Vec::new(),
        policy: None,
        policy_since: now,
    }
}
