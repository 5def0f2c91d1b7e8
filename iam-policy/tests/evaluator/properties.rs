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
        "Federated",
        "CanonicalUser",
        "AROAIOSFODNN7EXAMPLE",
        "accounts.google.com",
        "Condition",
        "BinaryEquals",
        "DateLessThan",
        "NumericEquals",
        "ForAnyValue:StringLike",
        "aws:CurrentTime",
        "${aws:PrincipalTag/a b, 'c'}",
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

/// A condition of any operator on a key that may be present, with values that it can read.
fn conditions() -> impl Strategy<Value = serde_json::Value> {
    let operators = prop::sample::select(vec![
        ("StringEquals", "a*"),
        ("StringNotLike", "a?${aws:username}"),
        ("StringNotEqualsIgnoreCase", "A"),
        ("ArnLike", "arn:aws:iam::*:user/*"),
        ("ArnNotEquals", "arn:aws:iam::123456789012:user/staff/alice"),
        ("Bool", "true"),
        ("BinaryEquals", "YWI="),
        ("IpAddress", "10.0.0.0/8"),
        ("NotIpAddress", "2001:db8::/32"),
        ("NumericLessThan", "5"),
        ("NumericNotEquals", "5.0"),
        ("DateGreaterThanEquals", "2030-01-01T00:00:00Z"),
        ("Null", "true"),
    ]);
    let keys = prop::sample::select(vec!["test:A", "test:B", "aws:PrincipalArn", "aws:PrincipalType"]);
    (operators, keys, 0..3, any::<bool>()).prop_map(|((operator, value), key, set, if_exists)| {
        let set = if operator == "Null" {
            ""
        } else {
            ["", "ForAllValues:", "ForAnyValue:"][set as usize]
        };
        let if_exists = if if_exists && operator != "Null" {
            "IfExists"
        } else {
            ""
        };
        serde_json::json!({format!("{set}{operator}{if_exists}"): {key: value}})
    })
}

/// A statement of a bucket policy with conditions and somebody in `Principal` or `NotPrincipal`.
fn bucket_statements() -> impl Strategy<Value = serde_json::Value> {
    let somebody = prop::sample::select(vec![
        serde_json::json!("*"),
        serde_json::json!({"AWS": "123456789012"}),
        serde_json::json!({"AWS": ["arn:aws:iam::123456789012:user/staff/alice", "123456789012"]}),
        serde_json::json!({"AWS": "arn:aws:iam::123456789012:role/app/reader"}),
        serde_json::json!({"AWS": "arn:aws:sts::123456789012:assumed-role/reader/pod", "Service": "ec2.amazonaws.com"}),
        serde_json::json!({"Federated": "accounts.google.com"}),
        serde_json::json!({"AWS": "AIDAIOSFODNN7EXAMPLE"}),
    ]);
    (statements(), somebody, any::<bool>(), prop::option::of(conditions())).prop_map(
        |(mut statement, somebody, negated, condition)| {
            statement[if negated { "NotPrincipal" } else { "Principal" }] = somebody;
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        },
    )
}

/// Whether a resource pattern matches, one character after the other, straight from the guide's words.
fn resource_matches(pattern: &[char], value: &[char], segment: usize) -> bool {
    match pattern {
        [] => value.is_empty(),
        ['*', rest @ ..] => {
            let ends_segment = matches!(rest, [] | [':', ..]) || segment >= 5;
            if let ['*', ..] = rest {
                return resource_matches(rest, value, segment);
            }
            (0..=value.len())
                .take_while(|end| ends_segment || !value[..*end].contains(&':'))
                .any(|end| resource_matches(rest, &value[end..], segment))
        }
        ['?', rest @ ..] => match value {
            [c, after @ ..] if segment >= 5 || *c != ':' => resource_matches(rest, after, segment),
            _ => false,
        },
        [c, rest @ ..] => {
            value.first() == Some(c) && resource_matches(rest, &value[1..], segment + usize::from(*c == ':'))
        }
    }
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
    fn a_resource_pattern_matches_as_the_guide_has_it(
        pattern in "[ab:*?]{0,12}", value in "[ab:é]{0,14}", start in 0..3,
    ) {
        let start = ["arn:aws:s3:", "arn:aws:s3:::", "arn:a*:s3:"][start as usize];
        let pattern = format!("{start}{pattern}");
        prop_assume!(pattern.contains('*') || pattern.matches(':').count() >= 5);
        let value = format!("arn:aws:s3:{value}");
        let (wanted, given): (Vec<char>, Vec<char>) = (pattern.chars().collect(), value.chars().collect());
        let ask = Ask::new(user(), "s3:GetObject", &value).identity(&statement("Allow", "*", &pattern));
        prop_assert_eq!(ask.allowed(), resource_matches(&wanted, &given, 0));
    }

    #[test]
    fn every_question_about_readable_values_is_decided_and_explained_alike(
        ask in asks(),
        documents in prop::collection::vec(bucket_statements(), 1..4),
        (first, second) in (prop::option::of("[a5]{1,2}"), prop::option::of("[ab]{1,2}")),
    ) {
        let mut ask = ask.resource_policy(&serde_json::json!({"Version": "2012-10-17", "Statement": documents}).to_string());
        ask.context.set_many("test:a", first);
        ask.context.set_many("test:b", second);
        match (ask.put(evaluate), ask.put(iam_policy::explain)) {
            (Ok(decision), Ok(explanation)) => {
                let _ = explanation.to_string();
                prop_assert_eq!(&decision, &explanation.decision);
                let applied: Vec<_> = explanation.policies.iter().flat_map(|policy| &policy.statements)
                    .filter(|statement| statement.mismatches.is_empty()).map(|statement| &statement.statement).collect();
                for statement in &decision.statements {
                    prop_assert!(applied.contains(&statement));
                }
                for miss in &decision.near_misses {
                    prop_assert!(!miss.mismatches.is_empty());
                }
            }
            // A key that a condition cannot read, such as an ARN as a number.
            (Err(error), Err(same)) => {
                let unreadable = matches!(error, iam_policy::EvaluateError::Unreadable { .. });
                prop_assert!(unreadable, "{error}");
                prop_assert_eq!(error, same);
            }
            (decision, explanation) => prop_assert!(false, "{decision:?} but {explanation:?}"),
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
