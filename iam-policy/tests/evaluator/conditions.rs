//! Condition operators.

use iam_policy::{Attached, Context, EvaluateError, Policies, PolicyKind, Request, evaluate};
use rstest::rstest;

use crate::ask::{Ask, HOME, parse, session, trust_policy, user};

fn document(condition: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17",
            "Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {condition}}}}}"#
    )
}

fn ask(condition: &str) -> Ask {
    Ask::new(user(), "s3:GetObject", "arn:aws:s3:::b/k").identity(&document(condition))
}

/// Each case: the operator, the JSON of its values, the value in the request, whether it holds.
#[rstest]
#[case("StringEquals", r#""a""#, "a", true)]
#[case("StringEquals", r#""a""#, "A", false)]
#[case("StringEquals", r#"["x", "a"]"#, "a", true)]
#[case("StringEquals", r#""a*""#, "ab", false)]
#[case("StringEquals", r#""a*""#, "a*", true)]
#[case("StringEquals", "7", "7", true)]
#[case("StringEquals", "true", "true", true)]
#[case("StringNotEquals", r#""a""#, "a", false)]
#[case("StringNotEquals", r#""a""#, "b", true)]
#[case("StringNotEquals", r#"["a", "b"]"#, "b", false)]
#[case("StringEqualsIgnoreCase", r#""aB""#, "Ab", true)]
#[case("StringEqualsIgnoreCase", r#""ä""#, "Ä", true)]
#[case("StringNotEqualsIgnoreCase", r#""aB""#, "Ab", false)]
#[case("StringLike", r#""a*c""#, "abbc", true)]
#[case("StringLike", r#""a?c""#, "abbc", false)]
#[case("StringLike", r#""A*""#, "abbc", false)]
#[case("StringLike", r#""""#, "", true)]
#[case("StringNotLike", r#""a*""#, "abbc", false)]
#[case("StringNotLike", r#""a*""#, "b", true)]
#[case("StringEquals", r#""${aws:username}""#, "alice", true)]
#[case("StringEquals", r#""${aws:PrincipalTag/none}""#, "alice", false)]
#[case("StringNotEquals", r#""${aws:PrincipalTag/none}""#, "alice", true)]
#[case("StringLike", r#""${*}""#, "alice", false)]
#[case("StringLike", r#""${*}""#, "*", true)]
#[case(
    "ArnLike",
    r#""arn:aws:sns:*:123456789012:t*""#,
    "arn:aws:sns:eu-west-1:123456789012:topic",
    true
)]
#[case(
    "ArnEquals",
    r#""arn:aws:sns:*:123456789012:t*""#,
    "arn:aws:sns:eu-west-1:123456789012:topic",
    true
)]
#[case(
    "ArnLike",
    r#""${aws:PrincipalArn}""#,
    "arn:aws:iam::123456789012:user/staff/alice",
    true
)]
#[case(
    "ArnLike",
    r#""${aws:username}""#,
    "arn:aws:iam::123456789012:user/staff/alice",
    false
)]
#[case("ArnLike", r#""${aws:username}""#, "alice", false)]
#[case(
    "ArnLike",
    r#""arn:*${aws:Nothing, ''}""#,
    "arn:aws:sns:eu-west-1:123456789012:topic",
    false
)]
#[case(
    "ArnLike",
    r#""arn:*:eu-west-1:*:*:t*""#,
    "arn:aws:sns:eu-west-1:123456789012:topic",
    false
)]
#[case(
    "ArnLike",
    r#""arn:aws:sns:*:*:t*""#,
    "arn:aws:sns:eu-west-1:123456789012:topic:sub",
    true
)]
#[case("ArnLike", r#""arn:aws:sns:*:*:*""#, "topic", false)]
#[case(
    "ArnNotLike",
    r#""arn:aws:sns:*:*:t*""#,
    "arn:aws:sns:eu-west-1:123456789012:topic",
    false
)]
#[case(
    "ArnNotEquals",
    r#""arn:aws:sns:*:*:t*""#,
    "arn:aws:sns:eu-west-1:123456789012:queue",
    true
)]
#[case("Bool", r#""true""#, "true", true)]
#[case("Bool", "false", "false", true)]
#[case("Bool", r#""True""#, "TRUE", true)]
#[case("Bool", r#""true""#, "false", false)]
#[case("Bool", r#""false""#, "maybe", false)]
#[case("Null", r#""false""#, "x", true)]
#[case("Null", r#""true""#, "x", false)]
#[case("IpAddress", r#""10.244.0.0/16""#, "10.244.3.9", true)]
#[case("IpAddress", r#""10.244.0.0/16""#, "10.245.3.9", false)]
#[case("IpAddress", r#""10.244.3.9""#, "10.244.3.9", true)]
#[case("IpAddress", r#""10.244.3.9""#, "10.244.3.8", false)]
#[case("IpAddress", r#""10.244.77.1/16""#, "10.244.3.9", true)]
#[case("IpAddress", r#""0.0.0.0/0""#, "10.244.3.9", true)]
#[case("IpAddress", r#""0.0.0.0/0""#, "2001:db8::1", false)]
#[case("IpAddress", r#""::/0""#, "2001:db8::1", true)]
#[case("IpAddress", r#""2001:db8::/32""#, "2001:db8:1::1", true)]
#[case("IpAddress", r#""2001:db8::/32""#, "2001:db9::1", false)]
#[case("IpAddress", r#""10.244.0.0/16""#, "::ffff:10.244.3.9", true)]
#[case("IpAddress", r#"["192.0.2.0/24", "10.0.0.0/8"]"#, "10.244.3.9", true)]
#[case("NotIpAddress", r#""10.244.0.0/16""#, "10.244.3.9", false)]
#[case("NotIpAddress", r#""10.244.0.0/16""#, "10.245.3.9", true)]
#[case("NumericEquals", "10", "10.0", true)]
#[case("NumericEquals", r#""10""#, "9", false)]
#[case("NumericEquals", r#"["1", 9]"#, "9", true)]
#[case("NumericNotEquals", "10", "10", false)]
#[case("NumericNotEquals", "10", "9", true)]
#[case("NumericLessThan", "10", "9", true)]
#[case("NumericLessThan", "10", "10", false)]
#[case("NumericLessThan", "10", "-11", true)]
#[case("NumericLessThanEquals", "10", "10", true)]
#[case("NumericLessThanEquals", "10", "10.5", false)]
#[case("NumericGreaterThan", "10", "100", true)]
#[case("NumericGreaterThan", "10", "9", false)]
#[case("NumericGreaterThan", "10", "10", false)]
#[case("NumericGreaterThanEquals", "10", "10", true)]
#[case("NumericGreaterThanEquals", "10", "9", false)]
#[case("DateEquals", r#""2030-01-01""#, "2030-01-01T00:00:00Z", true)]
#[case("DateEquals", r#""2030-01-01T01:00:00+01:00""#, "1893456000", true)]
#[case("DateEquals", "1893456000", "2030-01-01T00:00:01Z", false)]
#[case("DateNotEquals", r#""2030-01-01""#, "2030-01-01T00:00:00Z", false)]
#[case("DateNotEquals", r#""2030-01-01""#, "2030-01-02T00:00:00Z", true)]
#[case("DateLessThan", r#""2030-01-01T00:00:00Z""#, "2029-12-31T23:59:59Z", true)]
#[case("DateLessThan", r#""2030-01-01T00:00:00Z""#, "2030-01-01T00:00:00Z", false)]
#[case("DateLessThanEquals", r#""2030-01-01T00:00:00Z""#, "2030-01-01T00:00:00Z", true)]
#[case("DateGreaterThan", r#""2030-01-01T00:00Z""#, "2030-01-01T00:00:01Z", true)]
#[case("DateGreaterThan", r#""2030-01-01T00:00:00Z""#, "2029-12-31T23:59:59Z", false)]
#[case(
    "DateGreaterThanEquals",
    r#""2030-01-01T00:00:00.5Z""#,
    "2030-01-01T00:00:00Z",
    false
)]
fn an_operator_compares_the_value_of_a_present_key(
    #[case] operator: &str,
    #[case] values: &str,
    #[case] found: &str,
    #[case] holds: bool,
) {
    let condition = format!(r#"{{"{operator}": {{"test:Key": {values}}}}}"#);
    assert_eq!(ask(&condition).key("Test:kEY", found).allowed(), holds);
    if operator != "Null" {
        let condition = format!(r#"{{"{operator}IfExists": {{"test:Key": {values}}}}}"#);
        assert_eq!(ask(&condition).key("Test:kEY", found).allowed(), holds, "with IfExists");
    }
}

#[rstest]
#[case("StringEquals", r#""a""#, false)]
#[case("StringEquals", r#""""#, false)]
#[case("StringNotEquals", r#""a""#, true)]
#[case("StringEqualsIgnoreCase", r#""a""#, false)]
#[case("StringNotEqualsIgnoreCase", r#""a""#, true)]
#[case("StringLike", r#""*""#, false)]
#[case("StringNotLike", r#""*""#, true)]
#[case("ArnLike", r#""arn:aws:s3:::*""#, false)]
#[case("ArnEquals", r#""arn:aws:s3:::*""#, false)]
#[case("ArnNotLike", r#""arn:aws:s3:::*""#, true)]
#[case("ArnNotEquals", r#""arn:aws:s3:::*""#, true)]
#[case("Bool", "false", false)]
#[case("IpAddress", r#""0.0.0.0/0""#, false)]
#[case("NotIpAddress", r#""0.0.0.0/0""#, true)]
#[case("NumericLessThan", "10", false)]
#[case("NumericNotEquals", "10", true)]
#[case("DateLessThan", "10000", false)]
#[case("DateNotEquals", "10000", true)]
fn an_absent_key_fails_every_operator_but_the_negated_ones(
    #[case] operator: &str,
    #[case] values: &str,
    #[case] holds: bool,
) {
    assert_eq!(
        ask(&format!(r#"{{"{operator}": {{"test:Key": {values}}}}}"#)).allowed(),
        holds
    );
    assert!(
        ask(&format!(r#"{{"{operator}IfExists": {{"test:Key": {values}}}}}"#)).allowed(),
        "with IfExists"
    );
}

/// Each case: the operator on the values "a" and "b*", and whether it holds for these values in the request.
#[rstest]
#[case("ForAllValues:StringEquals", &["a"], true)]
#[case("ForAllValues:StringEquals", &["a", "c"], false)]
#[case("ForAllValues:StringEquals", &[], true)]
#[case("ForAllValues:StringEqualsIfExists", &[], true)]
#[case("ForAllValues:StringLike", &["a", "bb"], true)]
#[case("ForAllValues:StringNotLike", &["c", "d"], true)]
#[case("ForAllValues:StringNotLike", &["c", "bb"], false)]
#[case("ForAllValues:StringNotLike", &[], true)]
#[case("ForAnyValue:StringEquals", &["c", "a"], true)]
#[case("ForAnyValue:StringEquals", &["c", "d"], false)]
#[case("ForAnyValue:StringEquals", &[], false)]
#[case("ForAnyValue:StringEqualsIfExists", &[], true)]
#[case("ForAnyValue:StringEqualsIfExists", &["c"], false)]
#[case("ForAnyValue:StringNotEquals", &["a", "c"], true)]
#[case("ForAnyValue:StringNotEquals", &["a"], false)]
#[case("ForAnyValue:StringNotEquals", &[], false)]
#[case("StringLike", &["c", "bb"], true)]
#[case("StringNotLike", &["c", "bb"], false)]
#[case("StringNotLike", &["c", "d"], true)]
fn a_set_operator_says_how_many_values_of_the_request_count(
    #[case] operator: &str,
    #[case] found: &[&str],
    #[case] holds: bool,
) {
    let mut ask = ask(&format!(r#"{{"{operator}": {{"aws:TagKeys": ["a", "b*"]}}}}"#));
    ask.context.set_many("aws:TagKeys", found.iter().copied());
    assert_eq!(ask.allowed(), holds);
}

#[test]
fn null_tells_absent_keys_from_present_ones() {
    assert!(ask(r#"{"Null": {"test:Key": "true"}}"#).allowed());
    assert!(!ask(r#"{"Null": {"test:Key": false}}"#).allowed());
}

#[test]
fn all_operators_and_all_keys_must_hold() {
    let condition = r#"{"StringEquals": {"test:A": "1", "test:B": "2"}, "Bool": {"test:C": true}}"#;
    let full = ask(condition)
        .key("test:A", "1")
        .key("test:B", "2")
        .key("test:C", "true");
    assert!(full.allowed());
    assert!(!full.clone().key("test:A", "x").allowed());
    assert!(!full.clone().key("test:B", "x").allowed());
    assert!(!full.clone().key("test:C", "false").allowed());
}

#[rstest]
#[case("StringEquals", true)]
#[case("StringNotEquals", false)]
fn of_several_values_in_the_request_one_match_counts(#[case] operator: &str, #[case] holds: bool) {
    let mut ask = ask(&format!(r#"{{"{operator}": {{"test:Key": "b"}}}}"#));
    ask.context.set_many("test:key", ["a", "b"]);
    assert_eq!(ask.allowed(), holds);
}

#[rstest]
#[case(Some("secret"), true)]
#[case(Some("Secret"), false)]
#[case(Some(""), false)]
#[case(None, false)]
fn a_role_with_an_external_id_is_assumed_only_with_it(#[case] given: Option<&str>, #[case] allowed: bool) {
    let trust = trust_policy("Allow", r#"{"AWS": "arn:aws:iam::123456789012:role/app/reader"}"#).replace(
        r#""Action""#,
        r#""Condition": {"StringEquals": {"sts:ExternalId": "secret"}}, "Action""#,
    );
    let mut ask = Ask::new(session(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r").trust(&trust);
    if let Some(given) = given {
        ask = ask.key("sts:ExternalId", given);
    }
    assert_eq!(ask.allowed(), allowed);
}

#[rstest]
#[case("aws:PrincipalArn", "arn:aws:iam::123456789012:role/app/reader")]
#[case("aws:PrincipalAccount", "123456789012")]
#[case("aws:PrincipalType", "AssumedRole")]
#[case("aws:ResourceAccount", "123456789012")]
#[case("aws:PrincipalIsAWSService", "false")]
#[case("aws:CurrentTime", "2026-11-24T13:49:01Z")]
#[case("aws:EpochTime", "1795528141")]
fn what_follows_from_the_request_need_not_be_set(#[case] key: &str, #[case] value: &str) {
    let condition = |value: &str| document(&format!(r#"{{"StringEquals": {{"{key}": "{value}"}}}}"#));
    let mut ask = Ask::new(session(), "s3:GetObject", "*");
    ask.context.set_time("2026-11-24T13:49:01.5Z".parse().expect("a time"));
    assert!(ask.clone().identity(&condition(value)).allowed());
    assert!(!ask.clone().identity(&condition("other")).allowed());
    assert!(
        ask.identity(&condition("other")).key(key, "other").allowed(),
        "the context has the last word"
    );
}

#[rstest]
#[case::address(r#"{"NotIpAddress": {"aws:username": "10.0.0.0/8"}}"#, "an IP address")]
#[case::number(r#"{"NumericNotEquals": {"aws:username": 1}}"#, "a number")]
#[case::time(r#"{"DateNotEquals": {"aws:username": "2030-01-01"}}"#, "a time")]
fn a_condition_on_something_else_than_it_compares_is_an_error(#[case] condition: &str, #[case] expected: &str) {
    let policy = parse(PolicyKind::Identity, &document(condition));
    let (principal, context) = (user(), Context::new());
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "*",
        resource_account: HOME,
        context: &context,
    };
    let policies = Policies {
        identity: vec![Attached {
            name: "odd".to_owned(),
            policy: &policy,
        }],
        ..Policies::default()
    };
    assert!(matches!(
        evaluate(&request, &policies),
        Err(EvaluateError::Unreadable { wanted, .. }) if wanted == expected
    ));
}

#[test]
fn a_key_without_values_is_absent() {
    let mut context = Context::new();
    context.set("a:B", "x");
    assert_eq!(context.get("A:b"), Some(["x".to_owned()].as_slice()));
    context.set_many("A:B", Vec::<String>::new());
    assert_eq!(context.get("a:b"), None);
}
