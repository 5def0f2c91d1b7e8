//! Asking until an answer is judged: *right, not yet, wrong*.

use std::time::Duration;

use rolecall_clock::{monotonic, since};
use rolecall_scenario::{Span, model::Expect};

use crate::{
    check::{Context, Grade, Judgement, Observed, check_all},
    run::{Due, standstill::watched},
    world::{Patience, WorldError},
};

/// How an expectation ended.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The last answer.
    pub(super) observed: Observed,
    /// What it was judged to be, at the place of the word that decided.
    pub(super) judgement: Judgement,
    pub(super) span: Span,
    pub(super) asked: u32,
    /// How long it was right before it ended.
    pub(super) held: Duration,
    pub(super) due: Due,
    /// Standstills of this machine for which what was not answered was not counted.
    pub(super) stood_still: Vec<Duration>,
}

/// How often is forgiven that nothing was answered: a machine that stands still more often can judge nothing.
const FORGIVEN: usize = 3;

/// The times of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// For how long *not yet* is forgiven.
    pub(super) within: Duration,
    /// Whether the step wrote `within`, which forgives a former state too.
    pub(super) written: bool,
    /// For how long what must hold has to stay right.
    pub(super) throughout: Duration,
    pub(super) interval: Duration,
}

impl Times {
    /// The step's own times, or the world's defaults.
    pub(super) fn of(step: &rolecall_scenario::model::Step, patience: Patience) -> Self {
        Self {
            within: step.within.as_ref().map_or(patience.within, |within| within.value),
            written: step.within.is_some(),
            throughout: step
                .throughout
                .as_ref()
                .map_or(patience.throughout, |throughout| throughout.value),
            interval: patience.interval,
        }
    }
}

/// Asks until the answer is right (and has stayed so where it must), or wrong, or the time is over.
///
/// # Errors
/// What asking itself met: the harness could not find out.
pub(super) async fn until_judged<F>(
    expect: &Expect,
    context: &Context,
    times: Times,
    mut ask: impl FnMut() -> F,
) -> Result<Outcome, WorldError>
where
    F: Future<Output = Result<Observed, WorldError>>,
{
    let must_hold = expect.all.iter().any(|word| word.must_hold());
    let start = monotonic();
    let mut right_since = None;
    let mut asked = 0;
    let mut stood_still = Vec::new();
    let mut lost = Duration::ZERO;
    loop {
        let (observed, still) = watched(ask()).await;
        let observed = observed?;
        lost += still.unwrap_or_default();
        asked += 1;
        let (judgement, span) = check_all(expect, &observed, context);
        let held = right_since.map_or(Duration::ZERO, |(from, _)| since(from));
        // Who asked, or who answered, gave up while nothing could run.
        if let Some(still) = still
            && judgement.grade != Grade::Right
            && !times.within.is_zero()
            && stood_still.len() < FORGIVEN
            && right_but_for_silence(expect, &observed, context)
        {
            stood_still.push(still);
            continue;
        }
        let end = |due| Outcome {
            observed,
            judgement: judgement.clone(),
            span,
            asked,
            held,
            due,
            stood_still: stood_still.clone(),
        };
        match judgement.grade {
            Grade::Right => {
                let (from, before) = *right_since.get_or_insert_with(|| (monotonic(), lost));
                if !must_hold || since(from) >= without(lost.saturating_sub(before), times.throughout) {
                    let mut outcome = end(Due::Throughout(times.throughout));
                    outcome.held = since(from);
                    return Ok(outcome);
                }
            }
            // It was right, and had to stay so.
            _ if right_since.is_some() => return Ok(end(Due::Throughout(times.throughout))),
            Grade::NotYet if since(start) < without(lost, times.within) => {}
            Grade::Wrong if times.written && since(start) < without(lost, times.within) => {}
            Grade::NotYet => return Ok(end(Due::Within(times.within))),
            Grade::Wrong if times.written && must_hold => return Ok(end(Due::Within(times.within))),
            Grade::Wrong | Grade::ForeignKeys if must_hold => return Ok(end(Due::Throughout(times.throughout))),
            Grade::Wrong | Grade::ForeignKeys => return Ok(end(Due::AtOnce)),
        }
        tokio::time::sleep(times.interval).await;
    }
}

/// When a time ends of which so much was lost: a step has what it was given of the time that there was. What is given none is
/// done once, whatever happens.
fn without(lost: Duration, given: Duration) -> Duration {
    if given.is_zero() { given } else { given + lost }
}

/// Whether all that was answered is right. An answer that is wrong is wrong at any time.
fn right_but_for_silence(expect: &Expect, observed: &Observed, context: &Context) -> bool {
    let heard = observed.heard();
    heard.is_none_or(|heard| check_all(expect, &heard, context).0.grade == Grade::Right)
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::VecDeque};

    use rolecall_scenario::{Spanned, model::Expectation};
    use rstest::rstest;

    use super::*;
    use crate::{
        check::{Call, CallOutcome, Record},
        run::standstill::stand_still,
    };

    const MS: Duration = Duration::from_millis(1);

    fn answer(kind: &str) -> Observed {
        let kind = kind.strip_prefix("after a standstill: ").map_or(kind, |kind| {
            stand_still();
            kind
        });
        let outcome = match kind {
            "allowed" => CallOutcome::Succeeded {
                status: 200,
                body: None,
                lists: None,
            },
            "silent" => CallOutcome::Silence("connection refused".into()),
            "InternalFailure" => CallOutcome::Failed {
                code: kind.into(),
                message: String::new(),
                status: 500,
            },
            code => CallOutcome::Failed {
                code: code.into(),
                message: String::new(),
                status: 403,
            },
        };
        let record = Record {
            refused_by_policy: kind == "AccessDenied",
            ..Record::default()
        };
        Observed::Calls(vec![Call {
            operation: "s3:ListBuckets".into(),
            outcome,
            record: Some(record),
        }])
    }

    async fn ends(word: Expectation, written: bool, answers: &[&'static str]) -> (Grade, u32) {
        ends_within(100 * MS, word, written, answers).await
    }

    async fn ends_within(within: Duration, word: Expectation, written: bool, answers: &[&'static str]) -> (Grade, u32) {
        let expect = Expect {
            span: Span::default(),
            all: vec![Spanned::new(word, Span::default())],
        };
        let times = Times {
            within,
            written,
            throughout: 100 * MS,
            interval: MS,
        };
        let rest: RefCell<VecDeque<_>> = RefCell::new(answers.iter().copied().collect());
        let last = *answers.last().unwrap_or(&"silent");
        let outcome = until_judged(&expect, &Context::default(), times, || async {
            Ok(answer(rest.borrow_mut().pop_front().unwrap_or(last)))
        })
        .await
        .expect("asking never fails here");
        (outcome.judgement.grade, outcome.asked)
    }

    fn denied() -> Expectation {
        Expectation::Denied("AccessDenied".into())
    }

    #[rstest]
    #[case::a_denial_is_not_yet_an_allowance(Expectation::Allowed, false, &["AccessDenied", "AccessDenied", "allowed"], Grade::Right)]
    #[case::silence_is_forgiven_for_within(Expectation::Allowed, false, &["silent", "allowed"], Grade::Right)]
    #[case::silence_is_not_forgiven_for_ever(Expectation::Allowed, false, &["silent"], Grade::NotYet)]
    #[case::an_allowance_is_wrong_at_once_where_a_denial_is_due(denied(), false, &["allowed", "AccessDenied"], Grade::Wrong)]
    #[case::a_written_within_forgives_a_former_state(denied(), true, &["allowed", "AccessDenied"], Grade::Right)]
    #[case::a_denial_must_stay(denied(), false, &["AccessDenied", "AccessDenied", "allowed"], Grade::Wrong)]
    #[case::a_denial_must_stay_whatever_within_forgives(denied(), true, &["AccessDenied", "allowed"], Grade::Wrong)]
    #[case::time_that_there_was_not_is_not_counted(Expectation::Allowed, false, &["after a standstill: silent", "allowed"], Grade::Right)]
    #[case::a_denial_must_be_answered(denied(), false, &["AccessDenied", "silent"], Grade::NotYet)]
    #[case::silence_of_a_machine_that_stood_still_is_no_answer(denied(), false, &["AccessDenied", "after a standstill: silent", "AccessDenied"], Grade::Right)]
    #[case::a_machine_that_stands_still_for_ever_judges_nothing(denied(), false, &["AccessDenied", "after a standstill: silent"], Grade::NotYet)]
    #[case::an_error_of_a_server_that_stood_still_is_no_answer(denied(), false, &["after a standstill: InternalFailure", "AccessDenied"], Grade::Right)]
    #[case::an_error_of_a_server_is_no_denial(denied(), false, &["InternalFailure"], Grade::Wrong)]
    #[case::a_denial_must_stay_for_time_that_there_was(denied(), false, &["AccessDenied", "after a standstill: AccessDenied", "allowed"], Grade::Wrong)]
    #[case::an_allowance_is_wrong_however_long_it_took(denied(), false, &["AccessDenied", "after a standstill: allowed", "AccessDenied"], Grade::Wrong)]
    #[case::another_error_is_no_denial(denied(), false, &["ExpiredToken"], Grade::Wrong)]
    #[tokio::test]
    async fn an_expectation_ends_as(
        #[case] word: Expectation,
        #[case] written: bool,
        #[case] answers: &'static [&'static str],
        #[case] grade: Grade,
    ) {
        assert_eq!(ends(word, written, answers).await.0, grade);
    }

    #[tokio::test]
    async fn what_need_not_hold_is_asked_once() {
        assert_eq!(ends(Expectation::Allowed, false, &["allowed"]).await, (Grade::Right, 1));
    }

    #[tokio::test]
    async fn what_is_asked_once_is_not_asked_again_after_a_standstill() {
        let answers = ["after a standstill: silent", "allowed"];
        let end = ends_within(Duration::ZERO, Expectation::Allowed, true, &answers).await;
        assert_eq!(end, (Grade::NotYet, 1));
    }

    #[tokio::test]
    async fn a_denial_is_asked_again_while_it_must_hold() {
        let (grade, asked) = ends(denied(), false, &["AccessDenied"]).await;
        assert_eq!(grade, Grade::Right);
        // On a busy machine all of the time may pass between the first and the second.
        assert!(asked > 1, "asked {asked} times");
    }
}
