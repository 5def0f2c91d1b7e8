//! The `Condition` element.

use std::net::IpAddr;

use crate::context::View;
use crate::decision::Mismatch;
use crate::error::PolicyError;
use crate::json::{Node, Placed, member};
use crate::pattern::{Case, Pattern, Syntax};

/// One operator applied to one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// As written, with `IfExists`.
    operator: String,
    key: String,
    if_exists: bool,
    negated: bool,
    test: Test,
    written: Vec<String>,
}

#[derive(Clone, Debug)]
enum Test {
    Text {
        patterns: Vec<Pattern>,
        case: Case,
    },
    Arn(Vec<Pattern>),
    Bool(Vec<bool>),
    /// The key is absent (`true`) or present (`false`).
    Null(Vec<bool>),
    Ip(Vec<Network>),
}

/// An address range in CIDR notation; the bits beyond the prefix do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

/// How an operator compares, before its values are read.
#[derive(Clone, Copy)]
enum Comparison {
    Equals(Case),
    Like,
    Arn,
    Bool,
    Null,
    Ip,
}

/// The operators that AWS has and this crate has not.
const UNSUPPORTED: [&str; 13] = [
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "BinaryEquals",
];

/// Reads a `Condition` element. All its conditions must hold.
pub(crate) fn parse(node: &Node, place: &str, variables: bool) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, node) in node.members(place)? {
        let place = member(place, operator);
        let (comparison, negated, if_exists) = read_operator(operator, &place)?;
        let keys = node.members(&place)?;
        if keys.is_empty() {
            return Err(PolicyError::malformed(place, "names no condition key"));
        }
        for (key, node) in keys {
            let place = member(&place, key);
            if !key
                .split_once(':')
                .is_some_and(|(vendor, name)| !vendor.is_empty() && !name.is_empty())
            {
                return Err(PolicyError::malformed(
                    place,
                    "a condition key must be vendor:key such as aws:SourceIp",
                ));
            }
            let values = node.scalars(&place)?;
            conditions.push(Condition {
                operator: operator.clone(),
                key: key.clone(),
                if_exists,
                negated,
                test: read_values(comparison, &values, variables)?,
                written: values.into_iter().map(|value| value.text).collect(),
            });
        }
    }
    Ok(conditions)
}

fn read_operator(operator: &str, place: &str) -> Result<(Comparison, bool, bool), PolicyError> {
    if operator.starts_with("ForAllValues:") || operator.starts_with("ForAnyValue:") {
        return Err(PolicyError::unsupported(place, "set operators are not implemented"));
    }
    let (name, if_exists) = match operator.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (operator, false),
    };
    let (comparison, negated) = match name {
        "StringEquals" => (Comparison::Equals(Case::Sensitive), false),
        "StringNotEquals" => (Comparison::Equals(Case::Sensitive), true),
        "StringEqualsIgnoreCase" => (Comparison::Equals(Case::Insensitive), false),
        "StringNotEqualsIgnoreCase" => (Comparison::Equals(Case::Insensitive), true),
        "StringLike" => (Comparison::Like, false),
        "StringNotLike" => (Comparison::Like, true),
        // The two forms of the ARN operators behave identically.
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "Bool" => (Comparison::Bool, false),
        "Null" if if_exists => {
            return Err(PolicyError::malformed(place, "Null cannot be combined with IfExists"));
        }
        "Null" => (Comparison::Null, false),
        "IpAddress" => (Comparison::Ip, false),
        "NotIpAddress" => (Comparison::Ip, true),
        _ if UNSUPPORTED.contains(&name) => {
            return Err(PolicyError::unsupported(
                place,
                format!("condition operator {name} is not implemented"),
            ));
        }
        _ => {
            return Err(PolicyError::malformed(
                place,
                format!("{operator:?} is not a condition operator"),
            ));
        }
    };
    Ok((comparison, negated, if_exists))
}

fn read_values(comparison: Comparison, values: &[Placed], variables: bool) -> Result<Test, PolicyError> {
    let patterns = |wildcards: bool| each(values, |text| Pattern::parse(text, Syntax { wildcards, variables }));
    Ok(match comparison {
        Comparison::Equals(case) => Test::Text {
            patterns: patterns(false)?,
            case,
        },
        Comparison::Like => Test::Text {
            patterns: patterns(true)?,
            case: Case::Sensitive,
        },
        Comparison::Arn => {
            let patterns = patterns(true)?;
            // What shorter text matches is not documented; taken as no ARN it would switch a Deny off.
            if let Some((value, _)) = values.iter().zip(&patterns).find(|(_, pattern)| !pattern.may_be_arn()) {
                let message = format!(
                    "{:?} is not an ARN of six segments, which alone is implemented",
                    value.text
                );
                return Err(PolicyError::unsupported(&value.place, message));
            }
            Test::Arn(patterns)
        }
        Comparison::Bool => Test::Bool(each(values, read_bool)?),
        Comparison::Null => Test::Null(each(values, read_bool)?),
        Comparison::Ip => Test::Ip(each(values, Network::parse)?),
    })
}

fn each<T>(values: &[Placed], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, PolicyError> {
    values
        .iter()
        .map(|value| read(&value.text).map_err(|message| PolicyError::malformed(&value.place, message)))
        .collect()
}

fn read_bool(text: &str) -> Result<bool, String> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(format!("{text:?} must be \"true\" or \"false\""))
    }
}

// === impl Condition ===

impl Condition {
    pub(crate) fn operator(&self) -> &str {
        &self.operator
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The key itself and those that its values refer to.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let patterns: &[Pattern] = match &self.test {
            Test::Text { patterns, .. } | Test::Arn(patterns) => patterns,
            Test::Bool(_) | Test::Null(_) | Test::Ip(_) => &[],
        };
        std::iter::once(self.key.as_str()).chain(patterns.iter().flat_map(Pattern::variables))
    }

    /// Whether the condition holds. Of several values in the policy one must match, for a negated operator none.
    /// An absent key matches nothing, so a negated operator holds; with `IfExists` every operator does.
    pub(crate) fn holds(&self, view: &View<'_>) -> bool {
        let found = view.get(&self.key);
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&found.is_none());
        }
        let Some(found) = found else {
            return self.if_exists || self.negated;
        };
        found.iter().any(|value| self.matches(value, view)) != self.negated
    }

    fn matches(&self, value: &str, view: &View<'_>) -> bool {
        match &self.test {
            Test::Text { patterns, case } => patterns.iter().any(|pattern| pattern.matches(value, *case, view)),
            Test::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches_arn(value, view)),
            Test::Bool(wanted) => read_bool(value).is_ok_and(|value| wanted.contains(&value)),
            Test::Ip(networks) => value
                .parse()
                .is_ok_and(|address| networks.iter().any(|network| network.contains(address))),
            Test::Null(_) => false,
        }
    }

    /// A value of the context that an address operator would have to read and that is no address.
    pub(crate) fn unreadable<'v>(&self, view: &'v View<'_>) -> Option<&'v str> {
        let Test::Ip(_) = self.test else { return None };
        view.get(&self.key)?
            .iter()
            .map(String::as_str)
            .find(|value| value.parse::<IpAddr>().is_err())
    }

    /// Why the condition does not hold.
    pub(crate) fn mismatch(&self, view: &View<'_>) -> Mismatch {
        Mismatch::Condition {
            operator: self.operator.clone(),
            key: self.key.clone(),
            wanted: self.written.clone(),
            found: view.get(&self.key).map(<[String]>::to_vec),
        }
    }
}

// === impl Network ===

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} must be an IP address or a range such as \"203.0.113.0/24\"");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(prefix) if !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit()) => {
                prefix.parse().map_err(|_| invalid())?
            }
            Some(_) => return Err(invalid()),
        };
        if prefix > bits {
            Err(invalid())
        } else {
            Ok(Self { address, prefix })
        }
    }

    fn contains(&self, other: IpAddr) -> bool {
        // An IPv4 client of a dual-stack socket appears as ::ffff:a.b.c.d.
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - self.prefix;
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - self.prefix;
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}
