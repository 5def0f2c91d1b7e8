//! What a world's recorders wrote down → the words of `check`, selected by a step's `where`. The same for every world.

use std::net::IpAddr;

use rolecall_aws::{DecisionRecord, Door, Entry};
use rolecall_imds::ImdsRequest;
use rolecall_scenario::model::JournalWhere;

use super::record::why;
use crate::check::{Context, Identity, JournalEntry, Keys, shorten};

/// Who has which address in a world.
pub(crate) trait Addresses {
    /// The pod or node that has this address, or had it last, by its name in the scenario.
    fn name_of(&self, address: IpAddr) -> Option<String>;

    /// Whether a pod has this address, or had it last.
    fn is_pod(&self, address: IpAddr) -> bool;
}

/// Where the decision of a request is found.
pub(crate) trait Decisions {
    /// What was decided about the request whose answer carried this id.
    fn decision(&self, request_id: &str) -> Option<DecisionRecord>;
}

/// Requests of subjects, pods and nodes. The harness's own come by another door and are never counted.
pub(crate) fn aws_requests(
    entries: Vec<Entry>,
    service: &str,
    operation: &str,
    addresses: &impl Addresses,
    decisions: &impl Decisions,
) -> Vec<JournalEntry> {
    let entries = entries.into_iter().filter(|entry| entry.door == Door::World);
    entries
        .filter(|entry| entry.service == service && (operation == "*" || entry.operation == operation))
        .map(|entry| JournalEntry {
            operation: format!("{}:{}", entry.service, entry.operation),
            from: entry.from.ip(),
            from_name: addresses.name_of(entry.from.ip()),
            by: entry.caller.as_ref().and_then(|caller| caller.role.clone()),
            role: entry.role,
            answer: entry.answer,
            region: Some(entry.region),
            path: None,
            headers: Vec::new(),
            why: decisions
                .decision(&entry.request_id)
                .map(|decided| why(&decided))
                .unwrap_or_default(),
        })
        .collect()
}

/// A status in the word of a step's `where`.
pub(crate) fn answer(status: u16) -> String {
    match status {
        0 => "none".to_owned(),
        status if status < 400 => "ok".to_owned(),
        status => status.to_string(),
    }
}

/// The path of a target.
pub(crate) fn without_query(target: &str) -> String {
    target.split('?').next().unwrap_or_default().to_owned()
}

/// Requests to the instances' metadata service.
pub(crate) fn metadata_requests(requests: Vec<ImdsRequest>, addresses: &impl Addresses) -> Vec<JournalEntry> {
    let entry = |request: ImdsRequest| JournalEntry {
        operation: format!("imds:{} {}", request.method, request.target),
        from: request.from.ip(),
        from_name: addresses.name_of(request.from.ip()),
        by: None,
        role: None,
        answer: match request.status {
            Some(status) if status < 400 => "ok".to_owned(),
            Some(status) => status.to_string(),
            None => "none".to_owned(),
        },
        region: None,
        path: Some(request.target),
        headers: request.headers,
        why: Vec::new(),
    };
    requests.into_iter().map(entry).collect()
}

/// What subjects and pods asked Vault, as far as it is meant by `*` or `METHOD PATH`.
pub(crate) fn vault_requests(
    entries: Vec<rolecall_vault::Entry>,
    request: &str,
    addresses: &impl Addresses,
) -> Vec<JournalEntry> {
    let entries = entries.into_iter();
    entries
        .filter(|entry| is_asked(request, &entry.method, &entry.path))
        .map(|entry| JournalEntry {
            operation: format!("vault:{} {}", entry.method, entry.path),
            from: entry.from.ip(),
            from_name: addresses.name_of(entry.from.ip()),
            by: entry.by,
            role: entry.role,
            answer: match entry.status {
                0 => "none".to_owned(),
                status if status < 400 => "ok".to_owned(),
                status => status.to_string(),
            },
            region: None,
            path: Some(entry.path),
            headers: Vec::new(),
            why: entry.error.into_iter().collect(),
        })
        .collect()
}

/// Whether a request to Vault is one that `*` or `METHOD PATH` means; either may be `*`, and a path may end in it.
fn is_asked(meant: &str, method: &str, path: &str) -> bool {
    let Some((by, to)) = meant.split_once(' ') else {
        return meant == "*";
    };
    let there = match to.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => path == to,
    };
    there && (by == "*" || by == method)
}

/// Whether a step's `where` selects an entry.
pub(crate) fn selects(
    filter: &JournalWhere,
    entry: &JournalEntry,
    addresses: &impl Addresses,
    context: &Context,
) -> bool {
    let name = |word: &str| context.role_name(word).to_owned();
    let from = |word: &str| match word {
        "pods" => addresses.is_pod(entry.from),
        word => {
            let last = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
            entry
                .from_name
                .as_deref()
                .is_some_and(|from| from == word || last(from) == word)
        }
    };
    filter.role.as_deref().is_none_or(|role| entry.role == Some(name(role)))
        && filter.by.as_deref().is_none_or(|by| entry.by == Some(name(by)))
        && filter.from.as_deref().is_none_or(from)
        && filter.answer.as_deref().is_none_or(|answer| entry.answer == answer)
        && filter
            .path
            .as_deref()
            .is_none_or(|path| entry.path.as_deref() == Some(path))
        && filter
            .region
            .as_deref()
            .is_none_or(|region| entry.region.as_deref() == Some(region))
        && filter
            .header
            .as_deref()
            .is_none_or(|header| entry.headers.iter().any(|(have, _)| have.eq_ignore_ascii_case(header)))
}

/// Where keys come from: the AssumeRole that gave them out and what allowed it, or the instance's own metadata.
pub(crate) fn origin(keys: &Keys, identity: &Identity, entries: &[Entry], decisions: &impl Decisions) -> Vec<String> {
    let mut lines = vec![format!(
        "the keys {} are those of {}",
        shorten(&keys.access_key_id),
        identity.arn
    )];
    let assumed = entries
        .iter()
        .rev()
        .find(|entry| entry.operation == "AssumeRole" && entry.answer == "ok" && entry.role == identity.role);
    match assumed {
        Some(entry) => {
            let by = entry
                .caller
                .as_ref()
                .map_or("nobody known", |caller| caller.arn.as_str());
            lines.push(format!("given out by sts:AssumeRole, asked by {by}"));
            let decided = decisions.decision(&entry.request_id);
            lines.extend(decided.map(|decided| why(&decided)).unwrap_or_default());
        }
        None => lines.push("given out by the instance's own metadata service, by no sts:AssumeRole".to_owned()),
    }
    lines
}

/// What the recorders of a world saw.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) aws: Vec<Entry>,
    pub(crate) imds: Vec<ImdsRequest>,
    pub(crate) vault: Vec<rolecall_vault::Entry>,
}

/// What the front, the metadata service and Vault were asked, by whom, in the order of time: a line each.
pub(crate) fn http_lines(recorded: Recorded, addresses: &impl Addresses) -> String {
    let from = |address: IpAddr| {
        let name = addresses.name_of(address).unwrap_or_else(|| "operator".to_owned());
        format!("{address} ({name})")
    };
    let aws = recorded.aws.into_iter().map(|entry| {
        let what = format!(
            "{}:{} → {} {}",
            entry.service, entry.operation, entry.status, entry.answer
        );
        (entry.at, format!("{} aws   {} {what}", entry.at, from(entry.from.ip())))
    });
    let imds = recorded.imds.into_iter().map(|request| {
        let status = request
            .status
            .map_or("no answer".to_owned(), |status| status.to_string());
        let what = format!("{} {} → {status}", request.method, request.target);
        let line = format!("{} imds  {} {what}", request.at, from(request.from.ip()));
        (request.at, line)
    });
    let vault = recorded.vault.into_iter().map(|entry| {
        let error = entry
            .error
            .map(|error| format!(" {}", error.trim()))
            .unwrap_or_default();
        let what = format!("{} {} → {}{error}", entry.method, entry.path, entry.status);
        (entry.at, format!("{} vault {} {what}", entry.at, from(entry.from.ip())))
    });
    let mut lines: Vec<_> = aws.chain(imds).chain(vault).collect();
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

/// Every decision about these requests, oldest first.
pub(crate) fn decided(entries: &[Entry], decisions: &impl Decisions) -> Vec<DecisionRecord> {
    let decided = entries.iter().filter_map(|entry| decisions.decision(&entry.request_id));
    decided.collect()
}

/// Decisions as a person reads them.
pub(crate) fn decision_lines(decided: &[DecisionRecord]) -> String {
    decided.iter().map(|decided| format!("{decided}\n\n")).collect()
}
