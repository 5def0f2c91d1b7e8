//! What earlier steps have taken away: proxies that were stopped, pods that were deleted.

use std::collections::{BTreeMap, BTreeSet};

use super::Warning;
use crate::model::{Action, Actor, Expectation, Given, Pod, ProxySettings, ProxyVerb, Scenario, Step};

pub(super) fn check(scenario: &Scenario, warnings: &mut Vec<Warning>) {
    let mut world = World::new(scenario);
    for (index, step) in scenario.steps.iter().enumerate() {
        if let Some(Actor::Pod(pod)) = step.actor.as_ref().map(|actor| &actor.value) {
            warnings.extend(world.deleted(pod, step));
            warnings.extend(world.behind_stopped(pod, step));
        }
        world.moved(step, warnings);
        world.after(index, step);
    }
}

/// What the operator has done so far.
struct World {
    workers: BTreeSet<String>,
    pods: BTreeMap<String, Pod>,
    /// The workers whose proxy is stopped.
    stopped: BTreeSet<String>,
    /// The pods that are gone, with the number of the step that deleted them.
    gone: BTreeMap<String, usize>,
    /// The names of keys that pods saved.
    saved: BTreeSet<String>,
    /// Whether the proxy stands before the metadata service.
    intercepts: bool,
    /// Whether a word that is not built could give a pod keys from elsewhere.
    unknown: bool,
}

// === impl World ===

impl World {
    fn new(scenario: &Scenario) -> Self {
        let default = || ["node-1", "node-2"].map(str::to_owned).to_vec();
        let nodes = scenario.given.cluster.nodes.clone().unwrap_or_else(default);
        let mut world = Self {
            workers: nodes.into_iter().filter(|node| !node.starts_with("master-")).collect(),
            pods: BTreeMap::new(),
            stopped: BTreeSet::new(),
            gone: BTreeMap::new(),
            saved: BTreeSet::new(),
            intercepts: intercepts(&scenario.proxy).unwrap_or(true),
            unknown: !scenario.pending.is_empty(),
        };
        world.make(&scenario.given);
        world
    }

    fn make(&mut self, given: &Given) {
        for (name, pod) in &given.pods {
            if self.gone.remove(name).is_some() {
                self.pods.remove(name);
            }
            self.pods
                .entry(name.clone())
                .and_modify(|known| known.host_network = pod.host_network.or(known.host_network))
                .or_insert_with(|| pod.value.clone());
        }
        // What a manifest makes is not known here.
        if !given.manifests.is_empty() {
            self.gone.clear();
        }
    }

    fn after(&mut self, index: usize, step: &Step) {
        if is_rejected(step) {
            return;
        }
        if let (Some(Actor::Pod(_)), Some(name)) = (step.actor.as_ref().map(|actor| &actor.value), &step.save) {
            self.saved.insert(name.value.clone());
        }
        match &step.action.value {
            Action::Apply(given, proxy) => {
                self.make(given);
                self.intercepts = intercepts(proxy).unwrap_or(self.intercepts);
                if is_said(proxy) {
                    self.stopped.clear();
                }
            }
            Action::Delete { pods, .. } => {
                self.gone.extend(pods.iter().map(|pod| (pod.value.clone(), index + 1)));
            }
            Action::Recreate { pods, .. } => pods.iter().for_each(|pod| {
                self.gone.remove(&pod.value);
            }),
            Action::Proxy(command) => {
                let nodes = match &command.node {
                    Some(node) => BTreeSet::from([node.value.clone()]),
                    None => self.workers.clone(),
                };
                match command.verb {
                    ProxyVerb::Stop => self.stopped.extend(nodes),
                    ProxyVerb::Start | ProxyVerb::Restart => self.stopped.retain(|node| !nodes.contains(node)),
                    // Whatever runs the proxy may start it again.
                    ProxyVerb::Kill => {}
                }
            }
            _ => {}
        }
    }

    /// What an `apply` says of a pod that is there already, and that cannot change.
    fn moved(&self, step: &Step, warnings: &mut Vec<Warning>) {
        let Action::Apply(given, _) = &step.action.value else {
            return;
        };
        if is_rejected(step) {
            return;
        }
        for (name, pod) in given.pods.iter().filter(|(name, _)| !self.gone.contains_key(*name)) {
            let Some(known) = self.pods.get(name) else { continue };
            let other = [
                ("node", pod.node.is_some() && node(pod) != node(known)),
                ("ips", pod.ips.is_some() && pod.ips != known.ips),
                (
                    "ip",
                    pod.ip_of.is_some() && pod.ip_of.as_deref() != known.ip_of.as_deref(),
                ),
                (
                    "service_account",
                    pod.service_account.is_some() && pod.service_account != known.service_account,
                ),
                (
                    "web_identity",
                    pod.web_identity.is_some() && pod.web_identity.as_deref() != known.web_identity.as_deref(),
                ),
                ("image", pod.image.is_some() && pod.image != known.image),
            ];
            for (word, _) in other.iter().filter(|(_, other)| *other) {
                let text = format!("the `{word}` of `{name}` cannot change while it exists");
                let help = "delete the pod first, or expect the change to be `rejected`";
                warnings.push(Warning::new(pod.span.clone(), text).help(help));
            }
        }
    }

    fn deleted(&self, pod: &str, step: &Step) -> Option<Warning> {
        let by = self.gone.get(pod)?;
        let actor = step.actor.as_ref()?;
        let text = format!("`{pod}` acts here, and step {by} deleted it");
        Some(Warning::new(actor.span.clone(), text).help("use `recreate` instead, or `apply` the pod again"))
    }

    /// A word that wants keys which only the stopped proxy could hand out.
    fn behind_stopped(&self, pod: &str, step: &Step) -> Option<Warning> {
        let silent = match self.pods.get(pod) {
            Some(pod) => pod.host_network != Some(true) && self.stopped.contains(node(pod)),
            None => !self.workers.is_empty() && self.workers.is_subset(&self.stopped),
        };
        if !silent || !self.intercepts || self.unknown {
            return None;
        }
        let word = step
            .expect
            .as_ref()?
            .all
            .iter()
            .find(|word| self.wants_proxy(word, step))?;
        let text = format!("`{}` wants keys from a proxy that is stopped", word.word());
        Some(Warning::new(word.span.clone(), text).help(format!("`start: proxy` before `{pod}` asks for them")))
    }

    /// Whether a word wants keys that only the proxy hands out. The node's own could come from the node's metadata
    /// service, if the way there is open.
    fn wants_proxy(&self, expectation: &Expectation, step: &Step) -> bool {
        let nodes = |role: &str| role == "node" || role.contains("nodes.");
        match expectation {
            Expectation::Role(role) => !nodes(role),
            Expectation::Caller(role) => step.using.is_none() && !nodes(role),
            Expectation::SameKeyAs(name) => self.saved.contains(name),
            _ => false,
        }
    }
}

/// The node that a pod runs on.
fn node(pod: &Pod) -> &str {
    pod.node.as_ref().map_or("node-1", |node| node.value.as_str())
}

/// Whether a step expects that its change is not made.
fn is_rejected(step: &Step) -> bool {
    step.expect.as_ref().is_some_and(|expect| {
        expect
            .all
            .iter()
            .any(|word| matches!(word.value, Expectation::Rejected(_)))
    })
}

/// Whether settings put the proxy before the metadata service; `None` if they do not say.
fn intercepts(proxy: &ProxySettings) -> Option<bool> {
    match &proxy.intercept {
        Some(how) => Some(how.value != "none"),
        None => proxy.restored.contains("intercept").then_some(true),
    }
}

/// Whether an `apply` has settings of the proxy, which restart it.
fn is_said(proxy: &ProxySettings) -> bool {
    let ProxySettings {
        default_role,
        base_role_arn,
        namespace_restrictions,
        namespace_format,
        cache_ttl,
        passthrough,
        require_token,
        intercept,
        vault,
        listen,
        restored,
    } = proxy;
    default_role.is_some()
        || base_role_arn.is_some()
        || namespace_restrictions.is_some()
        || namespace_format.is_some()
        || cache_ttl.is_some()
        || passthrough.is_some()
        || require_token.is_some()
        || intercept.is_some()
        || vault.is_some()
        || listen.is_some()
        || !restored.is_empty()
}
