//! The whole of a decision: what every statement of every policy said.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, Mismatch, PolicyType, StatementRef};
use crate::reading::Reading;
use crate::request::Request;
use crate::statement::{Question, Verb};

/// A decision with what every statement of every policy that was consulted says to the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The account that the resource belongs to.
    pub resource_account: String,
    /// The policies, in the order in which they were consulted.
    pub policies: Vec<ExplainedPolicy>,
}

/// A policy that was consulted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedPolicy {
    /// As what it was consulted.
    pub policy_type: PolicyType,
    /// The name given to the attached policy.
    pub name: String,
    /// Its statements in their order.
    pub statements: Vec<ExplainedStatement>,
}

/// What one statement says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedStatement {
    /// The statement.
    pub statement: StatementRef,
    /// Its `Effect` is `Deny`.
    pub denies: bool,
    /// Everything in which it differs from the request. Empty: it applies.
    pub mismatches: Vec<Mismatch>,
}

pub(crate) fn explain<'a>(
    request: &Request<'_>,
    question: &Question<'_>,
    decision: Decision,
    readings: impl Iterator<Item = &'a Reading<'a>>,
) -> Explanation {
    let mut policies: Vec<ExplainedPolicy> = Vec::new();
    for reading in readings {
        for (name, statements) in reading.policies() {
            let explained = statements.iter().map(|found| {
                let miss = found.near_miss(question);
                ExplainedStatement {
                    statement: miss.statement,
                    denies: found.verb() == Verb::Deny,
                    mismatches: miss.mismatches,
                }
            });
            policies.push(ExplainedPolicy {
                policy_type: reading.kind,
                name: name.to_owned(),
                statements: explained.collect(),
            });
        }
    }
    Explanation {
        decision,
        resource_account: request.resource_account.to_owned(),
        policies,
    }
}

// === impl Explanation ===

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision {
            principal,
            action,
            resource,
            rule,
            ..
        } = &self.decision;
        writeln!(
            f,
            "{principal} asks for {action} on {resource} of account {}",
            self.resource_account
        )?;
        writeln!(f, "{}", self.decision)?;
        write!(f, "rule: {rule}")?;
        for policy in &self.policies {
            write!(f, "\n{policy}")?;
        }
        Ok(())
    }
}

// === impl ExplainedPolicy ===

impl fmt::Display for ExplainedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.policy_type, self.name)?;
        for statement in &self.statements {
            write!(f, "\n  {statement}")?;
        }
        Ok(())
    }
}

// === impl ExplainedStatement ===

impl fmt::Display for ExplainedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.denies { "denies" } else { "allows" };
        write!(f, "statement {}", self.statement.index)?;
        if let Some(sid) = &self.statement.sid {
            write!(f, " {sid:?}")?;
        }
        write!(f, " {verb} {}: ", self.statement.summary)?;
        if self.mismatches.is_empty() {
            return f.write_str("applies");
        }
        f.write_str("does not apply: ")?;
        for (index, mismatch) in self.mismatches.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{mismatch}")?;
        }
        Ok(())
    }
}
