//! From a checked tree to a [`Scenario`]. Everything here has been checked, so that nothing is reported any more.

use std::{collections::BTreeSet, time::Duration};

use super::{command, expect, given, request, step};
use crate::{
    Source, Spanned,
    model::{
        Action, Actor, Call, Credentials, Fault, FaultKind, ImdsRequest, Journal, JournalWhere, Pending, ProxyCommand,
        ProxyVerb, Scenario, Step, Target, TokenUse,
    },
    tree::{Entry, Node},
};

pub(super) fn scenario(
    source: Source,
    id: String,
    root: &Node,
    pending: Vec<Pending>,
    needs: BTreeSet<String>,
) -> Scenario {
    let mut given = root
        .get("given")
        .map(|node| given::given(&source, node))
        .unwrap_or_default();
    let mut proxy = root.get("proxy").map(given::proxy).unwrap_or_default();
    // Before the first step there is nothing that a `null` could restore.
    given::forget_restored(&mut given, &mut proxy);
    let nodes = Nodes::of(root);
    Scenario {
        id,
        name: spanned_text(root, "name").unwrap_or_else(|| Spanned::new(String::new(), root.span.clone())),
        why: text(root, "why"),
        profile: text(root, "profile"),
        features: texts(root, "features"),
        tags: texts(root, "tags"),
        needs,
        pending,
        given,
        proxy,
        steps: steps(&source, root.get("steps").map(Node::items).unwrap_or_default(), &nodes),
        source,
    }
}

/// The names of all nodes of a file: every other actor is a pod.
struct Nodes(BTreeSet<String>);

// === impl Nodes ===

impl Nodes {
    fn of(root: &Node) -> Self {
        let of = |given: &Node| {
            given
                .get("cluster")
                .map(|cluster| texts(cluster, "nodes"))
                .unwrap_or_default()
        };
        let mut nodes: BTreeSet<String> = root.get("given").map(of).into_iter().flatten().collect();
        if nodes.is_empty() {
            nodes.extend(super::names::NODES.map(str::to_owned));
        }
        let steps = root.get("steps").map(Node::items).unwrap_or_default();
        nodes.extend(steps.iter().filter_map(|step| step.get("apply")).flat_map(of));
        Self(nodes)
    }

    fn actor(&self, name: &str) -> Actor {
        if self.0.contains(name) {
            Actor::Node(name.to_owned())
        } else {
            Actor::Pod(name.to_owned())
        }
    }
}

fn steps(source: &Source, nodes: &[Node], actors: &Nodes) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for node in nodes {
        let Some((_, entry)) = step::action(node) else { continue };
        // `since` names a step before this one; of several with the name, the last.
        let since =
            text(node, "since").and_then(|name| steps.iter().rposition(|step| step.name.as_ref() == Some(&name)));
        // A step whose action is not built is in `pending`.
        let Some(action) = action(source, node, entry, since) else {
            continue;
        };
        steps.push(Step {
            span: node.span.clone(),
            name: text(node, "name"),
            actor: spanned_text(node, "as").map(|name| Spanned::new(actors.actor(&name.value), name.span)),
            using: spanned_text(node, "using"),
            action: Spanned::new(action, entry.span()),
            expect: node.get("expect").map(expect::read),
            within: spanned_duration(node, "within"),
            throughout: spanned_duration(node, "throughout"),
            save: spanned_text(node, "save"),
            at_once: node.get("at_once").and_then(at_once),
        });
    }
    steps
}

fn at_once(node: &Node) -> Option<Spanned<u32>> {
    let number = u32::try_from(node.integer()?).ok()?;
    Some(Spanned::new(number, node.span.clone()))
}

fn action(source: &Source, step: &Node, entry: &Entry, since: Option<usize>) -> Option<Action> {
    let value = &entry.value;
    let beside = |word| step::beside(step, entry, word);
    let pods = || value.get("pods").map(spanned_texts).unwrap_or_default();
    let grace = || beside("grace").and_then(Node::duration).unwrap_or(Duration::ZERO);
    let proxy = |verb| {
        Action::Proxy(ProxyCommand {
            verb,
            node: value.get("proxy").and_then(spanned),
        })
    };
    Some(match entry.key.value.as_str() {
        "credentials" => Action::Credentials(Credentials {
            ask_for: beside("ask_for").and_then(Node::text).map(str::to_owned),
            token: beside("token").map_or(TokenUse::Fresh, token),
            client: beside("client").and_then(Node::text).map(str::to_owned),
            from_agent: beside("from").is_some(),
        }),
        "imds" => Action::Imds(value.one_or_more().iter().filter_map(|node| imds(step, node)).collect()),
        "call" => {
            let (service, operation) = value.text()?.split_once(':')?;
            let with = step.get("with").map(Node::entries).unwrap_or_default();
            Action::Call(Call {
                service: service.to_owned(),
                operation: operation.to_owned(),
                with: with
                    .iter()
                    .map(|entry| (entry.key.value.clone(), entry.value.json()))
                    .collect(),
            })
        }
        "exec" => Action::Exec(command::split(value.text()?).ok()?),
        "apply" => Action::Apply(
            Box::new(given::given(source, value)),
            Box::new(
                value
                    .entry("proxy")
                    .map(|entry| given::proxy(&entry.value))
                    .unwrap_or_default(),
            ),
        ),
        "delete" => Action::Delete {
            pods: pods(),
            grace: grace(),
        },
        "recreate" => Action::Recreate {
            pods: pods(),
            grace: grace(),
        },
        "stop" => proxy(ProxyVerb::Stop),
        "kill" => proxy(ProxyVerb::Kill),
        "start" => proxy(ProxyVerb::Start),
        "restart" => proxy(ProxyVerb::Restart),
        "journal" => {
            let (service, operation) = value.text()?.split_once(':')?;
            Action::Journal(Journal {
                service: service.to_owned(),
                operation: operation.to_owned(),
                filter: step.get("where").map(filter).unwrap_or_default(),
                since,
            })
        }
        "log" => Action::Log {
            node: value.get("proxy").and_then(spanned),
        },
        "metrics" => Action::Metrics {
            node: value.get("proxy").and_then(spanned),
        },
        "advance" => Action::Advance(value.duration()?),
        "inject" => Action::Inject(value.entries().iter().map(fault).collect()),
        "heal" => Action::Heal(
            value
                .one_or_more()
                .iter()
                .filter_map(|service| service.text().map(str::to_owned))
                .collect(),
        ),
        _ => return None,
    })
}

fn fault(entry: &Entry) -> Fault {
    let kind = |word: &Entry| {
        let on = || word.value.bool() == Some(true);
        match word.key.value.as_str() {
            "error" => word.value.raw().map(|code| FaultKind::Error(code.to_owned())),
            "delay" => word.value.duration().map(FaultKind::Delay),
            "down" => on().then_some(FaultKind::Down),
            "drop_watch" => on().then_some(FaultKind::DropWatch),
            "gone" => on().then_some(FaultKind::Gone),
            "sealed" => on().then_some(FaultKind::Sealed),
            _ => None,
        }
    };
    Fault {
        service: entry.key.value.clone(),
        kinds: entry.value.entries().iter().filter_map(kind).collect(),
        times: entry
            .value
            .get("times")
            .and_then(Node::integer)
            .and_then(|times| u32::try_from(times).ok()),
    }
}

fn imds(step: &Node, node: &Node) -> Option<Spanned<ImdsRequest>> {
    let (method, target) = request::parse(node.text()?).ok()?;
    let headers = step.get("headers").map(Node::entries).unwrap_or_default();
    let request = ImdsRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers
            .iter()
            .filter_map(|entry| Some((entry.key.value.clone(), entry.value.raw()?.to_owned())))
            .collect(),
        body: text(step, "body"),
        token: step.get("token").map_or(TokenUse::None, token),
        to: if step.get("to").is_some() {
            Target::Proxy
        } else {
            Target::Metadata
        },
    };
    Some(Spanned::new(request, node.span.clone()))
}

fn token(node: &Node) -> TokenUse {
    match node.text() {
        Some("none") => TokenUse::None,
        Some("fresh") | None => TokenUse::Fresh,
        Some(name) => TokenUse::Saved(name.to_owned()),
    }
}

fn filter(node: &Node) -> JournalWhere {
    JournalWhere {
        role: text(node, "role"),
        by: text(node, "by"),
        from: text(node, "from"),
        answer: node.get("answer").and_then(Node::raw).map(str::to_owned),
        path: text(node, "path"),
        header: text(node, "header"),
        region: text(node, "region"),
    }
}

// === values of a map's keys ===

pub(super) fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.text().map(str::to_owned)
}

pub(super) fn texts(node: &Node, key: &str) -> Vec<String> {
    node.get(key)
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| item.text().map(str::to_owned))
        .collect()
}

pub(super) fn spanned(node: &Node) -> Option<Spanned<String>> {
    Some(Spanned::new(node.text()?.to_owned(), node.span.clone()))
}

pub(super) fn spanned_text(node: &Node, key: &str) -> Option<Spanned<String>> {
    spanned(node.get(key)?)
}

pub(super) fn spanned_texts(node: &Node) -> Vec<Spanned<String>> {
    node.items().iter().filter_map(spanned).collect()
}

pub(super) fn spanned_duration(node: &Node, key: &str) -> Option<Spanned<Duration>> {
    let node = node.get(key)?;
    Some(Spanned::new(node.duration()?, node.span.clone()))
}
