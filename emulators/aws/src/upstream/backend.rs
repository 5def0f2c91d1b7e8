use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, Method, Response};
use jiff::Timestamp;

use super::{
    Body, Client, Owner, Reply, Signer, Upstream, UpstreamError,
    buckets::Buckets,
    made::Made,
    mirror::{Managed, Mirror},
};
use crate::{
    identity::Who,
    state::{AccountRef, SharedState, State},
};

/// All that a front knows of the upstream behind it.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(super) client: Client,
    /// By the accounts' numbers in the state.
    mirrors: Vec<Mirror>,
    managed: Managed,
    pub(super) buckets: Buckets,
    pub(super) made: Made,
    /// Ids of keys that the upstream issued and whose account it therefore knows.
    issued: Mutex<HashSet<String>>,
}

// === impl Backend ===

impl Backend {
    pub(crate) fn new(upstream: &Upstream, accounts: usize) -> Self {
        Self {
            client: Client::new(upstream),
            mirrors: (0..accounts).map(|_| Mirror::default()).collect(),
            managed: Managed::default(),
            buckets: Buckets::default(),
            made: Made::default(),
            issued: Mutex::default(),
        }
    }

    /// Makes the state's IAM of an account equal to the upstream's.
    pub(crate) async fn refresh(
        &self,
        state: &SharedState,
        account: AccountRef,
        now: Timestamp,
    ) -> Result<(), UpstreamError> {
        match self.mirrors.get(account.index()) {
            Some(mirror) => mirror.refresh(&self.client, &self.managed, state, account, now).await,
            None => Ok(()),
        }
    }

    /// Whose a bucket is, with its policy in the state if it is an account's of the front.
    pub(crate) async fn owner(
        &self,
        state: &SharedState,
        bucket: &str,
        now: Timestamp,
    ) -> Result<Owner, UpstreamError> {
        self.buckets.read(&self.client, state, bucket, now).await
    }

    /// Asks a query service as this key, whatever it answers.
    pub(crate) async fn query(
        &self,
        signer: &Signer<'_>,
        version: &str,
        operation: &str,
        params: &[(String, String)],
    ) -> Result<Reply, UpstreamError> {
        self.client.query(signer, version, operation, params).await
    }

    /// Sends a request as this key and returns with the head of its answer.
    pub(crate) async fn start(
        &self,
        signer: &Signer<'_>,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, UpstreamError> {
        self.client.send(signer, method, path, headers, body).await
    }

    /// Sends a request as this key and reads its answer whole.
    pub(crate) async fn send(
        &self,
        signer: &Signer<'_>,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Reply, UpstreamError> {
        let response = self.start(signer, method, path, headers, body).await?;
        self.read(response).await
    }

    /// Reads the rest of an answer.
    pub(crate) async fn read(&self, response: Response<Body>) -> Result<Reply, UpstreamError> {
        self.client.read(response).await
    }

    pub(super) async fn changed(&self, account: AccountRef, forget: bool) {
        if let Some(mirror) = self.mirrors.get(account.index()) {
            mirror.changed(forget).await;
        }
    }

    pub(super) fn issued(&self) -> MutexGuard<'_, HashSet<String>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key by which the upstream knows who asks: the caller's own if the upstream issued it, else as [`account_of`].
    pub(crate) fn key_of(&self, who: &Who, state: &State, owner: Option<AccountRef>) -> String {
        match &who.caller {
            Some(caller) if self.issued().contains(&caller.key_id) => caller.key_id.clone(),
            _ => account_of(who, state, owner),
        }
    }
}

/// The number of the caller's account. Who is anonymous asks for the account that owns what is asked for.
pub(crate) fn account_of(who: &Who, state: &State, owner: Option<AccountRef>) -> String {
    let account = who.account.or(owner).unwrap_or(state.main());
    state[account].account.clone()
}
