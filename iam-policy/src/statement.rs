//! One statement of a policy: when it applies.

use std::sync::OnceLock;

use crate::condition::{self, Condition, Outcome};
use crate::context::View;
use crate::decision::Mismatch;
use crate::error::PolicyError;
use crate::json::{Node, member};
use crate::matcher::{Actions, AskedAction, Resources, summarise};
use crate::policy::{PolicyKind, Version};
use crate::principal::Principal;
use crate::principal_element::{PrincipalElement, Standing};

/// A statement of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sid: Option<String>,
    verb: Verb,
    principal: Option<PrincipalElement>,
    actions: Actions,
    /// None in trust policies, whose resource is the role that they belong to.
    resources: Option<Resources>,
    conditions: Vec<Condition>,
    /// See [`Statement::summary`]; written when it is first asked for.
    summary: OnceLock<String>,
}

/// The `Effect` of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Allow,
    Deny,
}

/// What a statement is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) principal: &'a Principal,
    /// [`Principal::arn`] of the principal.
    pub(crate) arn: &'a str,
    /// The caller has a permissions boundary.
    pub(crate) bounded: bool,
    pub(crate) action: &'a str,
    pub(crate) asked: AskedAction<'a>,
    pub(crate) resource: &'a str,
    pub(crate) view: &'a View<'a>,
}

/// What a statement says to a question.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer<'a> {
    /// It applies. The standing is that of the caller in its `Principal`, for statements that have one.
    Applies(Option<Standing>),
    /// It does not apply; whether it is about the action at all.
    Differs { about_the_action: bool },
    /// It would apply if this value of the context could be read.
    Unreadable {
        condition: &'a Condition,
        value: &'a str,
        wanted: &'static str,
    },
}

// === impl Statement ===

impl Statement {
    pub(crate) fn parse(kind: PolicyKind, version: Version, node: &Node, place: &str) -> Result<Self, PolicyError> {
        let variables = version == Version::V2012;
        let (mut sid, mut verb, mut principal, mut actions, mut resources) = (None, None, None, None, None);
        let mut conditions = Vec::new();
        for (key, node) in node.members(place)? {
            let here = member(place, key);
            let negated = key.starts_with("Not");
            match key.as_str() {
                "Sid" => sid = read_sid(kind, node, &here)?,
                "Effect" => verb = Some(Verb::parse(node, &here)?),
                "Principal" | "NotPrincipal" if kind == PolicyKind::Identity => {
                    return Err(PolicyError::malformed(
                        here,
                        "an identity-based policy must not name principals",
                    ));
                }
                "NotPrincipal" if kind == PolicyKind::Trust => {
                    return Err(PolicyError::malformed(
                        here,
                        "a trust policy must not have NotPrincipal",
                    ));
                }
                "Principal" | "NotPrincipal" => {
                    let element = PrincipalElement::parse(node, &here, negated)?;
                    set_once(&mut principal, element, place, "Principal")?;
                }
                "Action" | "NotAction" => {
                    let read = Actions::parse(kind, node, &here, negated)?;
                    set_once(&mut actions, read, place, "Action")?;
                }
                "Resource" | "NotResource" if kind == PolicyKind::Trust => {
                    return Err(PolicyError::malformed(here, "a trust policy must not name resources"));
                }
                "Resource" | "NotResource" => {
                    let read = Resources::parse(node, &here, variables, negated)?;
                    set_once(&mut resources, read, place, "Resource")?;
                }
                "Condition" => conditions = condition::parse(node, &here, variables)?,
                _ => return Err(PolicyError::malformed(here, "is not an element of a statement")),
            }
        }
        let missing = |element: &str| PolicyError::malformed(place, format!("{element} is missing"));
        if principal.is_none() && kind != PolicyKind::Identity {
            return Err(missing("Principal"));
        }
        if resources.is_none() && kind != PolicyKind::Trust {
            return Err(missing("Resource or NotResource"));
        }
        Ok(Self {
            sid,
            verb: verb.ok_or_else(|| missing("Effect"))?,
            principal,
            actions: actions.ok_or_else(|| missing("Action or NotAction"))?,
            resources,
            conditions,
            summary: OnceLock::new(),
        })
    }

    pub(crate) fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    pub(crate) fn verb(&self) -> Verb {
        self.verb
    }

    pub(crate) fn condition_keys(&self) -> impl Iterator<Item = &str> {
        let principal = self.principal.iter().flat_map(PrincipalElement::keys);
        let resources = self.resources.iter().flat_map(Resources::keys);
        principal
            .chain(resources)
            .chain(self.conditions.iter().flat_map(Condition::keys))
    }

    pub(crate) fn reads_context(&self) -> bool {
        let names_canonical_users = self
            .principal
            .as_ref()
            .is_some_and(PrincipalElement::asks_for_canonical_user);
        names_canonical_users || self.condition_keys().next().is_some()
    }

    /// Whether it cannot be told whom the statement names without the canonical user id of the caller's account.
    pub(crate) fn lacks_canonical_user(&self, question: &Question<'_>) -> bool {
        let asks = self
            .principal
            .as_ref()
            .is_some_and(PrincipalElement::asks_for_canonical_user);
        asks && question.principal.account().is_some() && question.view.canonical_user().is_none()
    }

    /// Whether the statement applies.
    pub(crate) fn answer<'a>(&'a self, question: &Question<'a>) -> Answer<'a> {
        const DIFFERS: Answer<'static> = Answer::Differs { about_the_action: true };
        if !self.actions.hold(question.asked) {
            return Answer::Differs {
                about_the_action: false,
            };
        }
        if !self.holds_resource(question) {
            return DIFFERS;
        }
        let standing = self.standing(question);
        if self.principal.is_some() && standing.is_none() {
            return DIFFERS;
        }
        let mut answer = Answer::Applies(standing);
        for condition in &self.conditions {
            match condition.outcome(question.view) {
                Outcome::Holds => {}
                Outcome::Fails => return DIFFERS,
                Outcome::Unreadable { value, wanted } => {
                    answer = Answer::Unreadable {
                        condition,
                        value,
                        wanted,
                    };
                }
            }
        }
        answer
    }

    /// In how many ways besides the action the statement differs from the question.
    pub(crate) fn distance(&self, question: &Question<'_>) -> usize {
        let principal = self.principal.is_some() && self.standing(question).is_none();
        let resource = !self.holds_resource(question);
        let failing = |condition: &&Condition| condition.outcome(question.view) != Outcome::Holds;
        usize::from(principal) + usize::from(resource) + self.conditions.iter().filter(failing).count()
    }

    /// Every reason why the statement does not apply; none if it does.
    pub(crate) fn mismatches(&self, question: &Question<'_>) -> Vec<Mismatch> {
        let mut differs = Vec::new();
        if let Some(element) = &self.principal
            && self.standing(question).is_none()
        {
            differs.push(Mismatch::Principal {
                asked: question.arn.to_owned(),
                statement: written(|text| summarise(text, element.is_negated(), element.written())),
            });
        }
        if !self.actions.hold(question.asked) {
            differs.push(Mismatch::Action {
                asked: question.action.to_owned(),
                statement: written(|text| self.actions.summarise(text)),
            });
        }
        if let Some(resources) = &self.resources
            && !self.holds_resource(question)
        {
            differs.push(Mismatch::Resource {
                asked: question.resource.to_owned(),
                statement: written(|text| resources.summarise(text)),
            });
        }
        for condition in &self.conditions {
            if condition.outcome(question.view) != Outcome::Holds {
                differs.push(condition.mismatch(question.view));
            }
        }
        differs
    }

    /// The statement in a few words: `s3:List* on *`, `sts:AssumeRole by ec2.amazonaws.com`.
    pub(crate) fn summary(&self) -> String {
        self.summary.get_or_init(|| self.summarised()).clone()
    }

    fn summarised(&self) -> String {
        let mut text = String::with_capacity(200);
        self.actions.summarise(&mut text);
        if let Some(principal) = &self.principal {
            text.push_str(" by ");
            summarise(&mut text, principal.is_negated(), principal.written());
        }
        if let Some(resources) = &self.resources {
            text.push_str(" on ");
            resources.summarise(&mut text);
        }
        for (index, condition) in self.conditions.iter().enumerate() {
            let join = if index == 0 { " if " } else { " and " };
            for word in [join, condition.operator(), " ", condition.key()] {
                text.push_str(word);
            }
        }
        text.shrink_to_fit();
        text
    }

    fn holds_resource(&self, question: &Question<'_>) -> bool {
        let resources = self.resources.as_ref();
        resources.is_none_or(|resources| resources.hold(question.resource, question.view))
    }

    /// `*` with a condition that picks principals by `aws:PrincipalArn` grants to the caller itself ("AWS JSON policy
    /// elements: Principal", IAM role principals).
    fn standing(&self, question: &Question<'_>) -> Option<Standing> {
        let element = self.principal.as_ref()?;
        let standing = element.standing(question, self.verb == Verb::Deny)?;
        let picked = standing == Standing::Everyone
            && !element.is_negated()
            && self.conditions.iter().any(Condition::picks_principals);
        Some(if picked { Standing::Itself } else { standing })
    }
}

// === impl Verb ===

impl Verb {
    fn parse(node: &Node, place: &str) -> Result<Self, PolicyError> {
        match node.text(place)? {
            "Allow" => Ok(Self::Allow),
            "Deny" => Ok(Self::Deny),
            other => Err(PolicyError::malformed(
                place,
                format!("{other:?} is no effect, must be \"Allow\" or \"Deny\""),
            )),
        }
    }
}

fn written(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::new();
    write(&mut text);
    text
}

fn set_once<T>(slot: &mut Option<T>, value: T, place: &str, element: &str) -> Result<(), PolicyError> {
    if slot.is_some() {
        return Err(PolicyError::malformed(
            place,
            format!("has both {element} and Not{element}"),
        ));
    }
    *slot = Some(value);
    Ok(())
}

/// An empty `Sid` counts as none. IAM allows ASCII letters and digits, other services also spaces and more.
fn read_sid(kind: PolicyKind, node: &Node, place: &str) -> Result<Option<String>, PolicyError> {
    let sid = node.text(place)?;
    if kind != PolicyKind::Resource && !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(PolicyError::malformed(
            place,
            format!("{sid:?} must be of ASCII letters and digits only"),
        ));
    }
    Ok((!sid.is_empty()).then(|| sid.to_owned()))
}
