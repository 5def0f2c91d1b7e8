use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;

use super::{
    Client, Element, UpstreamError,
    details::{Reader, boundary, text, version},
};
use crate::state::{AccountRef, ManagedPolicy, SharedState};

/// Pages of the details that are followed.
const PAGES: usize = 1000;

/// Keeps the front's picture of an account's IAM equal to the upstream's: read when it is needed, and again after a
/// change has passed.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// How often it was changed, from 1 on.
    changes: AtomicU64,
    /// The number of changes at the time of the reading that is in use.
    read: AtomicU64,
    reading: tokio::sync::Mutex<Unlisted>,
}

/// What the details leave out, by unique id.
#[derive(Debug, Default)]
struct Unlisted {
    max_sessions: HashMap<String, u32>,
    user_boundaries: HashMap<String, Option<String>>,
    /// Identity providers, by ARN.
    providers: HashMap<String, Element>,
}

/// AWS's own policies, which never change while a front runs.
#[derive(Debug, Default)]
pub(super) struct Managed(Mutex<HashMap<String, ManagedPolicy>>);

// === impl Mirror ===

impl Mirror {
    /// Something of the account's IAM has changed. `forget`: also what the details leave out.
    pub(super) async fn changed(&self, forget: bool) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        if forget {
            *self.reading.lock().await = Unlisted::default();
        }
    }

    fn is_fresh(&self) -> bool {
        self.read.load(Ordering::Acquire) == self.changes.load(Ordering::Acquire) + 1
    }

    /// Reads the account, unless nothing has changed since it was read.
    pub(super) async fn refresh(
        &self,
        client: &Client,
        managed: &Managed,
        state: &SharedState,
        account: AccountRef,
        now: Timestamp,
    ) -> Result<(), UpstreamError> {
        if self.is_fresh() {
            return Ok(());
        }
        let mut unlisted = self.reading.lock().await;
        if self.is_fresh() {
            return Ok(());
        }
        let changes = self.changes.load(Ordering::Acquire);
        let id = state.read()[account].account.clone();
        let pages = pages(client, &id).await?;
        // A profile without a role is in no role's details.
        let mut pages = pages;
        pages.push(client.iam(&id, "ListInstanceProfiles", &[]).await?);
        unlisted.read(client, &id, &pages).await?;
        managed.read(client, &id, &pages).await?;

        let mut state = state.write();
        let reader = Reader {
            before: &state[account],
            now,
            max_sessions: &unlisted.max_sessions,
            user_boundaries: &unlisted.user_boundaries,
            providers: &unlisted.providers,
            managed: &managed.known(),
        };
        let iam = reader.read(&pages);
        state[account] = iam;
        self.read.store(changes + 1, Ordering::Release);
        Ok(())
    }
}

/// All pages of the account's details, AWS's own policies left out: there are more than a thousand.
async fn pages(client: &Client, account: &str) -> Result<Vec<Element>, UpstreamError> {
    let kinds = ["Role", "User", "Group", "LocalManagedPolicy"];
    let names: Vec<String> = (1..=kinds.len()).map(|n| format!("Filter.member.{n}")).collect();
    let filter: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(kinds).collect();
    let mut pages: Vec<Element> = Vec::new();
    let mut marker: Option<String> = None;
    for _ in 0..PAGES {
        let mut params = filter.clone();
        if let Some(marker) = &marker {
            params.push(("Marker", marker));
        }
        let page = client.iam(account, "GetAccountAuthorizationDetails", &params).await?;
        let truncated = page.find("IsTruncated").is_some_and(|found| found.text == "true");
        marker = page.find("Marker").map(|found| found.text.clone());
        pages.push(page);
        if !truncated || marker.is_none() {
            return Ok(pages);
        }
    }
    Err(UpstreamError::Unreadable {
        operation: "GetAccountAuthorizationDetails".to_owned(),
        what: format!("it has more than {PAGES} pages"),
    })
}

fn members<'p>(pages: &'p [Element], list: &'static str) -> impl Iterator<Item = &'p Element> {
    let lists = pages.iter().flat_map(move |page| page.all(list));
    lists.flat_map(|list| &list.children)
}

// === impl Unlisted ===

impl Unlisted {
    /// Asks for what is not known yet.
    async fn read(&mut self, client: &Client, account: &str, pages: &[Element]) -> Result<(), UpstreamError> {
        for role in members(pages, "RoleDetailList") {
            let id = text(role, "RoleId").to_owned();
            if self.max_sessions.contains_key(&id) {
                continue;
            }
            let told = client
                .iam(account, "GetRole", &[("RoleName", text(role, "RoleName"))])
                .await;
            let seconds = match told {
                Ok(answer) => answer
                    .find("MaxSessionDuration")
                    .and_then(|found| found.text.parse().ok()),
                // It was deleted meanwhile, and the next reading will not show it.
                Err(error) if error.is_absence() => None,
                Err(error) => return Err(error),
            };
            self.max_sessions.insert(id, seconds.unwrap_or(3600));
        }
        for user in members(pages, "UserDetailList") {
            let id = text(user, "UserId").to_owned();
            if self.user_boundaries.contains_key(&id) {
                continue;
            }
            let told = client
                .iam(account, "GetUser", &[("UserName", text(user, "UserName"))])
                .await;
            let found = match told {
                Ok(answer) => answer.find("User").and_then(boundary).map(str::to_owned),
                Err(error) if error.is_absence() => None,
                Err(error) => return Err(error),
            };
            self.user_boundaries.insert(id, found);
        }
        let listed = client.iam(account, "ListOpenIDConnectProviders", &[]).await?;
        let arns: Vec<&str> = listed.all("Arn").iter().map(|arn| arn.text.as_str()).collect();
        self.providers.retain(|arn, _| arns.contains(&arn.as_str()));
        for arn in arns {
            if self.providers.contains_key(arn) {
                continue;
            }
            let named = [("OpenIDConnectProviderArn", arn)];
            match client.iam(account, "GetOpenIDConnectProvider", &named).await {
                Ok(answer) => {
                    let found = answer.child("GetOpenIDConnectProviderResult").cloned();
                    self.providers.insert(arn.to_owned(), found.unwrap_or_default());
                }
                Err(error) if error.is_absence() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

// === impl Managed ===

impl Managed {
    fn known(&self) -> HashMap<String, ManagedPolicy> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads those of AWS's own policies that something in these pages names.
    async fn read(&self, client: &Client, account: &str, pages: &[Element]) -> Result<(), UpstreamError> {
        let named = pages.iter().flat_map(|page| {
            let attached = page.all("PolicyArn").into_iter();
            attached.chain(page.all("PermissionsBoundaryArn"))
        });
        let named: Vec<&str> = named.map(|arn| arn.text.as_str()).collect();
        self.read_named(client, account, &named).await
    }

    /// Reads those of these that are AWS's own and not known yet.
    async fn read_named(&self, client: &Client, account: &str, arns: &[&str]) -> Result<(), UpstreamError> {
        for arn in arns.iter().filter(|arn| arn.starts_with("arn:aws:iam::aws:")) {
            if self.known().contains_key(*arn) {
                continue;
            }
            let policy = match self.ask(client, account, arn).await {
                Ok(policy) => policy,
                Err(error) if error.is_absence() => continue,
                Err(error) => return Err(error),
            };
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert((*arn).to_owned(), policy);
        }
        Ok(())
    }

    async fn ask(&self, client: &Client, account: &str, arn: &str) -> Result<ManagedPolicy, UpstreamError> {
        let unreadable = || UpstreamError::Unreadable {
            operation: format!("GetPolicy {arn}"),
            what: "it names no version".to_owned(),
        };
        let answer = client.iam(account, "GetPolicy", &[("PolicyArn", arn)]).await?;
        let policy = answer.find("Policy").ok_or_else(unreadable)?;
        let number = policy.get("DefaultVersionId").ok_or_else(unreadable)?;
        let answer = client
            .iam(
                account,
                "GetPolicyVersion",
                &[("PolicyArn", arn), ("VersionId", number)],
            )
            .await?;
        let found = answer.find("PolicyVersion").ok_or_else(unreadable)?;
        let default = version(found, arn);
        Ok(ManagedPolicy {
            name: arn.rsplit('/').next().unwrap_or(arn).to_owned(),
            path: text(policy, "Path").to_owned(),
            id: text(policy, "PolicyId").to_owned(),
            arn: arn.to_owned(),
            created: Timestamp::UNIX_EPOCH,
            description: None,
            tags: Vec::new(),
            latest: default.number,
            default,
            default_since: Timestamp::UNIX_EPOCH,
            others: Vec::new(),
        })
    }
}
