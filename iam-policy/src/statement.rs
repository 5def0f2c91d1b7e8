//! One statement of a policy: when it applies.

use crate::condition::{self, Condition};
use crate::context::View;
use crate::decision::Mismatch;
use crate::error::PolicyError;
use crate::json::{Node, Placed, member};
use crate::pattern::{Case, Pattern, Syntax};
use crate::policy::{PolicyKind, Version};
use crate::principal::Principal;
use crate::principal_element::{PrincipalElement, Standing};

/// A statement of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sid: Option<String>,
    verb: Verb,
    principal: Option<PrincipalElement>,
    actions: Matcher,
    /// None in trust policies, whose resource is the role that they belong to.
    resources: Option<Matcher>,
    conditions: Vec<Condition>,
}

/// The `Effect` of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug)]
struct Matcher {
    negated: bool,
    patterns: Vec<Pattern>,
}

/// What a statement is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) view: &'a View<'a>,
}

/// What a statement says to a question.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It applies. The standing is that of the caller in its `Principal`, for statements that have one.
    Applies(Option<Standing>),
    /// It does not apply, for these reasons (at least one).
    Differs(Vec<Mismatch>),
}

/// How many actions, resources or principals a summary names.
const SUMMARY_ITEMS: usize = 3;

// === impl Statement ===

impl Statement {
    pub(crate) fn parse(kind: PolicyKind, version: Version, node: &Node, place: &str) -> Result<Self, PolicyError> {
        let variables = version == Version::V2012;
        let (mut sid, mut verb, mut principal, mut actions, mut resources) = (None, None, None, None, None);
        let mut conditions = Vec::new();
        for (key, node) in node.members(place)? {
            let here = member(place, key);
            match key.as_str() {
                "Sid" => sid = read_sid(kind, node, &here)?,
                "Effect" => {
                    verb = Some(match node.text(&here)? {
                        "Allow" => Verb::Allow,
                        "Deny" => Verb::Deny,
                        other => {
                            return Err(PolicyError::malformed(
                                here,
                                format!("{other:?} is no effect, must be \"Allow\" or \"Deny\""),
                            ));
                        }
                    });
                }
                "Principal" | "NotPrincipal" if kind == PolicyKind::Identity => {
                    return Err(PolicyError::malformed(
                        here,
                        "an identity-based policy must not name principals",
                    ));
                }
                "Principal" => principal = Some(PrincipalElement::parse(node, &here)?),
                "NotPrincipal" if kind == PolicyKind::Trust => {
                    return Err(PolicyError::malformed(
                        here,
                        "a trust policy must not have NotPrincipal",
                    ));
                }
                "NotPrincipal" => return Err(PolicyError::unsupported(here, "NotPrincipal is not implemented")),
                "NotAction" if kind == PolicyKind::Trust => {
                    return Err(PolicyError::unsupported(
                        here,
                        "NotAction in a trust policy is not implemented",
                    ));
                }
                "Action" | "NotAction" => {
                    let patterns = each(node, &here, |text| read_action(kind, text))?;
                    set_once(
                        &mut actions,
                        Matcher {
                            negated: key == "NotAction",
                            patterns,
                        },
                        place,
                        "Action",
                    )?;
                }
                "Resource" | "NotResource" if kind == PolicyKind::Trust => {
                    return Err(PolicyError::malformed(here, "a trust policy must not name resources"));
                }
                "Resource" | "NotResource" => {
                    let patterns = each(node, &here, |text| read_resource(text, variables))?;
                    set_once(
                        &mut resources,
                        Matcher {
                            negated: key == "NotResource",
                            patterns,
                        },
                        place,
                        "Resource",
                    )?;
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
        })
    }

    pub(crate) fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    pub(crate) fn verb(&self) -> Verb {
        self.verb
    }

    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    pub(crate) fn condition_keys(&self) -> impl Iterator<Item = &str> {
        let resources = self
            .resources
            .iter()
            .flat_map(|matcher| &matcher.patterns)
            .flat_map(Pattern::variables);
        resources.chain(self.conditions.iter().flat_map(Condition::keys))
    }

    /// Whether the statement applies, or else every reason why it does not.
    pub(crate) fn answer(&self, question: &Question<'_>) -> Answer {
        let mut differs = Vec::new();
        let mut standing = None;
        if let Some(element) = &self.principal {
            standing = element.standing(question.principal);
            if standing.is_none() {
                differs.push(Mismatch::Principal {
                    asked: question.principal.arn(),
                    statement: list(element.written()),
                });
            }
        }
        if !self
            .actions
            .holds(|pattern| pattern.matches(question.action, Case::Insensitive, question.view))
        {
            differs.push(Mismatch::Action {
                asked: question.action.to_owned(),
                statement: self.actions.summary(),
            });
        }
        if let Some(resources) = &self.resources
            && !resources.holds(|pattern| pattern.matches_resource(question.resource, question.view))
        {
            differs.push(Mismatch::Resource {
                asked: question.resource.to_owned(),
                statement: resources.summary(),
            });
        }
        for condition in &self.conditions {
            if !condition.holds(question.view) {
                differs.push(condition.mismatch(question.view));
            }
        }
        if differs.is_empty() {
            Answer::Applies(standing)
        } else {
            Answer::Differs(differs)
        }
    }

    /// The statement in a few words: `s3:List* on *`, `sts:AssumeRole by ec2.amazonaws.com`.
    pub(crate) fn summary(&self) -> String {
        let mut text = self.actions.summary();
        if let Some(principal) = &self.principal {
            text += &format!(" by {}", list(principal.written()));
        }
        if let Some(resources) = &self.resources {
            text += &format!(" on {}", resources.summary());
        }
        for (index, condition) in self.conditions.iter().enumerate() {
            let join = if index == 0 { "if" } else { "and" };
            text += &format!(" {join} {} {}", condition.operator(), condition.key());
        }
        text
    }
}

// === impl Matcher ===

impl Matcher {
    fn holds(&self, matches: impl Fn(&Pattern) -> bool) -> bool {
        self.patterns.iter().any(matches) != self.negated
    }

    fn summary(&self) -> String {
        let items = list(self.patterns.iter().map(Pattern::written));
        if self.negated {
            format!("everything but {items}")
        } else {
            items
        }
    }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<&str> = items.collect();
    let shown = items.iter().take(SUMMARY_ITEMS).copied().collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(SUMMARY_ITEMS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn set_once(slot: &mut Option<Matcher>, value: Matcher, place: &str, element: &str) -> Result<(), PolicyError> {
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

fn each(node: &Node, place: &str, read: impl Fn(&str) -> Result<Pattern, String>) -> Result<Vec<Pattern>, PolicyError> {
    node.texts(place)?
        .into_iter()
        .map(|Placed { text, place }| read(&text).map_err(|message| PolicyError::malformed(place, message)))
        .collect()
}

fn read_action(kind: PolicyKind, text: &str) -> Result<Pattern, String> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '?');
    let well_formed = match text.split_once(':') {
        None => text == "*",
        Some((vendor, action)) => {
            // A vendor is named in full; AWS takes wildcards in the name of the action only.
            (vendor == "*" && action == "*")
                || (!vendor.is_empty()
                    && vendor.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                    && !action.is_empty()
                    && action.chars().all(known))
        }
    };
    if !well_formed {
        return Err(format!(
            "action {text:?} must be \"*\" or vendor:action such as \"s3:ListBucket\""
        ));
    }
    if kind == PolicyKind::Trust && !text.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:")) {
        return Err(format!(
            "action {text:?} is not of STS, and a trust policy may name no others"
        ));
    }
    Pattern::parse(
        text,
        Syntax {
            wildcards: true,
            variables: false,
        },
    )
}

fn read_resource(text: &str, variables: bool) -> Result<Pattern, String> {
    // Six segments, of which a `*` may stand for several.
    let arn = text.starts_with("arn:") && (text.contains('*') || text.matches(':').count() >= 5);
    if text != "*" && !arn {
        return Err(format!("resource {text:?} must be an ARN or \"*\""));
    }
    Pattern::parse(
        text,
        Syntax {
            wildcards: true,
            variables,
        },
    )
}
