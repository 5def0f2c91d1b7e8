//! What each route does.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};
use rolecall_aws::{Account, Enforcement};
use rolecall_vault::Door;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Advance, ClockState, InstanceKeys, InstanceName, KnownSecret, MetadataRequest, Propagation, Reset, Status,
    TokenIssuer,
    faults::{cut, heal, inject, mend, vault},
};
use crate::serve::{
    nodes::Node,
    root_key,
    services::{Current, FrontSettings, Services},
};

/// A request that was not done.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

/// The routes, for whoever looks.
const ROUTES: [(&str, &str); 19] = [
    ("GET /v1/status", "version, account, how often it has begun anew"),
    (
        "GET /v1/clock",
        "the world's time and how far it is ahead, in milliseconds",
    ),
    ("POST /v1/clock/advance", "{\"by_ms\": 900000} moves the world's time"),
    (
        "GET /v1/front/journal?since=N",
        "what AWS was asked, from this number on",
    ),
    (
        "GET /v1/front/decisions?since=N",
        "what was decided about those requests, with the traces",
    ),
    ("GET /v1/front/decisions/ID", "what was decided about one request"),
    (
        "GET /v1/imds/journal?since=N",
        "what the metadata service was asked, from this number on",
    ),
    (
        "GET /v1/vault/journal?since=N",
        "what Vault was asked, from this number on, but for the operator's requests",
    ),
    (
        "PUT /v1/faults/SERVICE",
        "{\"kind\": \"error\", \"code\": \"Throttling\", \"times\": 2} of AWS, {\"kind\": \"status\", \"status\": 500} of imds and vault, \
         {\"kind\": \"sealed\"} of vault, {\"kind\": \"drop_watch\", \"times\": 2} of kubernetes; of the others {\"kind\": \"delay\", \"delay_ms\": 500} and {\"kind\": \"down\"}",
    ),
    ("DELETE /v1/faults/SERVICE", "heals it and says what it did"),
    (
        "PUT /v1/propagation",
        "{\"delay_ms\": 2000} lets changes of IAM be seen late",
    ),
    (
        "PUT /v1/issuer",
        "{\"issuer\": URL, \"jwks\": TEXT}: whose tokens AssumeRoleWithWebIdentity takes",
    ),
    ("GET /v1/nodes", "the instances"),
    (
        "PUT /v1/nodes",
        "a JSON array of them, in place of those that were there",
    ),
    ("GET /v1/secrets", "what no report may show"),
    (
        "POST /v1/instance-credentials",
        "the keys that EC2 has for {\"instance_profile\": …, \"instance_id\": …}",
    ),
    (
        "POST /v1/reset",
        "begins anew: {} or account, region, root_key, accounts, enforcement, nodes",
    ),
    (
        "POST /v1/remove",
        "removes from the upstream what was made through this front",
    ),
    ("GET /v1/", "this"),
];

/// Does what a request asks.
pub(super) async fn answer(
    services: &Arc<Services>,
    method: &Method,
    path: &str,
    query: &str,
    body: &[u8],
) -> Result<Value, Refused> {
    let current = services.current();
    let path = path.trim_start_matches('/').trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["v1"]) => Ok(ROUTES
            .iter()
            .map(|(route, does)| ((*route).to_owned(), json!(does)))
            .collect()),
        ("GET", ["v1", "status"]) => value(&Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            account: current.settings.account.clone(),
            resets: *services.generation().borrow(),
            enforcement: current.settings.enforcement == Enforcement::On,
        }),
        ("GET", ["v1", "clock"]) => clock(&current),
        ("POST", ["v1", "clock", "advance"]) => {
            let Advance { by_ms } = read(body)?;
            current.clock.advance(Duration::from_millis(by_ms));
            clock(&current)
        }
        ("GET", ["v1", "front", "journal"]) => value(&current.front.journal_since(since(query)?)),
        ("GET", ["v1", "front", "decisions"]) => {
            let entries = current.front.journal_since(since(query)?);
            let decided = entries
                .iter()
                .filter_map(|entry| current.front.decision(&entry.request_id));
            value(&decided.collect::<Vec<_>>())
        }
        ("GET", ["v1", "front", "decisions", id]) => match current.front.decision(id) {
            Some(decided) => value(&decided),
            None => Err(Refused::new(
                StatusCode::NOT_FOUND,
                format!("no decision has the id {id}: it was made by another AWS, or has been forgotten since"),
            )),
        },
        ("GET", ["v1", "imds", "journal"]) => {
            let from = since(query)?;
            let requests = current
                .imds
                .requests()
                .into_iter()
                .filter(|request| request.number >= from);
            value(&requests.map(MetadataRequest::from).collect::<Vec<_>>())
        }
        ("GET", ["v1", "vault", "journal"]) => {
            let mut entries = vault(&current)?.journal_since(since(query)?);
            // What the harness itself asked is nobody's to see.
            entries.retain(|entry| entry.door == Door::World);
            value(&entries)
        }
        ("PUT", ["v1", "faults", "kubernetes"]) => {
            cut(services, &read(body)?)?;
            Ok(json!({}))
        }
        ("DELETE", ["v1", "faults", "kubernetes"]) => value(&mend(services)?),
        ("PUT", ["v1", "faults", service]) => {
            inject(&current, service, read(body)?)?;
            Ok(json!({}))
        }
        ("DELETE", ["v1", "faults", service]) => value(&heal(&current, service)?),
        ("PUT", ["v1", "propagation"]) => {
            let Propagation { delay_ms } = read(body)?;
            current.front.set_propagation(Duration::from_millis(delay_ms));
            Ok(json!({}))
        }
        ("PUT", ["v1", "issuer"]) => {
            let given: TokenIssuer = read(body)?;
            current.front.set_identity_keys(Arc::new(given));
            Ok(json!({}))
        }
        ("GET", ["v1", "nodes"]) => value(&services.nodes.given()),
        ("PUT", ["v1", "nodes"]) => {
            services.put_nodes(read::<Vec<Node>>(body)?).map_err(Refused::bad)?;
            Ok(json!({}))
        }
        ("GET", ["v1", "secrets"]) => value(&secrets(&current)),
        ("POST", ["v1", "instance-credentials"]) => instance_credentials(&current, &read(body)?).await,
        ("POST", ["v1", "reset"]) => {
            let reset: Reset = read(body)?;
            let settings = changed(current.settings, &reset).map_err(Refused::bad)?;
            value(&services.reset(settings, reset.nodes).await.map_err(Refused::bad)?)
        }
        ("POST", ["v1", "remove"]) => value(&current.remove_all().await),
        _ => Err(Refused::new(
            StatusCode::NOT_FOUND,
            format!("there is no {method} /{path}; GET /v1/ lists what there is"),
        )),
    }
}

fn clock(current: &Current) -> Result<Value, Refused> {
    value(&ClockState {
        wall: current.clock.wall(),
        offset_ms: u64::try_from(current.clock.offset().as_millis()).unwrap_or(u64::MAX),
    })
}

fn secrets(current: &Current) -> Vec<KnownSecret> {
    let given = current.given.all().into_iter().map(|(what, value)| KnownSecret {
        what: what.to_owned(),
        value,
    });
    let known = current.front.secrets().into_iter().map(|secret| KnownSecret {
        what: "key".to_owned(),
        value: secret.expose().to_owned(),
    });
    given.chain(known).collect()
}

async fn instance_credentials(current: &Current, of: &InstanceName) -> Result<Value, Refused> {
    let keys = current
        .front
        .instance_credentials(&of.instance_profile, &of.instance_id)
        .await
        .map_err(|error| Refused::new(StatusCode::CONFLICT, error.to_string()))?;
    value(&InstanceKeys {
        access_key_id: keys.access_key_id,
        secret_access_key: keys.secret_access_key.expose().to_owned(),
        session_token: keys.session_token.expose().to_owned(),
        expiration: keys.expiration,
        last_updated: keys.last_updated,
    })
}

/// The settings with what is to change.
fn changed(mut settings: FrontSettings, reset: &Reset) -> Result<FrontSettings, String> {
    if let Some(account) = &reset.account {
        settings.account = root_key::account(account)?;
    }
    if let Some(region) = &reset.region {
        settings.region.clone_from(region);
    }
    if let Some(key) = &reset.root_key {
        settings.root = root_key::root_key(key)?;
    }
    if let Some(accounts) = &reset.accounts {
        let account = |account: &super::AccountKeys| {
            Ok(Account {
                id: account.id.clone(),
                root: root_key::root_key(&account.root_key)?,
            })
        };
        settings.accounts = accounts.iter().map(account).collect::<Result<_, String>>()?;
    }
    match reset.enforcement {
        Some(true) => settings.enforcement = Enforcement::On,
        Some(false) => settings.enforcement = Enforcement::Off,
        None => {}
    }
    Ok(settings)
}

fn since(query: &str) -> Result<u64, Refused> {
    match query.strip_prefix("since=") {
        Some(number) => number
            .parse()
            .map_err(|_| Refused::bad(format!("`{number}` is no number of a journal"))),
        None if query.is_empty() => Ok(0),
        None => Err(Refused::bad("the one parameter is `since=N`")),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::bad(format!("the body is not what is asked for: {error}")))
}

fn value(of: &impl Serialize) -> Result<Value, Refused> {
    serde_json::to_value(of).map_err(|error| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

// === impl Refused ===

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}
