//! How policies of different types combine.

use iam_policy::PolicyType::{IdentityBased, PermissionsBoundary, ResourceBased, RoleTrust, Session};
use iam_policy::{
    Attached, Context, Effect, EvaluateError, Policies, PolicyKind, PolicyType, Principal, Reason, Request, evaluate,
};
use rstest::rstest;

use crate::ask::{
    AWAY, Ask, HOME, bucket_policy, federated, foreign_session, parse, root, service, session, statement, trust_policy,
    user,
};

const BY_ACCOUNT: &str = r#"{"AWS": ["arn:aws:iam::123456789012:root", "999999999999"]}"#;
const BY_ROLE: &str =
    r#"{"AWS": ["arn:aws:iam::123456789012:role/app/reader", "arn:aws:iam::999999999999:role/app/reader"]}"#;
const BY_SESSION: &str = r#"{"AWS": ["arn:aws:sts::123456789012:assumed-role/reader/pod", "arn:aws:sts::999999999999:assumed-role/reader/pod"]}"#;
const BY_USER: &str = r#"{"AWS": "arn:aws:iam::123456789012:user/staff/alice"}"#;
const BY_FEDERATED: &str = r#"{"AWS": "arn:aws:sts::123456789012:federated-user/carol"}"#;
const EVERYBODY: &str = r#""*""#;

fn get(principal: Principal) -> Ask {
    Ask::new(principal, "s3:GetObject", "arn:aws:s3:::b/k")
}

/// Adds the policies named by letters: `i`dentity, `b`oundary, `s`ession allow the action; a capital letter is a
/// policy of that type about something else.
fn with(mut ask: Ask, policies: &str) -> Ask {
    let allows = statement("Allow", "s3:*", "*");
    let other = statement("Allow", "ec2:*", "*");
    for letter in policies.chars() {
        ask = match letter {
            'i' => ask.identity(&allows),
            'I' => ask.identity(&other),
            'b' => ask.boundary(&allows),
            'B' => ask.boundary(&other),
            's' => ask.session(&allows),
            'S' => ask.session(&other),
            _ => panic!("no policy is called {letter}"),
        };
    }
    ask
}

#[rstest]
#[case("", Err(IdentityBased))]
#[case("I", Err(IdentityBased))]
#[case("i", Ok(IdentityBased))]
#[case("Ii", Ok(IdentityBased))]
#[case("b", Err(IdentityBased))]
#[case("bs", Err(IdentityBased))]
#[case("ib", Ok(IdentityBased))]
#[case("iB", Err(PermissionsBoundary))]
#[case("is", Ok(IdentityBased))]
#[case("iS", Err(Session))]
#[case("iSs", Ok(IdentityBased))]
#[case("ibs", Ok(IdentityBased))]
#[case("ibS", Err(Session))]
#[case("iBs", Err(PermissionsBoundary))]
#[case("iBS", Err(PermissionsBoundary))]
fn without_a_resource_policy_every_type_must_allow(
    #[case] policies: &str,
    #[case] outcome: Result<PolicyType, PolicyType>,
    #[values(user(), session())] principal: Principal,
) {
    assert_outcome(&with(get(principal), policies), outcome);
}

#[rstest]
// The account only hands the decision on.
#[case(session(), BY_ACCOUNT, "", Err(IdentityBased))]
#[case(session(), BY_ACCOUNT, "i", Ok(IdentityBased))]
#[case(session(), BY_ACCOUNT, "iB", Err(PermissionsBoundary))]
// The role needs no identity-based policy, but its limits hold.
#[case(session(), BY_ROLE, "", Ok(ResourceBased))]
#[case(session(), BY_ROLE, "I", Ok(ResourceBased))]
#[case(session(), BY_ROLE, "bs", Ok(ResourceBased))]
#[case(session(), BY_ROLE, "B", Err(PermissionsBoundary))]
#[case(session(), BY_ROLE, "S", Err(Session))]
#[case(session(), BY_ROLE, "iS", Err(Session))]
// The session itself is above its limits.
#[case(session(), BY_SESSION, "", Ok(ResourceBased))]
#[case(session(), BY_SESSION, "BS", Ok(ResourceBased))]
// So is a user above its boundary.
#[case(user(), BY_USER, "", Ok(ResourceBased))]
#[case(user(), BY_USER, "B", Ok(ResourceBased))]
#[case(user(), BY_USER, "S", Err(Session))]
#[case(user(), BY_ROLE, "", Err(IdentityBased))]
#[case(user(), BY_ROLE, "i", Ok(IdentityBased))]
// A federated user is above its session policies by its own name, by that of the user it is not.
#[case(federated(), BY_FEDERATED, "S", Ok(ResourceBased))]
#[case(federated(), BY_USER, "s", Ok(ResourceBased))]
#[case(federated(), BY_USER, "S", Err(Session))]
#[case(federated(), BY_ROLE, "s", Err(IdentityBased))]
#[case(federated(), BY_ROLE, "is", Ok(IdentityBased))]
#[case(federated(), BY_ROLE, "iS", Err(Session))]
#[case(user(), BY_FEDERATED, "", Err(IdentityBased))]
#[case(session(), EVERYBODY, "", Ok(ResourceBased))]
#[case(session(), EVERYBODY, "B", Err(PermissionsBoundary))]
#[case(session(), EVERYBODY, "S", Err(Session))]
#[case(user(), EVERYBODY, "B", Err(PermissionsBoundary))]
// Other accounts need both sides, however closely they are named.
#[case(foreign_session(), BY_ACCOUNT, "", Err(IdentityBased))]
#[case(foreign_session(), BY_ACCOUNT, "i", Ok(IdentityBased))]
#[case(foreign_session(), BY_ROLE, "", Err(IdentityBased))]
#[case(foreign_session(), BY_ROLE, "i", Ok(IdentityBased))]
#[case(foreign_session(), BY_SESSION, "", Err(IdentityBased))]
#[case(foreign_session(), BY_SESSION, "iB", Err(PermissionsBoundary))]
#[case(foreign_session(), BY_SESSION, "iS", Err(Session))]
#[case(foreign_session(), EVERYBODY, "", Err(IdentityBased))]
#[case(foreign_session(), EVERYBODY, "i", Ok(IdentityBased))]
#[case(foreign_session(), BY_USER, "i", Err(ResourceBased))]
// Those without identity-based policies.
#[case(Principal::Anonymous, EVERYBODY, "", Ok(ResourceBased))]
#[case(Principal::Anonymous, BY_ACCOUNT, "i", Err(ResourceBased))]
#[case(service("ec2.amazonaws.com"), BY_ACCOUNT, "i", Err(ResourceBased))]
#[case(
    service("ec2.amazonaws.com"),
    r#"{"Service": "ec2.amazonaws.com"}"#,
    "",
    Ok(ResourceBased)
)]
#[case(root(AWAY), BY_ACCOUNT, "", Ok(ResourceBased))]
#[case(root(AWAY), BY_USER, "", Err(ResourceBased))]
fn a_bucket_policy_adds_to_or_limits_what_the_caller_has(
    #[case] principal: Principal,
    #[case] named: &str,
    #[case] policies: &str,
    #[case] outcome: Result<PolicyType, PolicyType>,
) {
    assert_outcome(
        &with(get(principal), policies).resource_policy(&bucket_policy("Allow", named)),
        outcome,
    );
}

#[test]
fn without_any_policy_of_the_resource_other_accounts_have_nothing() {
    assert_outcome(&with(get(foreign_session()), "i"), Err(ResourceBased));
    assert_outcome(&get(Principal::Anonymous), Err(ResourceBased));
    assert_outcome(&get(root(AWAY)), Err(ResourceBased));
}

#[test]
fn the_root_user_may_do_everything_in_its_account_unless_the_resource_denies() {
    let decision = get(root(HOME)).decide();
    assert_eq!(
        (decision.effect, decision.reason),
        (Effect::Allowed, Reason::AccountRoot)
    );
    let decision = get(root(HOME))
        .resource_policy(&bucket_policy("Allow", BY_USER))
        .decide();
    assert_eq!(decision.reason, Reason::AccountRoot);
    let decision = get(root(HOME))
        .resource_policy(&bucket_policy("Deny", BY_ACCOUNT))
        .decide();
    assert_eq!(decision.reason, Reason::Denies(ResourceBased));
    assert_outcome(&with(get(root(HOME)), "S"), Err(Session));
}

#[rstest]
#[case(IdentityBased)]
#[case(PermissionsBoundary)]
#[case(Session)]
#[case(ResourceBased)]
fn a_deny_in_any_policy_beats_every_allow(#[case] kind: PolicyType) {
    let denies = statement("Deny", "s3:GetObject", "*");
    let allows = with(get(session()), "ibs").resource_policy(&bucket_policy("Allow", BY_SESSION));
    let ask = match kind {
        IdentityBased => allows.identity(&denies),
        PermissionsBoundary => allows.boundary(&denies),
        Session => allows.session(&denies),
        _ => allows.resource_policy(&bucket_policy("Deny", BY_ACCOUNT)),
    };
    let decision = ask.decide();
    assert_eq!(
        (decision.effect, decision.reason),
        (Effect::ExplicitDeny, Reason::Denies(kind))
    );
    assert_eq!(decision.statements.len(), 1);
}

#[rstest]
#[case::nobody_is_trusted("i", r#"{"AWS": "999999999999"}"#, Err(RoleTrust))]
#[case::only_a_service_is_trusted("i", r#"{"Service": "ec2.amazonaws.com"}"#, Err(RoleTrust))]
#[case::account("", r#"{"AWS": "123456789012"}"#, Err(IdentityBased))]
#[case::account_and_identity("i", r#"{"AWS": "123456789012"}"#, Ok(IdentityBased))]
#[case::named("", BY_USER, Ok(RoleTrust))]
#[case::the_boundary_limits_a_trusted_user("B", BY_USER, Err(PermissionsBoundary))]
#[case::the_session_policy_limits_too("S", BY_USER, Err(Session))]
fn no_identity_policy_opens_a_role_that_does_not_trust(
    #[case] policies: &str,
    #[case] trusted: &str,
    #[case] outcome: Result<PolicyType, PolicyType>,
) {
    let mut ask =
        Ask::new(user(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r").trust(&trust_policy("Allow", trusted));
    if policies.contains('i') {
        ask = ask.identity(&statement("Allow", "*", "*"));
    }
    assert_outcome(&with(ask, &policies.replace('i', "")), outcome);
}

#[test]
fn of_several_statements_the_one_that_names_the_caller_closest_counts() {
    let statement = |named: &str| format!(r#"{{"Effect": "Allow", "Principal": {named}, "Action": "sts:AssumeRole"}}"#);
    for [first, second] in [[BY_ROLE, BY_ACCOUNT], [BY_ACCOUNT, BY_ROLE]] {
        let document = format!(r#"{{"Statement": [{}, {}]}}"#, statement(first), statement(second));
        let ask = Ask::new(session(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r").trust(&document);
        assert_outcome(&ask, Ok(RoleTrust));
    }
}

#[test]
fn the_session_itself_is_limited_when_it_assumes_a_role() {
    let ask = Ask::new(session(), "sts:AssumeRole", "arn:aws:iam::123456789012:role/r")
        .trust(&trust_policy("Allow", BY_SESSION));
    assert_outcome(&ask, Ok(RoleTrust));
    assert_outcome(&with(ask.clone(), "S"), Err(Session));
    assert_outcome(&with(ask, "B"), Err(PermissionsBoundary));
}

#[test]
fn a_decision_names_every_statement_that_had_to_allow() {
    let decision = with(get(foreign_session()), "ibs")
        .resource_policy(&bucket_policy("Allow", BY_ROLE))
        .decide();
    let names: Vec<_> = decision
        .statements
        .iter()
        .map(|statement| statement.policy.as_str())
        .collect();
    assert_eq!(
        names,
        ["inline policy 1", "bucket policy", "the boundary", "session policy 1"]
    );
    let decision = with(get(session()), "bs")
        .resource_policy(&bucket_policy("Allow", BY_SESSION))
        .decide();
    let names: Vec<_> = decision
        .statements
        .iter()
        .map(|statement| statement.policy.as_str())
        .collect();
    assert_eq!(
        names,
        ["bucket policy"],
        "the limits do not hold for the session itself"
    );
}

#[rstest]
#[case::no_vendor("GetObject", user(), EvaluateError::MalformedAction("GetObject".to_owned()))]
#[case::wildcard("s3:*", user(), EvaluateError::MalformedAction("s3:*".to_owned()))]
#[case::a_session_is_no_user(
    "s3:GetObject",
    Principal::User { arn: "arn:aws:sts::123456789012:assumed-role/r/s".to_owned() },
    EvaluateError::MalformedPrincipal("arn:aws:sts::123456789012:assumed-role/r/s".to_owned()))]
#[case::sts_has_no_users(
    "s3:GetObject",
    Principal::User { arn: "arn:aws:sts::123456789012:user/x".to_owned() },
    EvaluateError::MalformedPrincipal("arn:aws:sts::123456789012:user/x".to_owned()))]
#[case::a_name_is_no_role(
    "s3:GetObject",
    Principal::AssumedRole { role_arn: "reader".to_owned(), session_name: "s".to_owned() },
    EvaluateError::MalformedPrincipal("reader".to_owned()))]
#[case::no_account(
    "s3:GetObject",
    Principal::Root { account: String::new() },
    EvaluateError::MalformedPrincipal("arn:aws:iam:::root".to_owned()))]
#[case::no_trust_policy(
    "sts:AssumeRole", user(), EvaluateError::TrustPolicyMissing { action: "sts:AssumeRole".to_owned() })]
fn a_senseless_question_is_an_error_and_no_decision(
    #[case] action: &str,
    #[case] principal: Principal,
    #[case] error: EvaluateError,
) {
    let policy = parse(PolicyKind::Identity, &statement("Allow", "*", "*"));
    let policies = Policies {
        identity: vec![Attached {
            name: "all".to_owned(),
            policy: &policy,
        }],
        ..Policies::default()
    };
    let context = Context::new();
    let request = Request {
        principal: &principal,
        action,
        resource: "*",
        resource_account: HOME,
        context: &context,
    };
    assert_eq!(evaluate(&request, &policies), Err(error));
}

#[rstest]
fn a_policy_in_the_wrong_place_is_an_error(#[values("identity", "boundary", "session", "resource")] place: &str) {
    let identity = parse(PolicyKind::Identity, &statement("Allow", "*", "*"));
    let bucket = parse(PolicyKind::Resource, &bucket_policy("Allow", EVERYBODY));
    let attach = |policy| Attached {
        name: "misplaced".to_owned(),
        policy,
    };
    let mut policies = Policies::default();
    match place {
        "identity" => policies.identity.push(attach(&bucket)),
        "boundary" => policies.boundary = Some(attach(&bucket)),
        "session" => policies.session.push(attach(&bucket)),
        _ => policies.resource = Some(attach(&identity)),
    }
    let (principal, context) = (user(), Context::new());
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "*",
        resource_account: HOME,
        context: &context,
    };
    let error = evaluate(&request, &policies).expect_err("it is misplaced");
    assert!(
        matches!(&error, EvaluateError::WrongKind { name, .. } if name == "misplaced"),
        "{error}"
    );
}

fn assert_outcome(ask: &Ask, outcome: Result<PolicyType, PolicyType>) {
    let decision = ask.decide();
    let expected = match outcome {
        Ok(kind) => (Effect::Allowed, Reason::Allows(kind)),
        Err(kind) => (Effect::ImplicitDeny, Reason::NoneAllows(kind)),
    };
    assert_eq!((decision.effect, decision.reason), expected, "{decision}");
}
