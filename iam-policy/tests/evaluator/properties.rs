//! What holds for every input.

use iam_policy::{Context, Effect, Policies, Policy, PolicyKind, Principal, Reason, Request, evaluate};
use proptest::prelude::*;

use crate::ask::{Ask, HOME, bucket_policy, foreign_session, root, service, session, statement, user};

fn kinds() -> impl Strategy<Value = PolicyKind> {
    prop_oneof![
        Just(PolicyKind::Identity),
        Just(PolicyKind::Trust),
        Just(PolicyKind::Resource)
    ]
}

fn principals() -> impl Strategy<Value = Principal> {
    prop_oneof![
        Just(user()),
        Just(session()),
        Just(foreign_session()),
        Just(root(HOME)),
        Just(root("999999999999")),
        Just(service("ec2.amazonaws.com")),
        Just(Principal::Anonymous),
    ]
}

/// Words of the language and near to it, so that the parser gets past the first of them.
fn words() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "Version",
        "2012-10-17",
        "Statement",
        "Sid",
        "Effect",
        "Allow",
        "Deny",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "AWS",
        "Service",
        "Condition",
        "StringLike",
        "StringEqualsIfExists",
        "ArnLike",
        "IpAddress",
        "Bool",
        "Null",
        "aws:SourceIp",
        "aws:username",
        "*",
        "s3:*",
        "s3:Get?bject",
        "sts:AssumeRole",
        "arn:aws:s3:::*",
        "arn:aws:s3:::${aws:username}/é",
        "${",
        "${aws:x, '}'}",
        "10.0.0.0/8",
        "::/0",
        "true",
        "123456789012",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:role/a",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        4 => words().prop_map(serde_json::Value::from),
        1 => any::<bool>().prop_map(serde_json::Value::from),
        1 => any::<f64>().prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((words(), inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A well-formed statement of random patterns.
fn statements() -> impl Strategy<Value = serde_json::Value> {
    let actions = prop::collection::vec(prop_oneof![Just("*".to_owned()), "s3:[GetObjc*?]{1,8}"], 1..4);
    let resources = prop::collection::vec(prop_oneof![Just("*".to_owned()), "arn:aws:s3:::[abk/*?]{0,6}"], 1..4);
    let verb = prop_oneof![Just("Allow"), Just("Deny")];
    (verb, actions, resources, any::<bool>(), any::<bool>()).prop_map(|(verb, actions, resources, action, resource)| {
        let action = if action { "Action" } else { "NotAction" };
        let resource = if resource { "Resource" } else { "NotResource" };
        serde_json::json!({"Effect": verb, action: actions, resource: resources})
    })
}

fn documents() -> impl Strategy<Value = String> {
    prop::collection::vec(statements(), 1..4)
        .prop_map(|statements| serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string())
}

fn asks() -> impl Strategy<Value = Ask> {
    let limits = (prop::option::of(documents()), prop::collection::vec(documents(), 0..2));
    (
        principals(),
        prop::collection::vec(documents(), 0..3),
        limits,
        any::<bool>(),
    )
        .prop_map(|(principal, identity, (boundary, session), named)| {
            let mut ask = Ask::new(principal, "s3:GetObject", "arn:aws:s3:::b/k");
            (ask.identity, ask.boundary, ask.session) = (identity, boundary, session);
            if named {
                ask.resource_policy(&bucket_policy("Allow", r#""*""#))
            } else {
                ask
            }
        })
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(kind in kinds(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Policy::parse(kind, &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_json_makes_the_parser_panic(kind in kinds(), document in json()) {
        let _ = Policy::parse(kind, &document.to_string());
    }

    #[test]
    fn no_statement_makes_the_parser_panic(kind in kinds(), members in prop::collection::vec((words(), json()), 0..6)) {
        let statement: serde_json::Map<_, _> = members.into_iter().collect();
        let _ = Policy::parse(kind, &serde_json::json!({"Version": "2012-10-17", "Statement": statement}).to_string());
    }

    #[test]
    fn no_question_makes_the_evaluator_panic(
        document in documents(),
        (action, resource, account) in (any::<String>(), any::<String>(), any::<String>()),
        (arn, name) in (any::<String>(), any::<String>()),
        anybody in principals(),
    ) {
        let policy = Policy::parse(PolicyKind::Identity, &document).unwrap();
        let attached = iam_policy::Attached { name: "any".to_owned(), policy: &policy };
        let policies = Policies { identity: vec![attached], ..Policies::default() };
        let principals = [
            Principal::User { arn: arn.clone() },
            Principal::AssumedRole { role_arn: arn.clone(), session_name: name },
            Principal::Root { account: arn.clone() },
            Principal::Service(arn),
            anybody,
        ];
        let context = Context::new();
        for principal in &principals {
            for action in [action.as_str(), "s3:GetObject"] {
                let request = Request {
                    principal, action, resource: &resource, resource_account: &account, context: &context,
                };
                if let Ok(decision) = evaluate(&request, &policies) {
                    let _ = decision.to_string();
                }
            }
        }
    }

    #[test]
    fn an_explicit_deny_always_wins(ask in asks(), place in 0..4) {
        let denies = statement("Deny", "s3:Get*", "arn:aws:s3:::b/*");
        let ask = match place {
            0 => ask.identity(&denies),
            1 => ask.boundary(&denies),
            2 => ask.session(&denies),
            _ => ask.resource_policy(&bucket_policy("Deny", r#""*""#)),
        };
        let decision = ask.decide();
        prop_assert_eq!(decision.effect, Effect::ExplicitDeny);
        prop_assert!(!decision.statements.is_empty());
    }

    #[test]
    fn a_boundary_never_adds_to_what_is_allowed(ask in asks(), boundary in documents()) {
        let mut without = ask.clone();
        without.boundary = None;
        prop_assert!(!ask.boundary(&boundary).allowed() || without.allowed());
    }

    #[test]
    fn a_decision_and_its_reason_agree(ask in asks()) {
        let decision = ask.decide();
        match decision.reason {
            Reason::Allows(_) | Reason::AccountRoot => prop_assert_eq!(decision.effect, Effect::Allowed),
            Reason::NoneAllows(_) => prop_assert_eq!(decision.effect, Effect::ImplicitDeny),
            Reason::Denies(_) => prop_assert_eq!(decision.effect, Effect::ExplicitDeny),
        }
        prop_assert_eq!(decision.reason.clause("s3:GetObject").is_none(), decision.is_allowed());
    }
}
