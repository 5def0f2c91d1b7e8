use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ScenarioError, Span, Spanned,
    nearest::{list, nearest},
    words::NameKind,
};

/// The name of a cluster that is not given one.
const CLUSTER: &str = "example.cluster.k8s.local";
/// The nodes of a cluster that is not given any.
pub(super) const NODES: [&str; 3] = ["master-1", "node-1", "node-2"];
/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The most unknown names that are reported: looking for what was meant costs time, and nobody reads on.
const MOST: usize = 200;

/// All names of a file: where they are made, and where they are used.
#[derive(Default)]
pub(super) struct Names {
    pub(super) made: BTreeMap<NameKind, BTreeMap<String, Span>>,
    pub(super) used: Vec<Use>,
    /// What steps keep, in their order.
    pub(super) saved: Vec<Saved>,
    /// The names of steps.
    steps: Vec<(usize, String)>,
    /// Whether a manifest may make further pods and namespaces.
    manifests: bool,
    /// The step that is looked at; `None` in `given`.
    step: Option<usize>,
    cluster: String,
}

pub(super) struct Use {
    pub(super) kind: NameKind,
    pub(super) name: Spanned<String>,
    pub(super) step: Option<usize>,
}

pub(super) struct Saved {
    pub(super) kind: NameKind,
    pub(super) name: Spanned<String>,
    pub(super) step: usize,
}

// === impl Names ===

impl Names {
    pub(super) fn enter_step(&mut self, index: usize) {
        self.step = Some(index);
    }

    pub(super) fn define(&mut self, kind: NameKind, name: Spanned<String>) {
        self.made
            .entry(kind)
            .or_default()
            .entry(name.value)
            .or_insert(name.span);
    }

    pub(super) fn refer(&mut self, kind: NameKind, name: Spanned<String>) {
        self.used.push(Use {
            kind,
            name,
            step: self.step,
        });
    }

    /// What the step that is looked at keeps: [`NameKind::Keys`] or [`NameKind::Token`].
    pub(super) fn save(&mut self, kind: NameKind, name: Spanned<String>) {
        self.saved.extend(self.step.map(|step| Saved { kind, name, step }));
    }

    pub(super) fn name_step(&mut self, name: &str) {
        self.steps.extend(self.step.map(|step| (step, name.to_owned())));
    }

    pub(super) fn manifests(&mut self) {
        self.manifests = true;
    }

    pub(super) fn cluster(&mut self, name: Option<&str>) {
        self.cluster = name.unwrap_or(CLUSTER).to_owned();
    }

    pub(super) fn default_nodes(&mut self, default: bool) {
        if default {
            NODES
                .iter()
                .for_each(|node| self.define(NameKind::Node, Spanned::new((*node).to_owned(), Span::default())));
        }
    }

    /// What is wrong with the names.
    pub(super) fn resolve(&self) -> Vec<ScenarioError> {
        let mut errors = Vec::new();
        let unknown = self.used.iter().filter_map(|used| match used.kind {
            NameKind::Keys | NameKind::Token => self.unsaved(used),
            NameKind::Step => self.unknown_step(used),
            _ => self.unknown(used),
        });
        errors.extend(unknown.take(MOST));
        errors.extend(self.saved.iter().filter_map(|saved| self.unused(saved)));
        errors.extend(self.saved.iter().filter_map(|saved| self.saved_over(saved)));
        let pods = self.made.get(&NameKind::Pod).into_iter().flatten();
        errors.extend(pods.filter_map(|(name, span)| {
            self.made.get(&NameKind::Node)?.get(name)?;
            let title = format!("`{name}` is a pod and a node");
            let error = ScenarioError::new(title, span.clone(), "a node has this name");
            Some(error.help("pods and nodes share one space of names: rename one of them"))
        }));
        errors
    }

    /// The names that a use of this kind may have.
    fn known(&self, kind: NameKind) -> BTreeSet<&str> {
        let made = |kind| {
            self.made
                .get(&kind)
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str())
        };
        match kind {
            NameKind::Actor => made(NameKind::Pod).chain(made(NameKind::Node)).collect(),
            NameKind::From => made(NameKind::Pod)
                .chain(made(NameKind::Node))
                .chain(["pods"])
                .collect(),
            NameKind::Role => made(kind).chain(["node", "master"]).collect(),
            NameKind::Caller => made(NameKind::Role)
                .chain(made(NameKind::User))
                .chain(["node", "master"])
                .collect(),
            NameKind::Namespace => made(kind).chain(NAMESPACES).collect(),
            _ => made(kind).collect(),
        }
    }

    fn unknown(&self, used: &Use) -> Option<ScenarioError> {
        let (kind, name) = (used.kind, used.name.value.as_str());
        let role = matches!(kind, NameKind::Role | NameKind::Caller);
        if (role || kind == NameKind::Account) && name.starts_with("arn:") {
            return self.unknown_account(&used.name);
        }
        let kops = |prefix: &str| name.strip_prefix(prefix).is_some_and(|cluster| cluster == self.cluster);
        if role && (kops("nodes.") || kops("masters.")) {
            return None;
        }
        let from_manifest = matches!(
            kind,
            NameKind::Pod | NameKind::Actor | NameKind::From | NameKind::Namespace
        );
        let known = self.known(kind);
        if known.contains(name) || (self.manifests && from_manifest) {
            return None;
        }
        let label = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "not given, and no `apply` makes it".to_owned(),
        };
        let error = ScenarioError::new(
            format!("no {} named `{name}`", noun(kind)),
            used.name.span.clone(),
            label,
        );
        Some(error.help(format!("known here: {}", list(known))))
    }

    /// In an ARN the account is a number, `aws`, `self` or a further account's name.
    fn unknown_account(&self, arn: &Spanned<String>) -> Option<ScenarioError> {
        let Some(account) = arn.value.split(':').nth(4) else {
            let error = ScenarioError::new(
                "this is no ARN",
                arn.span.clone(),
                "expected `arn:aws:iam::self:role/NAME`",
            );
            return Some(error);
        };
        let number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let known = self.known(NameKind::Account);
        if number || matches!(account, "self" | "aws") || known.contains(account) {
            return None;
        }
        let words = || known.iter().copied().chain(["self"]);
        let label = match nearest(account, words()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "not `self`, not of `given.accounts`, and no number of twelve digits".to_owned(),
        };
        Some(ScenarioError::new(
            format!("no account `{account}`"),
            arn.span.clone(),
            label,
        ))
    }

    fn unknown_step(&self, used: &Use) -> Option<ScenarioError> {
        let name = used.name.value.as_str();
        let earlier = || {
            self.steps
                .iter()
                .filter(|(step, _)| used.step.is_none_or(|used| *step < used))
        };
        if earlier().any(|(_, step)| step == name) {
            return None;
        }
        let later = self.steps.iter().any(|(_, step)| step == name);
        let itself = self
            .steps
            .iter()
            .any(|(index, step)| step == name && Some(*index) == used.step);
        let label = match nearest(name, earlier().map(|(_, step)| step.as_str())) {
            _ if itself => "this is the step itself".to_owned(),
            _ if later => "this step comes only later".to_owned(),
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "expected the name of an earlier step".to_owned(),
        };
        let names: Vec<&str> = earlier().map(|(_, step)| step.as_str()).collect();
        let help = match names.is_empty() {
            true => "no earlier step has a name: give it one".to_owned(),
            false => format!("earlier steps: {}", list(names)),
        };
        let title = format!("no earlier step named `{name}`");
        Some(ScenarioError::new(title, used.name.span.clone(), label).help(help))
    }
}

fn noun(kind: NameKind) -> &'static str {
    match kind {
        NameKind::From => "pod or node",
        kind => kind.noun(),
    }
}
