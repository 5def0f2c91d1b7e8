//! What the policies of one type say to a question.

use crate::decision::{NearMiss, StatementRef};
use crate::error::EvaluateError;
use crate::principal_element::Standing;
use crate::request::Attached;
use crate::statement::{Answer, Question, Verb};

/// What the policies of one type say.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) allows: Vec<StatementRef>,
    pub(crate) denies: Vec<StatementRef>,
    pub(crate) misses: Vec<NearMiss>,
    pub(crate) considered: Vec<String>,
    /// How the allowing statements name the caller, at best.
    pub(crate) standing: Option<Standing>,
    /// The allowing statements that name no more of the caller than its account.
    pub(crate) by_account: Vec<StatementRef>,
}

// === impl Reading ===

impl Reading {
    /// Asks every statement of these policies.
    pub(crate) fn of(attached: &[Attached<'_>], question: &Question<'_>) -> Result<Self, EvaluateError> {
        let mut reading = Self::default();
        for Attached { name, policy } in attached {
            reading.considered.push(name.clone());
            for (index, statement) in policy.statements().iter().enumerate() {
                for condition in statement.conditions() {
                    if let Some((value, wanted)) = condition.unreadable(question.view) {
                        return Err(EvaluateError::Unreadable {
                            wanted,
                            policy: name.clone(),
                            index: index + 1,
                            operator: condition.operator().to_owned(),
                            key: condition.key().to_owned(),
                            value: value.to_owned(),
                        });
                    }
                }
                let reference = || StatementRef {
                    policy: name.clone(),
                    index: index + 1,
                    sid: statement.sid().map(str::to_owned),
                    summary: statement.summary(),
                };
                match (statement.answer(question), statement.verb()) {
                    (Answer::Applies(standing), Verb::Allow) => {
                        reading.standing = reading.standing.max(standing);
                        if standing == Some(Standing::Account) {
                            reading.by_account.push(reference());
                        }
                        reading.allows.push(reference());
                    }
                    (Answer::Applies(_), Verb::Deny) => reading.denies.push(reference()),
                    (Answer::Differs(mismatches), Verb::Allow) => {
                        reading.misses.push(NearMiss {
                            statement: reference(),
                            mismatches,
                        });
                    }
                    (Answer::Differs(_), Verb::Deny) => {}
                }
            }
        }
        Ok(reading)
    }

    /// As [`Self::of`]; `None` if there are no policies, which then limit nothing.
    pub(crate) fn of_any(attached: &[Attached<'_>], question: &Question<'_>) -> Result<Option<Self>, EvaluateError> {
        if attached.is_empty() {
            Ok(None)
        } else {
            Self::of(attached, question).map(Some)
        }
    }

    /// Whether a statement allows.
    pub(crate) fn allows(&self) -> bool {
        !self.allows.is_empty()
    }
}
