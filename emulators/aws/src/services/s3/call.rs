use std::ops::Deref;

use jiff::Timestamp;

use super::Route;
use crate::{
    answer::Refusal,
    auth::Payload,
    authorise::{Ask, Gate, ResourcePolicy},
    request::Received,
    state::{AccountRef, Bucket, State},
};

/// One S3 operation under way: with the state for itself alone, or ([`S3Read`]) with one that others read as well.
pub(crate) struct S3Call<'a, S = &'a mut State> {
    pub(crate) state: S,
    pub(crate) gate: &'a mut Gate,
    pub(crate) request: &'a Received,
    pub(crate) payload: &'a Payload,
    pub(crate) route: &'a Route,
    pub(crate) region: &'a str,
    /// The world's time, in whole seconds.
    pub(crate) now: Timestamp,
}

/// One that changes nothing.
pub(crate) type S3Read<'a> = S3Call<'a, &'a State>;

// === impl S3Call ===

impl<S: Deref<Target = State>> S3Call<'_, S> {
    /// The bucket's name. Every route but ListBuckets has one.
    pub(super) fn bucket_name(&self) -> &str {
        self.route.bucket.as_deref().unwrap_or_default()
    }

    /// The object's key. Every object route has one.
    pub(super) fn key(&self) -> &str {
        self.route.key.as_deref().unwrap_or_default()
    }

    /// Asks for an action on the bucket.
    pub(super) fn ask_bucket(&self, action: &str) -> Ask {
        self.ask_of(action, self.bucket_name(), None)
    }

    /// Asks for an action on the object.
    pub(super) fn ask_object(&self, action: &str) -> Ask {
        self.ask_of(action, self.bucket_name(), Some(self.key()))
    }

    /// Asks for an action on any bucket or object.
    pub(super) fn ask_of(&self, action: &str, bucket: &str, key: Option<&str>) -> Ask {
        let arn = match key {
            None => format!("arn:aws:s3:::{bucket}"),
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        };
        let owner = self.owner_of(bucket).map(|owner| self.state[owner].account.as_str());
        Ask::new(action, arn)
            .owned_by(owner)
            .resource_policy(self.policy_of(bucket))
    }

    /// The account that owns the bucket, if there is one of this name.
    pub(super) fn owner(&self) -> Option<AccountRef> {
        self.owner_of(self.bucket_name())
    }

    /// The number of that account, as answers show it.
    pub(super) fn owner_id(&self) -> String {
        let owner = self.owner().map(|owner| self.state[owner].account.clone());
        owner.unwrap_or_default()
    }

    /// The caller's account. Nobody but an anonymous caller has none, and none such gets here unless enforcement is off.
    pub(super) fn account(&self) -> Result<AccountRef, Refusal> {
        let account = self.gate.who().account;
        account.ok_or_else(|| Refusal::new(403, "AccessDenied", "Access Denied"))
    }

    fn owner_of(&self, bucket: &str) -> Option<AccountRef> {
        self.state.buckets.get(bucket).map(|bucket| bucket.owner)
    }

    fn policy_of(&self, bucket: &str) -> Option<ResourcePolicy> {
        let found = self.state.buckets.get(bucket)?;
        let document = found.policy.as_ref()?;
        Some(ResourcePolicy {
            name: format!("bucket policy of {bucket}"),
            policy: document.policy.clone(),
            since: found.policy_since,
        })
    }

    pub(super) fn check(&mut self, ask: Ask) -> Result<(), Refusal> {
        self.gate.check(&self.state, ask)
    }

    /// The bucket as it is.
    pub(super) fn bucket(&self) -> Result<&Bucket, Refusal> {
        let name = self.bucket_name();
        self.state.buckets.get(name).ok_or_else(|| no_bucket(name))
    }
}

impl S3Call<'_> {
    /// The bucket, to be changed.
    pub(super) fn bucket_mut(&mut self) -> Result<&mut Bucket, Refusal> {
        let name = self.route.bucket.as_deref().unwrap_or_default();
        self.state.buckets.get_mut(name).ok_or_else(|| no_bucket(name))
    }

    /// The same call, which will change nothing.
    pub(super) fn reading(&mut self) -> S3Read<'_> {
        S3Call {
            state: self.state,
            gate: self.gate,
            request: self.request,
            payload: self.payload,
            route: self.route,
            region: self.region,
            now: self.now,
        }
    }
}

fn no_bucket(name: &str) -> Refusal {
    Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist").detail("BucketName", name)
}
