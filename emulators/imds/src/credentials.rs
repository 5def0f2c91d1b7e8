use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use rolecall_clock::Clock;

use crate::Instance;

/// Where the credentials of an instance's role come from.
pub trait InstanceCredentials: Send + Sync + 'static {
    /// New credentials of the role in the instance's profile. They are kept, and asked for again five minutes before
    /// they expire.
    ///
    /// # Errors
    /// Why EC2 may not take the role, in words; they are served as the `Message` of a document whose `Code` is
    /// `AssumeRoleUnauthorizedAccess`, and asked for again by the next request.
    fn credentials<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<Credentials, String>>;
}

/// Temporary keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret that requests are signed with.
    pub secret_access_key: String,
    /// The session token that goes with them.
    pub token: String,
    /// When they stop working.
    pub expiration: Timestamp,
    /// When they were made.
    pub last_updated: Timestamp,
}

/// "We make new credentials available at least five minutes before the expiration of the old credentials" (EC2 User
/// Guide, "Retrieve security credentials from instance metadata").
const AHEAD: Duration = Duration::from_secs(5 * 60);

type Slot = Arc<tokio::sync::Mutex<Option<Credentials>>>;

/// The credentials served until five minutes before they expire, for each instance and role.
pub(crate) struct CredentialCache {
    clock: Clock,
    source: Arc<dyn InstanceCredentials>,
    slots: Mutex<HashMap<(String, String), Slot>>,
}

// === impl CredentialCache ===

impl CredentialCache {
    pub(crate) fn new(clock: Clock, source: Arc<dyn InstanceCredentials>) -> Self {
        Self {
            clock,
            source,
            slots: Mutex::default(),
        }
    }

    /// The credentials of `role`, which is the instance's. Requests at the same moment wait for one answer.
    pub(crate) async fn get(&self, instance: &Instance, role: &str) -> Result<Credentials, String> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots
                .entry((instance.instance_id.clone(), role.to_owned()))
                .or_default()
                .clone()
        };
        let mut kept = slot.lock().await;
        if let Some(credentials) = &*kept
            && self.clock.wall() + AHEAD < credentials.expiration
        {
            return Ok(credentials.clone());
        }
        let new = self.source.credentials(instance).await?;
        *kept = Some(new.clone());
        Ok(new)
    }
}

// === impl Credentials ===

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}
