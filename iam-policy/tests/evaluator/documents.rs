//! Which documents are accepted, and what is said of the others.

use iam_policy::ErrorCode::{Malformed, Unsupported};
use iam_policy::PolicyKind::{Identity, Resource, Trust};
use iam_policy::{ErrorCode, Policy, PolicyKind};
use rstest::rstest;

const ALLOW: &str = r#""Effect": "Allow", "Action": "s3:*", "Resource": "*""#;
const TRUST: &str = r#""Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole""#;

#[rstest]
#[case::statement_as_object(Identity, r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#)]
#[case::old_version(Identity, r#"{"Version": "2008-10-17", "Id": "x", "Statement": [{"Effect": "Deny", "Action": ["a:b", "*"], "Resource": ["*"]}]}"#)]
#[case::empty_sids(Identity, r#"{"Statement": [{"Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*"}]}"#)]
#[case::empty_condition(
    Identity,
    r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}}}"#
)]
#[case::sid_of_a_bucket(
    Resource,
    r#"{"Statement": {"Sid": "for all, really", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#
)]
#[case::both_kinds_of_principal(Trust, r#"{"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["123456789012"], "Service": "ec2.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]}"#)]
#[case::not_action(
    Trust,
    r#"{"Statement": [{"Effect": "Deny", "Principal": "*", "NotAction": "sts:TagSession"}]}"#
)]
#[case::identity_providers(Trust, r#"{"Statement": [{"Effect": "Allow", "Principal": {"Federated": ["arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EX", "accounts.google.com", "arn:aws:iam::123456789012:saml-provider/corp"]}, "Action": "sts:AssumeRoleWithWebIdentity"}]}"#)]
#[case::unique_ids(Trust, r#"{"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["AROAIOSFODNN7EXAMPLE", "AIDAIOSFODNN7EXAMPLE"]}, "Action": "sts:AssumeRole"}]}"#)]
#[case::not_principal(Resource, r#"{"Statement": [{"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": "s3:*", "Resource": "*"}]}"#)]
#[case::canonical_user(Resource, r#"{"Statement": [{"Effect": "Deny", "Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, "Action": "s3:*", "Resource": "*"}]}"#)]
#[case::binary(Identity, r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"BinaryEquals": {"a:b": "eA=="}}}}"#)]
#[case::month(Identity, r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01"}}}}"#)]
#[case::other_partition(Trust, r#"{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws-cn:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}"#)]
#[case::escaped_key(
    Identity,
    r#"{"St\u0061tement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#
)]
fn what_aws_accepts_is_accepted(#[case] kind: PolicyKind, #[case] document: &str) {
    Policy::parse(kind, document).unwrap();
}

#[rstest]
#[case::nothing("", "", Malformed)]
#[case::not_json("{", "", Malformed)]
#[case::trailing(r#"{"Statement": {}} x"#, "", Malformed)]
#[case::not_an_object("[]", "", Malformed)]
#[case::no_statement("{}", "Statement", Malformed)]
#[case::no_statements(r#"{"Statement": []}"#, "Statement", Malformed)]
#[case::statement_is_text(r#"{"Statement": ["x"]}"#, "Statement[0]", Malformed)]
#[case::version(r#"{"Version": "2012-10-18", "Statement": {}}"#, "Version", Malformed)]
#[case::version_is_a_number(r#"{"Version": 2012, "Statement": {}}"#, "Version", Malformed)]
#[case::unknown_element(r#"{"statement": []}"#, "statement", Malformed)]
#[case::repeated_element(
    r#"{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": {}}"#,
    "Version",
    Malformed
)]
#[case::repeated_in_escapes(r#"{"Statement": {}, "St\u0061tement": {}}"#, "Statement", Malformed)]
fn what_is_wrong_with_a_document_is_said_with_its_place(
    #[case] document: &str,
    #[case] place: &str,
    #[case] code: ErrorCode,
) {
    assert_refused(Identity, document, place, code);
}

#[rstest]
#[case::no_effect(r#""Action": "*", "Resource": "*""#, "", Malformed)]
#[case::effect(r#""Effect": "allow", "Action": "*", "Resource": "*""#, ".Effect", Malformed)]
#[case::repeated_effect(
    r#""Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*""#,
    ".Effect",
    Malformed
)]
#[case::no_action(r#""Effect": "Allow", "Resource": "*""#, "", Malformed)]
#[case::no_resource(r#""Effect": "Allow", "Action": "*""#, "", Malformed)]
#[case::both_actions(
    r#""Effect": "Allow", "Action": "*", "NotAction": "a:b", "Resource": "*""#,
    "",
    Malformed
)]
#[case::both_resources(
    r#""Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*""#,
    "",
    Malformed
)]
#[case::empty_actions(r#""Effect": "Allow", "Action": [], "Resource": "*""#, ".Action", Malformed)]
#[case::empty_resources(r#""Effect": "Allow", "Action": "*", "Resource": []"#, ".Resource", Malformed)]
#[case::no_vendor(
    r#""Effect": "Allow", "Action": ["s3:*", "ListBucket"], "Resource": "*""#,
    ".Action[1]",
    Malformed
)]
#[case::wildcard_vendor(r#""Effect": "Allow", "Action": "s*:*", "Resource": "*""#, ".Action", Malformed)]
#[case::no_name(r#""Effect": "Allow", "Action": "s3:", "Resource": "*""#, ".Action", Malformed)]
#[case::variable_in_action(
    r#""Effect": "Allow", "Action": "s3:${aws:username}", "Resource": "*""#,
    ".Action",
    Malformed
)]
#[case::action_is_a_number(r#""Effect": "Allow", "Action": 1, "Resource": "*""#, ".Action", Malformed)]
#[case::resource_is_no_arn(r#""Effect": "Allow", "Action": "*", "Resource": "bucket""#, ".Resource", Malformed)]
#[case::resource_is_half_an_arn(
    r#""Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3""#,
    ".Resource",
    Malformed
)]
#[case::service_with_wildcard(
    r#""Effect": "Allow", "Action": "*", "Resource": "arn:aws:s*:::b""#,
    ".Resource",
    Malformed
)]
#[case::principal(
    r#""Principal": "*", "Effect": "Allow", "Action": "*", "Resource": "*""#,
    ".Principal",
    Malformed
)]
#[case::not_principal(
    r#""NotPrincipal": "*", "Effect": "Allow", "Action": "*", "Resource": "*""#,
    ".NotPrincipal",
    Malformed
)]
#[case::sid(
    r#""Sid": "a b", "Effect": "Allow", "Action": "*", "Resource": "*""#,
    ".Sid",
    Malformed
)]
#[case::unknown_element(
    r#""Efect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*""#,
    ".Efect",
    Malformed
)]
#[case::open_variable(
    r#""Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username""#,
    ".Resource",
    Malformed
)]
#[case::odd_variable(
    r#""Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${user name}""#,
    ".Resource",
    Malformed
)]
#[case::odd_default(
    r#""Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:username, x}""#,
    ".Resource",
    Malformed
)]
fn what_is_wrong_with_a_statement_is_said_with_its_place(
    #[case] members: &str,
    #[case] place: &str,
    #[case] code: ErrorCode,
) {
    let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{{{ALLOW}}}, {{{members}}}]}}"#);
    assert_refused(Identity, &document, &format!("Statement[1]{place}"), code);
}

#[rstest]
#[case::not_an_object(r#""x""#, "", Malformed)]
#[case::unknown(r#"{"StringEqual": {"aws:x": "y"}}"#, ".StringEqual", Malformed)]
#[case::no_number(
    r#"{"NumericEquals": {"s3:max-keys": "ten"}}"#,
    ".NumericEquals.s3:max-keys",
    Malformed
)]
#[case::infinite(
    r#"{"NumericEquals": {"s3:max-keys": "inf"}}"#,
    ".NumericEquals.s3:max-keys",
    Malformed
)]
#[case::number_to_come(
    r#"{"NumericEquals": {"s3:max-keys": "${aws:EpochTime}"}}"#,
    ".NumericEquals.s3:max-keys",
    Malformed
)]
#[case::number_like(r#"{"NumericLike": {"s3:max-keys": 1}}"#, ".NumericLike", Malformed)]
#[case::no_time(
    r#"{"DateLessThan": {"aws:CurrentTime": "tomorrow"}}"#,
    ".DateLessThan.aws:CurrentTime",
    Malformed
)]
#[case::year_or_seconds(
    r#"{"DateLessThan": {"aws:CurrentTime": "2030"}}"#,
    ".DateLessThan.aws:CurrentTime",
    Malformed
)]
#[case::time_without_zone(
    r#"{"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00"}}"#,
    ".DateLessThan.aws:CurrentTime",
    Malformed
)]
#[case::no_such_day(
    r#"{"DateLessThan": {"aws:CurrentTime": "2030-02-30"}}"#,
    ".DateLessThan.aws:CurrentTime",
    Malformed
)]
#[case::no_base64(r#"{"BinaryEquals": {"aws:x": "e"}}"#, ".BinaryEquals.aws:x", Malformed)]
#[case::set_of_nothing(r#"{"ForAnyValue:Null": {"aws:x": true}}"#, ".ForAnyValue:Null", Unsupported)]
#[case::no_set(r#"{"ForSomeValue:Bool": {"aws:x": true}}"#, ".ForSomeValue:Bool", Malformed)]
#[case::two_sets(
    r#"{"ForAnyValue:ForAllValues:Bool": {"aws:x": true}}"#,
    ".ForAnyValue:ForAllValues:Bool",
    Malformed
)]
#[case::null_if_exists(r#"{"NullIfExists": {"aws:x": true}}"#, ".NullIfExists", Malformed)]
#[case::no_key(r#"{"StringEquals": {}}"#, ".StringEquals", Malformed)]
#[case::key_without_vendor(r#"{"StringEquals": {"x": "y"}}"#, ".StringEquals.x", Malformed)]
#[case::no_values(r#"{"StringEquals": {"aws:x": []}}"#, ".StringEquals.aws:x", Malformed)]
#[case::null_value(r#"{"StringEquals": {"aws:x": null}}"#, ".StringEquals.aws:x", Malformed)]
#[case::repeated_operator(r#"{"Bool": {"aws:x": true}, "Bool": {"aws:y": true}}"#, ".Bool", Malformed)]
#[case::repeated_key(r#"{"Bool": {"aws:x": true, "aws:x": false}}"#, ".Bool.aws:x", Malformed)]
#[case::bool(r#"{"Bool": {"aws:x": ["true", "yes"]}}"#, ".Bool.aws:x[1]", Malformed)]
#[case::null(r#"{"Null": {"aws:x": "no"}}"#, ".Null.aws:x", Malformed)]
#[case::half_an_arn(
    r#"{"ArnLike": {"aws:x": ["arn:aws:s3:::b", "arn:aws:*"]}}"#,
    ".ArnLike.aws:x[1]",
    Unsupported
)]
#[case::any_arn(r#"{"ArnNotLike": {"aws:x": "*"}}"#, ".ArnNotLike.aws:x", Unsupported)]
#[case::address(r#"{"IpAddress": {"aws:SourceIp": "10.0.0"}}"#, ".IpAddress.aws:SourceIp", Malformed)]
#[case::prefix(
    r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}"#,
    ".IpAddress.aws:SourceIp",
    Malformed
)]
#[case::signed_prefix(
    r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/+8"}}"#,
    ".IpAddress.aws:SourceIp",
    Malformed
)]
#[case::huge_prefix(
    r#"{"IpAddress": {"aws:SourceIp": "::/99999999999"}}"#,
    ".IpAddress.aws:SourceIp",
    Malformed
)]
fn what_is_wrong_with_a_condition_is_said_with_its_place(
    #[case] condition: &str,
    #[case] place: &str,
    #[case] code: ErrorCode,
) {
    let document = format!(r#"{{"Statement": [{{{ALLOW}, "Condition": {condition}}}]}}"#);
    assert_refused(Identity, &document, &format!("Statement[0].Condition{place}"), code);
}

#[rstest]
#[case::text(r#""123456789012""#, "", Malformed)]
#[case::list(r#"["*"]"#, "", Malformed)]
#[case::nobody("{}", "", Malformed)]
#[case::empty_list(r#"{"AWS": []}"#, ".AWS", Malformed)]
#[case::unknown_kind(r#"{"aws": "*"}"#, ".aws", Malformed)]
#[case::federated(
    r#"{"AWS": "*", "Federated": "arn:aws:iam::123456789012:role/x"}"#,
    ".Federated",
    Malformed
)]
#[case::every_provider(r#"{"Federated": "*"}"#, ".Federated", Malformed)]
#[case::canonical(r#"{"CanonicalUser": "79a5"}"#, ".CanonicalUser", Malformed)]
#[case::access_key(r#"{"AWS": "AKIAIOSFODNN7EXAMPLE"}"#, ".AWS", Malformed)]
#[case::federated_user_without_name(r#"{"AWS": "arn:aws:sts::123456789012:federated-user/"}"#, ".AWS", Malformed)]
#[case::short_account(r#"{"AWS": ["*", "12345678901"]}"#, ".AWS[1]", Malformed)]
#[case::group(r#"{"AWS": "arn:aws:iam::123456789012:group/x"}"#, ".AWS", Malformed)]
#[case::bucket(r#"{"AWS": "arn:aws:s3:::x"}"#, ".AWS", Malformed)]
#[case::no_name(r#"{"AWS": "arn:aws:iam::123456789012:role/"}"#, ".AWS", Malformed)]
#[case::wildcard_account(r#"{"AWS": "arn:aws:iam::*:role/x"}"#, ".AWS", Malformed)]
#[case::every_service(r#"{"Service": "*"}"#, ".Service", Malformed)]
#[case::service_as_aws(r#"{"AWS": "ec2.amazonaws.com"}"#, ".AWS", Malformed)]
fn what_is_wrong_with_a_principal_is_said_with_its_place(
    #[case] principal: &str,
    #[case] place: &str,
    #[case] code: ErrorCode,
) {
    let document =
        format!(r#"{{"Statement": [{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}}]}}"#);
    assert_refused(Trust, &document, &format!("Statement[0].Principal{place}"), code);
}

#[rstest]
#[case::resource(&format!(r#"{TRUST}, "Resource": "*""#), ".Resource", Malformed)]
#[case::not_resource(&format!(r#"{TRUST}, "NotResource": "*""#), ".NotResource", Malformed)]
#[case::no_principal(r#""Effect": "Allow", "Action": "sts:AssumeRole""#, "", Malformed)]
#[case::not_principal(
    r#""Effect": "Deny", "NotPrincipal": "*", "Action": "sts:AssumeRole""#,
    ".NotPrincipal",
    Malformed
)]
#[case::other_vendor(r#""Effect": "Allow", "Principal": "*", "Action": "s3:*""#, ".Action", Malformed)]
#[case::every_action(r#""Effect": "Allow", "Principal": "*", "Action": "*""#, ".Action", Malformed)]
fn what_a_trust_policy_must_not_hold_is_said_with_its_place(
    #[case] members: &str,
    #[case] place: &str,
    #[case] code: ErrorCode,
) {
    assert_refused(
        Trust,
        &format!(r#"{{"Statement": [{{{members}}}]}}"#),
        &format!("Statement[0]{place}"),
        code,
    );
}

#[rstest]
#[case::no_principal(ALLOW, "", Malformed)]
#[case::both_principals(&format!(r#"{ALLOW}, "Principal": "*", "NotPrincipal": {{"AWS": "123456789012"}}"#), "", Malformed)]
#[case::no_resource(r#""Effect": "Allow", "Principal": "*", "Action": "*""#, "", Malformed)]
fn what_a_resource_policy_must_hold_is_said_with_its_place(
    #[case] members: &str,
    #[case] place: &str,
    #[case] code: ErrorCode,
) {
    assert_refused(
        Resource,
        &format!(r#"{{"Statement": [{{{members}}}]}}"#),
        &format!("Statement[0]{place}"),
        code,
    );
}

#[test]
fn two_statements_have_different_sids() {
    let document = format!(r#"{{"Statement": [{{"Sid": "A", {ALLOW}}}, {{"Sid": "A", {ALLOW}}}]}}"#);
    assert_refused(Identity, &document, "Statement[1].Sid", Malformed);
}

#[test]
fn deep_nesting_is_refused() {
    let document = format!(r#"{{"Statement": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_refused(Identity, &document, "", Malformed);
}

#[test]
fn the_keys_that_a_policy_reads_are_told_once_each() {
    let document = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${{aws:username}}"}},
            {{{ALLOW}, "Condition": {{"StringLike": {{"s3:prefix": "${{aws:userid}}/*", "AWS:UserName": "x"}}}}}}]}}"#
    );
    let policy = Policy::parse(Identity, &document).unwrap();
    assert_eq!(policy.condition_keys(), ["aws:username", "s3:prefix", "aws:userid"]);
}

#[rstest]
#[case::nothing(Identity, r#""Resource": "*""#, false)]
#[case::a_condition(
    Identity,
    r#""Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}"#,
    true
)]
#[case::a_variable(Identity, r#""Resource": "arn:aws:s3:::${aws:username}""#, true)]
#[case::an_account(Resource, r#""Resource": "*", "Principal": {"AWS": "123456789012"}"#, false)]
#[case::a_unique_id(Resource, r#""Resource": "*", "Principal": {"AWS": "AROAIOSFODNN7EXAMPLE"}"#, true)]
#[case::a_canonical_user(
    Resource,
    r#""Resource": "*", "Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}"#,
    true
)]
fn a_policy_says_whether_it_reads_the_context(#[case] kind: PolicyKind, #[case] members: &str, #[case] reads: bool) {
    let document =
        format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "s3:*", {members}}}}}"#);
    assert_eq!(Policy::parse(kind, &document).unwrap().reads_context(), reads);
}

#[rstest]
#[case(Identity, "MalformedPolicyDocument")]
#[case(Trust, "MalformedPolicyDocument")]
#[case(Resource, "MalformedPolicy")]
fn the_code_is_that_of_the_api_that_takes_such_documents(#[case] kind: PolicyKind, #[case] code: &str) {
    assert_eq!(Policy::parse(kind, "{}").unwrap_err().aws_code(), code);
}

fn assert_refused(kind: PolicyKind, document: &str, place: &str, code: ErrorCode) {
    let error = Policy::parse(kind, document).expect_err(document);
    assert_eq!((error.place(), error.code()), (place, code), "{error}");
}
