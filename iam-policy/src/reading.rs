//! What the policies of one type say to a question.

use crate::decision::{Consulted, NearMiss, PolicyType, StatementRef};
use crate::error::EvaluateError;
use crate::principal_element::Standing;
use crate::request::Attached;
use crate::statement::{Answer, Question, Statement, Verb};

/// What the policies of one type say. It points at the statements; nothing is written down before it is known what has to be.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) kind: PolicyType,
    attached: &'a [Attached<'a>],
    pub(crate) allows: Vec<Found<'a>>,
    pub(crate) denies: Vec<Found<'a>>,
    /// The allowing statements about the action that do not apply for another reason.
    misses: Vec<Found<'a>>,
    /// How many allowing statements are about other actions.
    others: usize,
    /// How the allowing statements name the caller, at best.
    pub(crate) standing: Option<Standing>,
}

/// A statement of an attached policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    policy: &'a str,
    /// Counted from 1.
    index: usize,
    statement: &'a Statement,
    standing: Option<Standing>,
}

// === impl Reading ===

impl<'a> Reading<'a> {
    /// Asks every statement of these policies.
    pub(crate) fn of(
        kind: PolicyType,
        attached: &'a [Attached<'a>],
        question: &Question<'_>,
    ) -> Result<Self, EvaluateError> {
        let mut reading = Self {
            kind,
            attached,
            allows: Vec::new(),
            denies: Vec::new(),
            misses: Vec::new(),
            others: 0,
            standing: None,
        };
        for (policy, index, statement) in statements(attached) {
            if statement.lacks_canonical_user(question) {
                return Err(EvaluateError::CanonicalUserUnknown {
                    policy: policy.to_owned(),
                    index,
                });
            }
            let mut found = Found {
                policy,
                index,
                statement,
                standing: None,
            };
            let allows = statement.verb() == Verb::Allow;
            match statement.answer(question) {
                Answer::Applies(standing) => found.standing = standing,
                Answer::Differs { about_the_action } => {
                    if allows && about_the_action {
                        reading.misses.push(found);
                    }
                    reading.others += usize::from(allows && !about_the_action);
                    continue;
                }
                Answer::Unreadable {
                    condition,
                    value,
                    wanted,
                } => {
                    return Err(EvaluateError::Unreadable {
                        wanted,
                        policy: policy.to_owned(),
                        index,
                        operator: condition.operator().to_owned(),
                        key: condition.key().to_owned(),
                        value: value.to_owned(),
                    });
                }
            }
            if allows {
                reading.standing = reading.standing.max(found.standing);
                reading.allows.push(found);
            } else {
                reading.denies.push(found);
            }
        }
        Ok(reading)
    }

    /// Whether a statement allows.
    pub(crate) fn allows(&self) -> bool {
        !self.allows.is_empty()
    }

    /// The allowing statements that name no more of the caller than its account.
    pub(crate) fn by_account(&self) -> impl Iterator<Item = &Found<'a>> {
        let account = |found: &&Found<'_>| found.standing == Some(Standing::Account);
        self.allows.iter().filter(account)
    }

    /// The allowing statements about the action that do not apply, each with the number of its differences.
    pub(crate) fn misses(&self, question: &Question<'_>) -> impl Iterator<Item = (usize, Found<'a>)> {
        let misses = self.misses.iter();
        misses.map(|found| (found.statement.distance(question), *found))
    }

    /// How many statements [`misses`](Self::misses) and [`by_account`](Self::by_account) are together.
    pub(crate) fn differing(&self) -> usize {
        self.misses.len() + self.by_account().count()
    }

    /// The allowing statements about other actions, and how many they are.
    pub(crate) fn others(&self, question: &Question<'_>) -> (usize, impl Iterator<Item = Found<'a>>) {
        let about = |found: &Found<'_>| {
            found.verb() == Verb::Allow
                && matches!(
                    found.statement.answer(question),
                    Answer::Differs {
                        about_the_action: false
                    }
                )
        };
        (self.others, self.policies().flat_map(|(_, found)| found).filter(about))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.attached.iter().map(|attached| attached.name.clone())
    }

    pub(crate) fn consulted(&self) -> impl Iterator<Item = Consulted> {
        self.attached.iter().map(|attached| Consulted {
            policy_type: self.kind,
            policy: attached.name.clone(),
            statements: attached.policy.statements().len(),
        })
    }

    /// Each of these policies with its statements.
    pub(crate) fn policies(&self) -> impl Iterator<Item = (&'a str, Vec<Found<'a>>)> {
        self.attached.iter().map(|attached| {
            let found = statements(std::slice::from_ref(attached)).map(|(policy, index, statement)| Found {
                policy,
                index,
                statement,
                standing: None,
            });
            (attached.name.as_str(), found.collect())
        })
    }
}

// === impl Found ===

impl Found<'_> {
    pub(crate) fn reference(&self) -> StatementRef {
        StatementRef {
            policy: self.policy.to_owned(),
            index: self.index,
            sid: self.statement.sid().map(str::to_owned),
            summary: self.statement.summary(),
        }
    }

    pub(crate) fn near_miss(&self, question: &Question<'_>) -> NearMiss {
        NearMiss {
            statement: self.reference(),
            mismatches: self.statement.mismatches(question),
        }
    }

    pub(crate) fn verb(&self) -> Verb {
        self.statement.verb()
    }
}

fn statements<'a>(attached: &'a [Attached<'a>]) -> impl Iterator<Item = (&'a str, usize, &'a Statement)> {
    attached.iter().flat_map(|Attached { name, policy }| {
        let statements = policy.statements().iter().enumerate();
        statements.map(|(index, statement)| (name.as_str(), index + 1, statement))
    })
}
