//! `Action` and `NotAction`, `Resource` and `NotResource`.

use crate::context::View;
use crate::error::PolicyError;
use crate::glob::{Glob, Token};
use crate::json::{Node, Placed};
use crate::pattern::{Form, Pattern, Syntax};
use crate::policy::PolicyKind;

/// An action that is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AskedAction<'a> {
    in_lower_case: &'a str,
    /// The mark of what stands before its colon.
    vendor: u64,
}

/// The actions of a statement.
#[derive(Clone, Debug)]
pub(crate) struct Actions {
    negated: bool,
    /// The mark of the one vendor that all of them are of, if there is one: most statements of most policies are about
    /// others than the one that is asked for, and need no more than this to be told apart.
    vendor: Option<u64>,
    patterns: Vec<ActionPattern>,
}

/// The resources of a statement.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    negated: bool,
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct ActionPattern {
    written: String,
    /// In lower case: neither the prefix nor the name of an action have a case.
    glob: Glob,
}

/// How many actions, resources or principals a summary names, and how many characters of each.
const SUMMARY_ITEMS: usize = 3;
const SUMMARY_CHARACTERS: usize = 200;

/// A number that is the same for the same name of a vendor, and hardly ever for two (FNV-1a).
fn mark(vendor: &str) -> u64 {
    vendor.bytes().fold(0xcbf2_9ce4_8422_2325, |mark, byte| {
        (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn vendor_of(action: &str) -> Option<&str> {
    action.split_once(':').map(|(vendor, _)| vendor)
}

// === impl AskedAction ===

impl<'a> AskedAction<'a> {
    /// `action` must be in lower case.
    pub(crate) fn of(action: &'a str) -> Self {
        Self {
            in_lower_case: action,
            vendor: mark(vendor_of(action).unwrap_or_default()),
        }
    }
}

// === impl Actions ===

impl Actions {
    pub(crate) fn parse(kind: PolicyKind, node: &Node, place: &str, negated: bool) -> Result<Self, PolicyError> {
        let patterns = each(node, place, |text| ActionPattern::parse(kind, text, negated))?;
        let mut vendors = patterns.iter().map(ActionPattern::vendor);
        let first = vendors.next().flatten();
        Ok(Self {
            negated,
            vendor: first.filter(|_| vendors.all(|vendor| vendor == first)),
            patterns,
        })
    }

    /// Whether the statement is about this action.
    pub(crate) fn hold(&self, action: AskedAction<'_>) -> bool {
        let of_another = self.vendor.is_some_and(|vendor| vendor != action.vendor);
        let mut patterns = self.patterns.iter();
        let named = !of_another && patterns.any(|pattern| pattern.glob.matches(action.in_lower_case));
        named != self.negated
    }

    /// Appends a few words for them.
    pub(crate) fn summarise(&self, text: &mut String) {
        let written = self.patterns.iter().map(|pattern| pattern.written.as_str());
        summarise(text, self.negated, written);
    }
}

// === impl ActionPattern ===

impl ActionPattern {
    fn parse(kind: PolicyKind, text: &str, negated: bool) -> Result<Self, String> {
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
        let of_sts = text.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"));
        if kind == PolicyKind::Trust && !negated && !of_sts {
            return Err(format!(
                "action {text:?} is not of STS, and a trust policy may name no others"
            ));
        }
        let tokens = text.chars().map(|c| match c {
            '*' => Token::Any,
            '?' => Token::One,
            other => Token::Char(other.to_ascii_lowercase()),
        });
        Ok(Self {
            glob: Glob::of(tokens),
            written: text.to_owned(),
        })
    }

    /// The mark of its vendor; none where that is left open.
    fn vendor(&self) -> Option<u64> {
        let vendor = vendor_of(&self.written).filter(|vendor| *vendor != "*");
        vendor.map(|vendor| mark(&vendor.to_ascii_lowercase()))
    }
}

// === impl Resources ===

impl Resources {
    pub(crate) fn parse(node: &Node, place: &str, variables: bool, negated: bool) -> Result<Self, PolicyError> {
        let patterns = each(node, place, |text| read_resource(text, variables))?;
        Ok(Self { negated, patterns })
    }

    /// Whether the statement is about this resource.
    pub(crate) fn hold(&self, resource: &str, view: &View<'_>) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(resource, view)) != self.negated
    }

    /// The context keys that the resources refer to.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().flat_map(Pattern::variables)
    }

    /// Appends a few words for them.
    pub(crate) fn summarise(&self, text: &mut String) {
        summarise(text, self.negated, self.patterns.iter().map(Pattern::written));
    }
}

fn read_resource(text: &str, variables: bool) -> Result<Pattern, String> {
    // Six segments, of which a `*` may stand for several.
    let arn = text.starts_with("arn:") && (text.contains('*') || text.matches(':').count() >= 5);
    if text != "*" && !arn {
        return Err(format!("resource {text:?} must be an ARN or \"*\""));
    }
    if text
        .split(':')
        .nth(2)
        .is_some_and(|service| service.contains(['*', '?']))
    {
        return Err(format!(
            "resource {text:?} must name its service, the third segment, in full"
        ));
    }
    let syntax = Syntax {
        wildcards: true,
        variables,
        form: Form::Resource,
    };
    Pattern::parse(text, syntax)
}

fn each<T>(node: &Node, place: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, PolicyError> {
    node.texts(place)?
        .into_iter()
        .map(|Placed { text, place }| read(&text).map_err(|message| PolicyError::malformed(place, message)))
        .collect()
}

/// Appends a few words for what a statement names.
pub(crate) fn summarise<'a>(text: &mut String, negated: bool, items: impl Iterator<Item = &'a str>) {
    if negated {
        text.push_str("everything but ");
    }
    let mut more = 0;
    for (index, item) in items.enumerate() {
        if index >= SUMMARY_ITEMS {
            more += 1;
            continue;
        }
        if index > 0 {
            text.push_str(", ");
        }
        if item.len() <= SUMMARY_CHARACTERS {
            text.push_str(item);
        } else {
            text.extend(item.chars().take(SUMMARY_CHARACTERS));
            text.push('…');
        }
    }
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
}
