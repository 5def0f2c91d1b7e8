//! The `Condition` element.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::context::View;
use crate::decision::Mismatch;
use crate::error::PolicyError;
use crate::json::{Node, Placed, member};
use crate::network::Network;
use crate::order::{self, Order};
use crate::pattern::{Case, Pattern, Syntax};

/// One operator applied to one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// As written, with `IfExists`.
    operator: String,
    key: String,
    quantifier: Quantifier,
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
    Number(Order, Vec<f64>),
    Time(Order, Vec<Timestamp>),
}

/// How many of the values in the request must compare well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    /// No set operator: made for keys of one value.
    Plain,
    /// `ForAllValues:`, which no values at all satisfy too.
    All,
    /// `ForAnyValue:`
    Any,
}

/// An operator as read, before its values are.
#[derive(Clone, Copy)]
struct Operator {
    quantifier: Quantifier,
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
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
    Number(Order),
    Time(Order),
}

/// The operators that AWS has and this crate has not.
const UNSUPPORTED: [&str; 1] = ["BinaryEquals"];

/// Reads a `Condition` element. All its conditions must hold.
pub(crate) fn parse(node: &Node, place: &str, variables: bool) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, node) in node.members(place)? {
        let place = member(place, operator);
        let Operator {
            quantifier,
            comparison,
            negated,
            if_exists,
        } = read_operator(operator, &place)?;
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
                quantifier,
                if_exists,
                negated,
                test: read_values(comparison, &values, variables)?,
                written: values.into_iter().map(|value| value.text).collect(),
            });
        }
    }
    Ok(conditions)
}

fn read_operator(operator: &str, place: &str) -> Result<Operator, PolicyError> {
    let (quantifier, name) = match operator.split_once(':') {
        None => (Quantifier::Plain, operator),
        Some(("ForAllValues", name)) => (Quantifier::All, name),
        Some(("ForAnyValue", name)) => (Quantifier::Any, name),
        Some(_) => return Err(not_an_operator(operator, place)),
    };
    let (name, if_exists) = match name.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (name, false),
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
        "Null" if quantifier != Quantifier::Plain => {
            return Err(PolicyError::unsupported(
                place,
                "Null with a set operator is not implemented",
            ));
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
        _ => ordered(name).ok_or_else(|| not_an_operator(operator, place))?,
    };
    Ok(Operator {
        quantifier,
        comparison,
        negated,
        if_exists,
    })
}

/// The numeric and date operators, and whether they are negated.
fn ordered(name: &str) -> Option<(Comparison, bool)> {
    if let Some(name) = name.strip_prefix("Numeric") {
        Order::read(name).map(|(order, negated)| (Comparison::Number(order), negated))
    } else {
        let (order, negated) = Order::read(name.strip_prefix("Date")?)?;
        Some((Comparison::Time(order), negated))
    }
}

fn not_an_operator(operator: &str, place: &str) -> PolicyError {
    PolicyError::malformed(place, format!("{operator:?} is not a condition operator"))
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
        Comparison::Number(order) => Test::Number(order, each(values, order::number)?),
        Comparison::Time(order) => Test::Time(order, each(values, order::time)?),
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
            Test::Bool(_) | Test::Null(_) | Test::Ip(_) | Test::Number(..) | Test::Time(..) => &[],
        };
        std::iter::once(self.key.as_str()).chain(patterns.iter().flat_map(Pattern::variables))
    }

    /// Whether the condition holds. A value in the request compares well if it matches one of the policy's, for a
    /// negated operator none. Without set operator, one value that compares well is enough, and a negated operator is
    /// the exact contrary of its positive one. An absent key has no values: it satisfies negated operators,
    /// `ForAllValues:` and whatever ends in `IfExists`, and nothing else.
    pub(crate) fn holds(&self, view: &View<'_>) -> bool {
        let found = view.get(&self.key);
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&found.is_none());
        }
        let compares_well = |value: &String| self.matches(value, view) != self.negated;
        match (found, self.quantifier) {
            (None, _) if self.if_exists => true,
            (None, Quantifier::Plain) => self.negated,
            (None, Quantifier::All) => true,
            (None, Quantifier::Any) => false,
            (Some(found), Quantifier::Plain) if self.negated => found.iter().all(compares_well),
            (Some(found), Quantifier::Plain | Quantifier::Any) => found.iter().any(compares_well),
            (Some(found), Quantifier::All) => found.iter().all(compares_well),
        }
    }

    fn matches(&self, value: &str, view: &View<'_>) -> bool {
        match &self.test {
            Test::Text { patterns, case } => patterns.iter().any(|pattern| pattern.matches(value, *case, view)),
            Test::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches_arn(value, view)),
            Test::Bool(wanted) => read_bool(value).is_ok_and(|value| wanted.contains(&value)),
            Test::Ip(networks) => value
                .parse()
                .is_ok_and(|address| networks.iter().any(|network| network.contains(address))),
            Test::Number(order, wanted) => {
                order::number(value).is_ok_and(|found| wanted.iter().any(|wanted| order.holds(&found, wanted)))
            }
            Test::Time(order, wanted) => {
                order::time(value).is_ok_and(|found| wanted.iter().any(|wanted| order.holds(&found, wanted)))
            }
            Test::Null(_) => false,
        }
    }

    /// A value of the context that the operator would have to read as an address, a number or a time and that is none, and
    /// which of these it would have to be. Taken for a mismatch it would switch a Deny off.
    pub(crate) fn unreadable<'v>(&self, view: &'v View<'_>) -> Option<(&'v str, &'static str)> {
        let (what, readable): (_, fn(&str) -> bool) = match self.test {
            Test::Ip(_) => ("an IP address", |value| value.parse::<IpAddr>().is_ok()),
            Test::Number(..) => ("a number", |value| order::number(value).is_ok()),
            Test::Time(..) => ("a time", |value| order::time(value).is_ok()),
            Test::Text { .. } | Test::Arn(_) | Test::Bool(_) | Test::Null(_) => return None,
        };
        let values = view.get(&self.key)?.iter().map(String::as_str);
        let odd = values.into_iter().find(|value| !readable(value))?;
        Some((odd, what))
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
