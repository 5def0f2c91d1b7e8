//! The `Condition` element.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use crate::context::View;
use crate::decision::Mismatch;
use crate::error::PolicyError;
use crate::json::{Node, Placed, member};
use crate::network::Network;
use crate::operator::{Comparison, Operator, Quantifier};
use crate::order::{self, Order};
use crate::pattern::{Form, Pattern, Syntax};

/// One operator applied to one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// As written, with set operator and `IfExists`.
    operator: String,
    key: String,
    /// The key in lower case, as contexts keep it.
    lower: String,
    quantifier: Quantifier,
    if_exists: bool,
    negated: bool,
    test: Test,
    written: Vec<String>,
}

#[derive(Clone, Debug)]
enum Test {
    Text(Vec<Pattern>),
    Arn(Vec<Pattern>),
    Bool(Vec<bool>),
    Binary(Vec<Vec<u8>>),
    /// The key is absent (`true`) or present (`false`).
    Null(Vec<bool>),
    Ip(Vec<Network>),
    Number(Order, Vec<f64>),
    Time(Order, Vec<Timestamp>),
}

/// What a condition says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<'v> {
    Holds,
    Fails,
    /// A value of the context that the operator would have to read as something it is not. Taken for a mismatch it would
    /// switch a Deny off.
    Unreadable {
        value: &'v str,
        /// What the value should be, with its article.
        wanted: &'static str,
    },
}

/// Reads a `Condition` element. All its conditions must hold.
pub(crate) fn parse(node: &Node, place: &str, variables: bool) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, node) in node.members(place)? {
        let place = member(place, operator);
        let read = Operator::read(operator, &place)?;
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
                lower: key.to_ascii_lowercase(),
                quantifier: read.quantifier,
                if_exists: read.if_exists,
                negated: read.negated,
                test: Test::read(read.comparison, &values, variables)?,
                written: values.into_iter().map(|value| value.text).collect(),
            });
        }
    }
    Ok(conditions)
}

// === impl Test ===

impl Test {
    fn read(comparison: Comparison, values: &[Placed], variables: bool) -> Result<Self, PolicyError> {
        let patterns = |wildcards: bool, form: Form| {
            let syntax = Syntax {
                wildcards,
                variables,
                form,
            };
            each(values, |text| Pattern::parse(text, syntax))
        };
        Ok(match comparison {
            Comparison::Equals => Self::Text(patterns(false, Form::Text)?),
            Comparison::EqualsInAnyCase => Self::Text(patterns(false, Form::AnyCase)?),
            Comparison::Like => Self::Text(patterns(true, Form::Text)?),
            Comparison::Arn => {
                let patterns = patterns(true, Form::Arn)?;
                // What shorter text matches is not documented; taken as no ARN it would switch a Deny off.
                if let Some((value, _)) = values.iter().zip(&patterns).find(|(_, pattern)| !pattern.may_be_arn()) {
                    let message = format!(
                        "{:?} is not an ARN of six segments, which alone is implemented",
                        value.text
                    );
                    return Err(PolicyError::unsupported(&value.place, message));
                }
                Self::Arn(patterns)
            }
            Comparison::Bool => Self::Bool(each(values, read_bool)?),
            Comparison::Binary => Self::Binary(each(values, |text| {
                STANDARD.decode(text).map_err(|_| format!("{text:?} is not Base64"))
            })?),
            Comparison::Null => Self::Null(each(values, read_bool)?),
            Comparison::Ip => Self::Ip(each(values, Network::parse)?),
            Comparison::Number(order) => Self::Number(order, each(values, order::number)?),
            Comparison::Time(order) => Self::Time(order, each(values, order::time)?),
        })
    }

    /// Whether a value of the request matches one of the policy's. `Err` with what it should be if it cannot be read.
    fn matches(&self, value: &str, view: &View<'_>) -> Result<bool, &'static str> {
        Ok(match self {
            Self::Text(patterns) | Self::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches(value, view)),
            Self::Bool(wanted) => read_bool(value).is_ok_and(|value| wanted.contains(&value)),
            Self::Binary(wanted) => {
                let found = STANDARD.decode(value).map_err(|_| "binary data in Base64")?;
                wanted.contains(&found)
            }
            Self::Ip(networks) => {
                let address: IpAddr = value.parse().map_err(|_| "an IP address")?;
                networks.iter().any(|network| network.contains(address))
            }
            Self::Number(order, wanted) => {
                let found = order::number(value).map_err(|_| "a number")?;
                wanted.iter().any(|wanted| order.holds(&found, wanted))
            }
            Self::Time(order, wanted) => {
                let found = order::time(value).map_err(|_| "a time")?;
                wanted.iter().any(|wanted| order.holds(&found, wanted))
            }
            Self::Null(_) => false,
        })
    }
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
            Test::Text(patterns) | Test::Arn(patterns) => patterns,
            _ => &[],
        };
        std::iter::once(self.key.as_str()).chain(patterns.iter().flat_map(Pattern::variables))
    }

    /// Whether the condition wants `aws:PrincipalArn` to be one that it names.
    pub(crate) fn picks_principals(&self) -> bool {
        self.lower == "aws:principalarn"
            && !self.negated
            && !self.if_exists
            && self.quantifier != Quantifier::All
            && matches!(self.test, Test::Text(_) | Test::Arn(_))
    }

    /// Whether the condition holds. A value in the request compares well if it matches one of the policy's, for a
    /// negated operator none. Without set operator, one value that compares well is enough, and a negated operator is
    /// the exact contrary of its positive one. An absent key has no values: it satisfies negated operators,
    /// `ForAllValues:` and whatever ends in `IfExists`, and nothing else. To set operators a key that holds nothing but
    /// empty text has no values either ("Creating a condition with multiple keys or values": a null data set).
    pub(crate) fn outcome<'v>(&self, view: &'v View<'_>) -> Outcome<'v> {
        let found = view.get(&self.lower);
        let holds = |holds: bool| if holds { Outcome::Holds } else { Outcome::Fails };
        if let Test::Null(wanted) = &self.test {
            return holds(wanted.contains(&found.is_none()));
        }
        let Some(found) = found else {
            return holds(
                self.if_exists
                    || match self.quantifier {
                        Quantifier::Plain => self.negated,
                        Quantifier::All => true,
                        Quantifier::Any => false,
                    },
            );
        };
        if self.quantifier != Quantifier::Plain && found.iter().all(String::is_empty) {
            return holds(self.quantifier == Quantifier::All);
        }
        let every = match self.quantifier {
            Quantifier::All => true,
            Quantifier::Plain => self.negated,
            Quantifier::Any => false,
        };
        let mut result = every;
        for value in found {
            match self.test.matches(value, view) {
                Err(wanted) => return Outcome::Unreadable { value, wanted },
                Ok(matches) if (matches != self.negated) != every => result = !every,
                Ok(_) => {}
            }
        }
        holds(result)
    }

    /// Why the condition does not hold.
    pub(crate) fn mismatch(&self, view: &View<'_>) -> Mismatch {
        Mismatch::Condition {
            operator: self.operator.clone(),
            key: self.key.clone(),
            wanted: self.written.clone(),
            found: view.get(&self.lower).map(<[String]>::to_vec),
        }
    }
}
