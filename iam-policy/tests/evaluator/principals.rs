//! Whom a trust policy names, and what that is worth.

use iam_policy::Principal;
use rstest::rstest;

use crate::ask::{AWAY, Ask, HOME, foreign_session, root, service, session, statement, trust_policy, user};

const ROLE: &str = "arn:aws:iam::123456789012:role/target";

fn assume(principal: Principal, trusted: &str) -> Ask {
    Ask::new(principal, "sts:AssumeRole", ROLE).trust(&trust_policy("Allow", trusted))
}

fn may_assume(ask: Ask) -> Ask {
    ask.identity(&statement("Allow", "sts:AssumeRole", "*"))
}

/// Each case: the caller, whom the policy trusts, whether the trust alone suffices, whether it does with an
/// identity-based policy of the caller.
#[rstest]
#[case::account_root(session(), r#"{"AWS": "arn:aws:iam::123456789012:root"}"#, false, true)]
#[case::bare_account(session(), r#"{"AWS": "123456789012"}"#, false, true)]
#[case::account_of_a_user(user(), r#"{"AWS": "123456789012"}"#, false, true)]
#[case::other_account(session(), r#"{"AWS": "999999999999"}"#, false, false)]
#[case::own_role(session(), r#"{"AWS": "arn:aws:iam::123456789012:role/app/reader"}"#, true, true)]
#[case::own_role_without_its_path(session(), r#"{"AWS": "arn:aws:iam::123456789012:role/reader"}"#, false, false)]
#[case::other_role(session(), r#"{"AWS": "arn:aws:iam::123456789012:role/app/reader2"}"#, false, false)]
#[case::other_case(session(), r#"{"AWS": "arn:aws:iam::123456789012:role/app/Reader"}"#, false, false)]
#[case::own_session(
    session(),
    r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/reader/pod"}"#,
    true,
    true
)]
#[case::session_with_path(
    session(),
    r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/app/reader/pod"}"#,
    false,
    false
)]
#[case::other_session(
    session(),
    r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/reader/job"}"#,
    false,
    false
)]
#[case::wildcard_session(
    session(),
    r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/reader/*"}"#,
    false,
    false
)]
#[case::wildcard_role(session(), r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/*"}"#, false, false)]
#[case::wildcard_in_role(session(), r#"{"AWS": "arn:aws:iam::123456789012:role/*"}"#, false, false)]
#[case::own_user(user(), r#"{"AWS": "arn:aws:iam::123456789012:user/staff/alice"}"#, true, true)]
#[case::other_user(user(), r#"{"AWS": "arn:aws:iam::123456789012:user/staff/bob"}"#, false, false)]
#[case::user_is_no_role(user(), r#"{"AWS": "arn:aws:iam::123456789012:role/staff/alice"}"#, false, false)]
#[case::list(
    user(),
    r#"{"AWS": ["999999999999", "arn:aws:iam::123456789012:user/staff/alice"]}"#,
    true,
    true
)]
#[case::two_kinds(
    user(),
    r#"{"Service": "ec2.amazonaws.com", "AWS": "arn:aws:iam::123456789012:user/staff/alice"}"#,
    true,
    true
)]
#[case::account_and_role(
    session(),
    r#"{"AWS": ["123456789012", "arn:aws:iam::123456789012:role/app/reader"]}"#,
    true,
    true
)]
#[case::service_only(user(), r#"{"Service": "ec2.amazonaws.com"}"#, false, false)]
#[case::everybody(user(), r#""*""#, true, true)]
#[case::everybody_of_aws(session(), r#"{"AWS": "*"}"#, true, true)]
#[case::foreign_role(
    foreign_session(),
    r#"{"AWS": "arn:aws:iam::999999999999:role/app/reader"}"#,
    false,
    true
)]
#[case::foreign_account(foreign_session(), r#"{"AWS": "999999999999"}"#, false, true)]
#[case::foreign_session_itself(
    foreign_session(),
    r#"{"AWS": "arn:aws:sts::999999999999:assumed-role/reader/pod"}"#,
    false,
    true
)]
#[case::everybody_foreign(foreign_session(), r#""*""#, false, true)]
#[case::home_account_for_a_foreigner(foreign_session(), r#"{"AWS": "123456789012"}"#, false, false)]
fn a_trust_policy_opens_the_role_to_those_it_names(
    #[case] caller: Principal,
    #[case] trusted: &str,
    #[case] alone: bool,
    #[case] with_identity_policy: bool,
) {
    assert_eq!(assume(caller.clone(), trusted).allowed(), alone, "trust policy alone");
    assert_eq!(
        may_assume(assume(caller, trusted)).allowed(),
        with_identity_policy,
        "with an identity policy"
    );
}

#[rstest]
#[case::service(service("ec2.amazonaws.com"), r#"{"Service": "ec2.amazonaws.com"}"#, true)]
#[case::one_of_several(
    service("ec2.amazonaws.com"),
    r#"{"Service": ["ecs.amazonaws.com", "ec2.amazonaws.com"]}"#,
    true
)]
#[case::other_service(service("ec2.amazonaws.com"), r#"{"Service": "ecs.amazonaws.com"}"#, false)]
#[case::account(service("ec2.amazonaws.com"), r#"{"AWS": "123456789012"}"#, false)]
#[case::everybody(service("ec2.amazonaws.com"), r#""*""#, true)]
#[case::anonymous(Principal::Anonymous, r#"{"AWS": "123456789012"}"#, false)]
#[case::anonymous_everybody(Principal::Anonymous, r#""*""#, true)]
#[case::anonymous_everybody_of_aws(Principal::Anonymous, r#"{"AWS": "*"}"#, true)]
#[case::root(root(HOME), r#"{"AWS": "123456789012"}"#, true)]
#[case::root_of_a_role_that_trusts_others(root(HOME), r#"{"AWS": "999999999999"}"#, false)]
#[case::foreign_root(root(AWAY), r#"{"AWS": "999999999999"}"#, true)]
#[case::foreign_root_not_named(root(AWAY), r#"{"AWS": "123456789012"}"#, false)]
#[case::root_is_not_its_roles(root(HOME), r#"{"AWS": "arn:aws:iam::123456789012:role/app/reader"}"#, false)]
fn those_without_identity_policies_need_the_trust_policy_alone(
    #[case] caller: Principal,
    #[case] trusted: &str,
    #[case] allowed: bool,
) {
    assert_eq!(assume(caller, trusted).allowed(), allowed);
}

#[rstest]
#[case(r#"{"AWS": "arn:aws:iam::123456789012:root"}"#)]
#[case(r#"{"AWS": "123456789012"}"#)]
#[case(r#"{"AWS": "arn:aws:iam::123456789012:role/app/reader"}"#)]
#[case(r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/reader/pod"}"#)]
#[case(r#""*""#)]
fn a_denying_trust_policy_shuts_out_whoever_it_names(#[case] denied: &str) {
    let document = format!(
        r#"{{"Statement": [
            {{"Effect": "Allow", "Principal": {{"AWS": "*"}}, "Action": "sts:AssumeRole"}},
            {{"Effect": "Deny", "Principal": {denied}, "Action": "sts:AssumeRole"}}]}}"#
    );
    let ask = |caller| may_assume(Ask::new(caller, "sts:AssumeRole", ROLE)).trust(&document);
    assert!(!ask(session()).allowed());
    if denied != r#""*""# {
        assert!(ask(foreign_session()).allowed());
    }
}

#[rstest]
#[case(root(HOME), Some(HOME), "arn:aws:iam::123456789012:root")]
#[case(user(), Some(HOME), "arn:aws:iam::123456789012:user/staff/alice")]
#[case(session(), Some(HOME), "arn:aws:sts::123456789012:assumed-role/reader/pod")]
#[case(service("ec2.amazonaws.com"), None, "ec2.amazonaws.com")]
#[case(Principal::Anonymous, None, "anonymous")]
fn a_principal_knows_its_account_and_its_name(
    #[case] principal: Principal,
    #[case] account: Option<&str>,
    #[case] arn: &str,
) {
    assert_eq!(principal.account(), account);
    assert_eq!(principal.arn(), arn);
}

#[test]
fn a_session_of_another_partition_keeps_it() {
    let principal = Principal::AssumedRole {
        role_arn: "arn:aws-cn:iam::123456789012:role/r".to_owned(),
        session_name: "s".to_owned(),
    };
    assert_eq!(principal.arn(), "arn:aws-cn:sts::123456789012:assumed-role/r/s");
}
