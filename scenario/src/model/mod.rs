//! A checked scenario: what `load` hands to `plan`.

mod expect;
mod given;
mod step;
mod vault;

use std::collections::BTreeSet;

pub use expect::{Bounds, Expect, Expectation};
pub use given::{
    Bucket, ClusterSpec, Document, Given, ImdsSpec, Manifest, Namespace, Pod, ProxySettings, Restored, Role,
    StatementList, Trust, User, VaultUse,
};
pub use step::{
    Action, Actor, Call, Credentials, Fault, FaultKind, ImdsRequest, Journal, JournalWhere, ProxyCommand, ProxyVerb,
    Step, Target, TokenUse,
};
pub use vault::Vault;

use crate::{Source, Span, Spanned};

/// A scenario that has been checked: every word known, every name resolved.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The text, for messages that point into it.
    pub source: Source,
    /// `<chapter>/<name>`: the path below the suite's folder without `.yaml`; for a file outside the suite its path.
    pub id: String,
    /// The sentence that is true if the file passes.
    pub name: Spanned<String>,
    /// The claim, defect or document that this pins.
    pub why: Option<String>,
    /// Conformance profile.
    pub profile: Option<String>,
    /// What a subject may or may not claim beyond the profile's core.
    pub features: Vec<String>,
    /// Words for selection.
    pub tags: Vec<String>,
    /// Capabilities that it wants: written ones and inferred ones.
    pub needs: BTreeSet<String>,
    /// Words that are part of the language and that no world can do yet: each makes a skip with its reason.
    pub pending: Vec<Pending>,
    /// Settings of the subject.
    pub proxy: ProxySettings,
    /// What exists before the first step.
    pub given: Given,
    /// What happens, in order. A step whose action is [`Pending`] is left out: such a scenario is never run.
    pub steps: Vec<Step>,
}

/// A word of the language that is not built into any world yet.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The word as written, such as `vault_role`.
    pub word: String,
    /// Why it is a skip, a fragment such as `Vault is not built yet`.
    pub reason: String,
    /// Where it was written.
    pub span: Span,
}
