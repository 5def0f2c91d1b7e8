//! What a person reads.

use iam_policy::{Policy, PolicyKind};
use insta::assert_snapshot;

use crate::ask::{Ask, bucket_policy, root, session, statement, trust_policy, user};

fn list() -> Ask {
    Ask::new(session(), "s3:ListAllMyBuckets", "arn:aws:s3:::*")
}

#[test]
fn an_allowed_request_names_the_statement() {
    let decision = list().identity(&statement("Allow", "s3:List*", "*")).decide();
    assert_snapshot!(decision, @"allowed by: statement 1 of inline policy 1 (s3:List* on *)");
}

#[test]
fn every_policy_that_had_to_allow_is_named() {
    let decision = Ask::new(user(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r")
        .identity(&statement("Allow", "sts:*", "arn:aws:iam::123456789012:role/*"))
        .boundary(&statement("Allow", "*", "*"))
        .trust(&trust_policy("Allow", r#"{"AWS": "123456789012"}"#))
        .decide();
    assert_snapshot!(decision, @"
    allowed by: statement 1 of inline policy 1 (sts:* on arn:aws:iam::123456789012:role/*)
      and by: statement 1 of trust policy (sts:AssumeRole by 123456789012)
      and by: statement 1 of the boundary (* on *)
    ");
}

#[test]
fn the_root_user_is_named_as_such() {
    assert_snapshot!(Ask::new(root("123456789012"), "s3:GetObject", "arn:aws:s3:::b/k").decide(), @"allowed: arn:aws:iam::123456789012:root is the root user of the account of the resource");
}

#[test]
fn a_caller_without_policies_is_told_so() {
    assert_snapshot!(list().decide(), @"
    denied: no identity-based policy allows s3:ListAllMyBuckets
      there is no such policy
    ");
}

#[test]
fn a_near_miss_says_what_differs_the_nearest_first() {
    let decision = Ask::new(session(), "s3:GetObject", "arn:aws:s3:::b/k")
        .identity(&statement("Allow", "ec2:*", "arn:aws:ec2:*"))
        .identity(
            r#"{"Statement": [{
                "Sid": "Office", "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"], "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.0/24"]},
                              "StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}]}"#,
        )
        .identity(&statement("Allow", "s3:GetObject", "arn:aws:s3:::other/*"))
        .key("aws:SourceIp", "10.244.1.2")
        .key("aws:RequestedRegion", "eu-west-1")
        .decide();
    assert_snapshot!(decision, @r#"
    denied: no identity-based policy allows s3:GetObject
      statement 1 "Office" of inline policy 2 (s3:GetObject, s3:PutObject, s3:ListBucket and 1 more on * if IpAddress aws:SourceIp and StringEquals aws:RequestedRegion) does not apply: IpAddress aws:SourceIp wants 192.0.2.0/24 or 198.51.100.0/24, the request has 10.244.1.2
      statement 1 of inline policy 3 (s3:GetObject on arn:aws:s3:::other/*) does not apply: the resource is arn:aws:s3:::b/k
      statement 1 of inline policy 1 (ec2:* on arn:aws:ec2:*) does not apply: the action is s3:GetObject; the resource is arn:aws:s3:::b/k
    "#);
}

#[test]
fn a_missing_external_id_is_said() {
    let trust = trust_policy("Allow", r#"{"AWS": "arn:aws:iam::123456789012:role/app/reader"}"#).replace(
        r#""Action""#,
        r#""Condition": {"StringEquals": {"sts:ExternalId": "x"}}, "Action""#,
    );
    let decision = Ask::new(session(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r")
        .trust(&trust)
        .decide();
    assert_snapshot!(decision, @"
    denied: no role trust policy allows sts:AssumeRole
      statement 1 of trust policy (sts:AssumeRole by arn:aws:iam::123456789012:role/app/reader if StringEquals sts:ExternalId) does not apply: StringEquals sts:ExternalId wants x, the request has none
    ");
}

#[test]
fn a_trust_of_the_account_alone_says_what_is_missing() {
    let decision = Ask::new(session(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r")
        .trust(&trust_policy("Allow", r#"{"AWS": "arn:aws:iam::123456789012:root"}"#))
        .decide();
    assert_snapshot!(decision, @"
    denied: no identity-based policy allows sts:AssumeRole
      statement 1 of trust policy (sts:AssumeRole by arn:aws:iam::123456789012:root) does not suffice: it names account 123456789012 only, so that an identity-based policy must allow the action too
    ");
}

#[test]
fn an_untrusted_caller_is_told_whom_the_role_trusts() {
    let decision = Ask::new(session(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r")
        .identity(&statement("Allow", "*", "*"))
        .trust(&trust_policy("Allow", r#"{"Service": "ec2.amazonaws.com"}"#))
        .decide();
    assert_snapshot!(decision, @"
    denied: no role trust policy allows sts:AssumeRole
      statement 1 of trust policy (sts:AssumeRole by ec2.amazonaws.com) does not apply: the caller is arn:aws:sts::123456789012:assumed-role/reader/pod
    ");
    assert_snapshot!(decision.reason.clause("sts:AssumeRole").unwrap(), @"because no role trust policy allows the sts:AssumeRole action");
}

#[test]
fn an_explicit_deny_names_its_statement() {
    let decision = list()
        .identity(&statement("Allow", "*", "*"))
        .identity(&statement("Deny", "s3:*", "*"))
        .decide();
    assert_snapshot!(decision, @"denied by an explicit deny in an identity-based policy: statement 1 of inline policy 2 (s3:* on *)");
    assert_snapshot!(decision.reason.clause("s3:ListAllMyBuckets").unwrap(), @"with an explicit deny in an identity-based policy");
}

#[test]
fn the_clauses_of_the_message_are_those_of_aws() {
    let allows = statement("Allow", "s3:*", "*");
    let nothing = statement("Allow", "ec2:*", "*");
    let denies = statement("Deny", "s3:*", "*");
    let clauses: Vec<String> = [
        list(),
        list().identity(&allows).boundary(&nothing),
        list().identity(&allows).session(&nothing),
        list().resource_policy(&bucket_policy("Deny", r#""*""#)),
        list().boundary(&denies),
        list().session(&denies),
    ]
    .iter()
    .filter_map(|ask| ask.decide().reason.clause("s3:ListAllMyBuckets"))
    .collect();
    assert_snapshot!(clauses.join("\n"), @"
    because no identity-based policy allows the s3:ListAllMyBuckets action
    because no permissions boundary allows the s3:ListAllMyBuckets action
    because no session policy allows the s3:ListAllMyBuckets action
    with an explicit deny in a resource-based policy
    with an explicit deny in a permissions boundary
    with an explicit deny in a session policy
    ");
}

#[test]
fn an_explanation_tells_of_every_statement_of_every_policy() {
    let explanation = Ask::new(session(), "s3:GetObject", "arn:aws:s3:::b/k")
        .identity(&statement("Allow", "s3:*", "*"))
        .identity(&statement("Deny", "s3:*", "arn:aws:s3:::secret/*"))
        .session(
            r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Office", "Effect": "Allow", "Action": "s3:*", "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]}"#,
        )
        .resource_policy(&bucket_policy("Allow", r#"{"AWS": "arn:aws:iam::123456789012:role/app/reader"}"#))
        .key("aws:SourceIp", "10.244.1.2")
        .explain();
    assert_snapshot!(explanation, @r#"
    arn:aws:sts::123456789012:assumed-role/reader/pod asks for s3:GetObject on arn:aws:s3:::b/k of account 123456789012
    denied: no session policy allows s3:GetObject
      statement 1 "Office" of session policy 1 (s3:* on * if IpAddress aws:SourceIp) does not apply: IpAddress aws:SourceIp wants 192.0.2.0/24, the request has 10.244.1.2
    rule: the policy of the resource suffices, within the permissions boundary and the session policies (Policy evaluation logic)
    identity-based policy inline policy 1
      statement 1 allows s3:* on *: applies
    identity-based policy inline policy 2
      statement 1 denies s3:* on arn:aws:s3:::secret/*: does not apply: the resource is arn:aws:s3:::b/k
    resource-based policy bucket policy
      statement 1 allows s3:* by arn:aws:iam::123456789012:role/app/reader on *: applies
    session policy session policy 1
      statement 1 "Office" allows s3:* on * if IpAddress aws:SourceIp: does not apply: IpAddress aws:SourceIp wants 192.0.2.0/24, the request has 10.244.1.2
    "#);
}

#[test]
fn more_near_misses_than_a_decision_holds_are_counted() {
    let statement = r#"{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}"#;
    let document = format!(r#"{{"Statement": [{}]}}"#, vec![statement; 40].join(","));
    let decision = list().identity(&document).decide();
    assert_eq!((decision.near_misses.len(), decision.omitted), (8, 32));
    assert!(
        decision
            .to_string()
            .ends_with("and 35 more statements that do not apply"),
        "{decision}"
    );
}

#[test]
fn a_decision_is_written_as_data() {
    let decision = list().identity(&statement("Allow", "s3:List*", "*")).decide();
    assert_snapshot!(serde_json::to_string_pretty(&decision).unwrap(), @r#"
    {
      "principal": "arn:aws:sts::123456789012:assumed-role/reader/pod",
      "action": "s3:ListAllMyBuckets",
      "resource": "arn:aws:s3:::*",
      "effect": "Allowed",
      "reason": {
        "Allows": "IdentityBased"
      },
      "rule": "SameAccount",
      "statements": [
        {
          "policy": "inline policy 1",
          "index": 1,
          "sid": null,
          "summary": "s3:List* on *"
        }
      ],
      "near_misses": [],
      "omitted": 0,
      "considered": [],
      "consulted": [
        {
          "policy_type": "IdentityBased",
          "policy": "inline policy 1",
          "statements": 1
        }
      ]
    }
    "#);
}

#[test]
fn a_refused_document_says_where_and_why() {
    let refused = |document: &str| Policy::parse(PolicyKind::Identity, document).unwrap_err().to_string();
    let set = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"ForAnyValue:Null": {"aws:x": "true"}}}]}"#;
    assert_snapshot!(refused(set), @"unsupported policy: Statement[0].Condition.ForAnyValue:Null: Null with a set operator is not implemented");
    assert_snapshot!(refused(r#"{"Statement": {"Effect": "Allow", "Action": "ListBucket", "Resource": "*"}}"#), @r#"malformed policy: Statement.Action: action "ListBucket" must be "*" or vendor:action such as "s3:ListBucket""#);
    assert_snapshot!(refused("{]"), @"malformed policy: not valid JSON: key must be a string at line 1 column 2");
}
