//! Documents and requests that are made to take long.
//!
//! Time is bounded by the shape of the algorithms; the deadlines here are loose enough for a busy machine and an unoptimised
//! build, and far below what anything exponential or quadratic in these sizes would take.

use std::time::Duration;

use iam_policy::{Policy, PolicyKind, evaluate};
use rstest::rstest;

use crate::ask::{Ask, bucket_policy, session, statement, user};

const DEADLINE: Duration = Duration::from_secs(30);

/// Runs it, and fails if it took too long.
fn in_time<T>(run: impl FnOnce() -> T) -> T {
    let start = rolecall_clock::monotonic();
    let result = run();
    let took = rolecall_clock::since(start);
    assert!(took < DEADLINE, "took {took:?}");
    result
}

fn document(statement: &str, count: usize) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
        vec![statement; count].join(",")
    )
}

const NEVER: &str = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*a*a*b"}"#;

#[test]
fn ten_thousand_statements_are_decided() {
    let document = document(NEVER, Policy::MAX_STATEMENTS);
    let ask = Ask::new(user(), "s3:GetObject", &format!("arn:aws:s3:::{}", "a".repeat(1000))).identity(&document);
    let decision = in_time(|| ask.decide());
    assert!(!decision.is_allowed());
    assert_eq!(decision.near_misses.len() + decision.omitted, Policy::MAX_STATEMENTS);
}

#[test]
fn a_statement_more_is_refused() {
    let document = document(NEVER, Policy::MAX_STATEMENTS + 1);
    let error = Policy::parse(PolicyKind::Identity, &document).unwrap_err();
    assert_eq!(error.place(), "Statement");
}

#[test]
fn a_document_of_more_than_a_mebibyte_is_refused_unread() {
    let document = " ".repeat(Policy::MAX_BYTES + 1);
    let error = in_time(|| Policy::parse(PolicyKind::Identity, &document)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "malformed policy: the document has 1048577 bytes, more than 1048576"
    );
}

#[rstest]
#[case::lists("[", "]")]
#[case::objects(r#"{"Statement":"#, "}")]
#[case::open("[[{\"a\":", "")]
fn nesting_of_any_depth_is_refused(#[case] open: &str, #[case] close: &str) {
    let times = (Policy::MAX_BYTES - 100) / (open.len() + close.len());
    let document = format!(r#"{{"Statement": {}1{}}}"#, open.repeat(times), close.repeat(times));
    assert!(in_time(|| Policy::parse(PolicyKind::Identity, &document)).is_err());
}

/// Each case: a pattern that is as hard as it can be for the value, repeated to fill a document of a mebibyte.
#[rstest]
#[case::stars("arn:aws:s3:::", "*a", "b")]
#[case::question_marks("arn:aws:s3:::", "*?a", "b")]
#[case::stars_within_a_segment("arn:aws:s3:a*a:1?1:", "*a", "b")]
#[case::stars_that_cross_segments("arn:aws:s3:*:*:", "*a:", "b")]
#[case::variables("arn:aws:s3:::", "*${aws:username}", "b")]
fn a_mebibyte_of_pathological_patterns_is_decided(#[case] start: &str, #[case] hard: &str, #[case] end: &str) {
    let pattern = format!("{start}{}{end}", hard.repeat(100));
    let count = (Policy::MAX_BYTES - 200) / (pattern.len() + 3);
    let patterns = vec![format!("{pattern:?}"); count].join(",");
    let document = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:*", "Resource": [{patterns}]}}]}}"#
    );
    let value = format!("arn:aws:s3:aa:111:{}", "a:".repeat(500));
    let ask = Ask::new(user(), "s3:GetObject", &value).identity(&document);
    assert!(!in_time(|| ask.allowed()));
}

#[test]
fn one_pattern_of_a_mebibyte_is_decided() {
    let document = statement("Allow", "s3:*", &format!("arn:aws:s3:a?:::{}b", "*a".repeat(500_000)));
    let ask = Ask::new(
        user(),
        "s3:GetObject",
        &format!("arn:aws:s3:aa:::{}", "a".repeat(100_000)),
    )
    .identity(&document);
    assert!(!in_time(|| ask.allowed()));
}

#[test]
fn many_conditions_of_many_values_are_decided() {
    let values = vec![r#""*a*a*a*b""#; 50_000].join(",");
    let document = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {{"ForAnyValue:StringLike": {{"aws:TagKeys": [{values}]}}}}}}]}}"#
    );
    let mut ask = Ask::new(user(), "s3:GetObject", "*").identity(&document);
    ask.context.set_many("aws:TagKeys", vec!["a".repeat(128); 50]);
    assert!(!in_time(|| ask.allowed()));
}

#[test]
fn many_condition_keys_are_told_apart() {
    let keys: Vec<String> = (0..30_000).map(|n| format!(r#""aws:PrincipalTag/{n}": "x""#)).collect();
    let document = format!(
        r#"{{"Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {{"StringEquals": {{{}}}}}}}]}}"#,
        keys.join(",")
    );
    let policy = Policy::parse(PolicyKind::Identity, &document).unwrap();
    assert_eq!(in_time(|| policy.condition_keys().len()), 30_000);
}

#[test]
fn ten_thousand_principals_are_looked_through() {
    let principals: Vec<String> = (0..10_000)
        .map(|n| format!(r#""arn:aws:iam::123456789012:role/{n}""#))
        .collect();
    let ask = Ask::new(session(), "s3:GetObject", "arn:aws:s3:::b/k").resource_policy(&bucket_policy(
        "Allow",
        &format!(r#"{{"AWS": [{}]}}"#, principals.join(",")),
    ));
    assert!(!in_time(|| ask.put(evaluate)).unwrap().is_allowed());
}
