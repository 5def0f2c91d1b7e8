//! The condition operators: what their names mean.

use crate::error::PolicyError;
use crate::order::Order;

/// An operator as read, before its values are.
#[derive(Clone, Copy)]
pub(crate) struct Operator {
    pub(crate) quantifier: Quantifier,
    pub(crate) comparison: Comparison,
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
}

/// How many of the values in the request must compare well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// No set operator: made for keys of one value.
    Plain,
    /// `ForAllValues:`, which no values at all satisfy too.
    All,
    /// `ForAnyValue:`
    Any,
}

/// How an operator compares.
#[derive(Clone, Copy)]
pub(crate) enum Comparison {
    Equals,
    EqualsInAnyCase,
    Like,
    Arn,
    Bool,
    Binary,
    Null,
    Ip,
    Number(Order),
    Time(Order),
}

// === impl Operator ===

impl Operator {
    /// Reads the name of an operator with its set operator and `IfExists`.
    pub(crate) fn read(operator: &str, place: &str) -> Result<Self, PolicyError> {
        let unknown = || PolicyError::malformed(place, format!("{operator:?} is not a condition operator"));
        let (quantifier, name) = match operator.split_once(':') {
            None => (Quantifier::Plain, operator),
            Some(("ForAllValues", name)) => (Quantifier::All, name),
            Some(("ForAnyValue", name)) => (Quantifier::Any, name),
            Some(_) => return Err(unknown()),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name == "Null" && if_exists {
            return Err(PolicyError::malformed(place, "Null cannot be combined with IfExists"));
        }
        if name == "Null" && quantifier != Quantifier::Plain {
            return Err(PolicyError::unsupported(
                place,
                "Null with a set operator is not implemented",
            ));
        }
        let (comparison, negated) = comparison(name).ok_or_else(unknown)?;
        Ok(Self {
            quantifier,
            comparison,
            negated,
            if_exists,
        })
    }
}

/// How the operator of this bare name compares, and whether it is negated.
fn comparison(name: &str) -> Option<(Comparison, bool)> {
    Some(match name {
        "StringEquals" => (Comparison::Equals, false),
        "StringNotEquals" => (Comparison::Equals, true),
        "StringEqualsIgnoreCase" => (Comparison::EqualsInAnyCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::EqualsInAnyCase, true),
        "StringLike" => (Comparison::Like, false),
        "StringNotLike" => (Comparison::Like, true),
        // The two forms of the ARN operators behave identically.
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "Bool" => (Comparison::Bool, false),
        "BinaryEquals" => (Comparison::Binary, false),
        "Null" => (Comparison::Null, false),
        "IpAddress" => (Comparison::Ip, false),
        "NotIpAddress" => (Comparison::Ip, true),
        _ => {
            if let Some(name) = name.strip_prefix("Numeric") {
                let (order, negated) = Order::read(name)?;
                (Comparison::Number(order), negated)
            } else {
                let (order, negated) = Order::read(name.strip_prefix("Date")?)?;
                (Comparison::Time(order), negated)
            }
        }
    })
}
