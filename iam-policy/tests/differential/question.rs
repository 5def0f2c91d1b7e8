//! A random question: who asks for what under which policies.

use iam_policy::{Attached, Context, Policies, Policy, PolicyKind, Principal, Request, evaluate};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde_json::{Value, json};

/// The account of most resources, and another.
const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";

const ACTIONS: [&str; 5] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "ec2:StartInstances",
    "sqs:SendMessage",
];
const ACTION_PATTERNS: [&str; 14] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:*Object",
    "s3:?etObject",
    "S3:getobject",
    "s3:PutObject",
    "s3:List*",
    "ec2:*",
    "ec2:Start*",
    "sqs:SendMessage",
    "sqs:?end*",
    "s3:*e*t*",
    "iam:*",
];
const RESOURCES: [&str; 6] = [
    "arn:aws:s3:::bucket/key",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::other/home/alice/x",
    "arn:aws:ec2:eu-west-1:111122223333:instance/i-1",
    "arn:aws:sqs:eu-west-1:111122223333:queue",
    "arn:aws:s3:::bucket/a:b:c",
];
const RESOURCE_PATTERNS: [&str; 14] = [
    "*",
    "*",
    "*",
    "arn:aws:s3:::bucket/*",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::b*",
    "arn:aws:s3:::*/home/*/x",
    "arn:aws:s3:::bucket/k?y",
    "arn:aws:s3:::Bucket/*",
    "arn:aws:ec2:*:*:instance/*",
    "arn:aws:ec2:eu-*-1:*:instance/i-?",
    "arn:aws:sqs:*:111122223333:q*",
    "arn:aws:sqs:*",
    "arn:aws:s3:::bucket/a*c",
];
/// Patterns on which differences are known; they are kept rare, so that most questions have none.
const ODD_PATTERNS: [&str; 3] = [
    "arn:aws:s3:::other/home/${aws:username}/*",
    "arn:aws:s3:::bucket/${*}",
    "arn:aws:ec2:eu*3:instance/i-1",
];
/// Operators with values for the keys of [`Question::random`]'s contexts.
const CONDITIONS: [(&str, &str, &[&str]); 33] = [
    ("StringEquals", "t:text", &["a", "b"]),
    ("StringEquals", "t:text", &["a"]),
    ("StringNotEquals", "t:text", &["a", "b"]),
    ("StringEqualsIgnoreCase", "t:text", &["A"]),
    ("StringNotEqualsIgnoreCase", "t:text", &["A", "C"]),
    ("StringLike", "t:text", &["a*", "?"]),
    ("StringNotLike", "t:text", &["a*"]),
    ("StringEquals", "aws:PrincipalAccount", &[HOME]),
    ("StringEquals", "aws:PrincipalType", &["AssumedRole"]),
    ("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::*:user/staff/*"]),
    ("StringEquals", "aws:PrincipalTag/team", &["red"]),
    ("NumericEquals", "t:number", &["5"]),
    ("NumericNotEquals", "t:number", &["5", "6"]),
    ("NumericLessThan", "t:number", &["5"]),
    ("NumericLessThanEquals", "t:number", &["5"]),
    ("NumericGreaterThan", "t:number", &["5.5"]),
    ("NumericGreaterThanEquals", "t:number", &["6"]),
    ("DateLessThan", "t:time", &["2030-01-01T00:00:00Z"]),
    ("DateLessThanEquals", "t:time", &["2030-01-01"]),
    ("DateGreaterThan", "t:time", &["2030-01-01T00:00:00Z"]),
    ("DateGreaterThanEquals", "t:time", &["2030-01-01T02:00:00+02:00"]),
    ("DateEquals", "t:time", &["2030-01-01T00:00:00Z"]),
    ("DateNotEquals", "t:time", &["2030-01-01T00:00:00Z"]),
    ("Bool", "t:bool", &["true"]),
    ("Null", "t:text", &["true"]),
    ("Null", "t:bool", &["false"]),
    ("BinaryEquals", "t:binary", &["QQ=="]),
    ("IpAddress", "aws:SourceIp", &["10.0.0.0/8", "2001:db8::/32"]),
    ("NotIpAddress", "aws:SourceIp", &["10.0.0.0/8"]),
    ("ArnEquals", "t:arn", &["arn:aws:sns:*:*:topic"]),
    ("ArnNotLike", "t:arn", &["arn:aws:sns:*:*:t*"]),
    ("StringEquals", "aws:TagKeys", &["a", "b"]),
    ("StringNotLike", "aws:TagKeys", &["a*"]),
];
const VALUES: [(&str, &[&[&str]]); 9] = [
    ("t:text", &[&["a"], &["b"], &["ab"], &["A"]]),
    ("t:number", &[&["4"], &["5"], &["5.0"], &["6"], &["-5"]]),
    (
        "t:time",
        &[
            &["2029-12-31T23:59:59Z"],
            &["2030-01-01T00:00:00Z"],
            &["1893456000"],
            &["2030-06-01T00:00:00Z"],
        ],
    ),
    ("t:bool", &[&["true"], &["false"]]),
    ("t:binary", &[&["QQ=="], &["Qg=="]]),
    ("t:arn", &[&["arn:aws:sns:eu:1:topic"], &["arn:aws:sns:eu:1:queue"]]),
    ("aws:SourceIp", &[&["10.1.2.3"], &["192.0.2.1"], &["2001:db8::1"]]),
    ("aws:TagKeys", &[&["a"], &["a", "b"], &["a", "c"], &["c"]]),
    ("aws:PrincipalTag/team", &[&["red"], &["blue"], &["alice"]]),
];

/// A question.
pub(crate) struct Question {
    pub(crate) principal: Principal,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) owner: String,
    pub(crate) context: Vec<(String, Vec<String>)>,
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Vec<Value>,
    pub(crate) bucket: Option<Value>,
    pub(crate) trust: Option<Value>,
}

// === impl Question ===

impl Question {
    pub(crate) fn random(random: &mut StdRng) -> Self {
        let account = if random.random_bool(0.2) { AWAY } else { HOME };
        let user = random.random_bool(0.4);
        let principal = if user {
            Principal::User {
                arn: format!("arn:aws:iam::{account}:user/staff/alice"),
            }
        } else {
            Principal::AssumedRole {
                role_arn: format!("arn:aws:iam::{account}:role/app/reader"),
                session_name: "pod".to_owned(),
            }
        };
        let trusting = random.random_bool(0.2);
        let mut context = Vec::new();
        for (key, values) in VALUES {
            if random.random_bool(0.7) {
                let values = pick(random, values).iter().map(|value| (*value).to_owned()).collect();
                context.push((key.to_owned(), values));
            }
        }
        for (key, odd) in [("aws:TagKeys", ""), ("t:arn", "arn:aws:sns:eu:1:x:topic")] {
            if random.random_bool(0.03) {
                context.retain(|(known, _)| known != key);
                context.push((key.to_owned(), vec![odd.to_owned()]));
            }
        }
        let action = if trusting {
            "sts:AssumeRole"
        } else {
            pick(random, &ACTIONS)
        };
        let resource = if trusting {
            "arn:aws:iam::111122223333:role/target"
        } else {
            pick(random, &RESOURCES)
        };
        let identity = (0..random.random_range(0..4))
            .map(|_| document(random, trusting, false))
            .collect();
        Self {
            principal,
            action: action.to_owned(),
            resource: resource.to_owned(),
            owner: HOME.to_owned(),
            context,
            identity,
            boundary: random.random_bool(0.2).then(|| document(random, trusting, false)),
            session: (0..if user || random.random_bool(0.7) {
                0
            } else {
                random.random_range(1..3)
            })
                .map(|_| document(random, trusting, false))
                .collect(),
            bucket: (!trusting && random.random_bool(0.5)).then(|| document(random, false, true)),
            trust: trusting.then(|| document(random, true, true)),
        }
    }

    /// Whether it is allowed here.
    pub(crate) fn decide(&self) -> bool {
        let parse = |kind, document: &Value| {
            Policy::parse(kind, &document.to_string()).unwrap_or_else(|error| panic!("{error}\n{document}"))
        };
        let identity: Vec<Policy> = self
            .identity
            .iter()
            .map(|text| parse(PolicyKind::Identity, text))
            .collect();
        let boundary = self.boundary.as_ref().map(|text| parse(PolicyKind::Identity, text));
        let session: Vec<Policy> = self
            .session
            .iter()
            .map(|text| parse(PolicyKind::Identity, text))
            .collect();
        let bucket = self.bucket.as_ref().map(|text| parse(PolicyKind::Resource, text));
        let trust = self.trust.as_ref().map(|text| parse(PolicyKind::Trust, text));
        let attach = |policy| Attached {
            name: "policy".to_owned(),
            policy,
        };
        let mut context = Context::new();
        for (key, values) in &self.context {
            context.set_many(key, values.iter().cloned());
        }
        let request = Request {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: &self.owner,
            context: &context,
        };
        let policies = Policies {
            identity: identity.iter().map(attach).collect(),
            boundary: boundary.as_ref().map(attach),
            session: session.iter().map(attach).collect(),
            resource: bucket.as_ref().or(trust.as_ref()).map(attach),
        };
        evaluate(&request, &policies)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.to_json()))
            .is_allowed()
    }

    /// The question as `oracle.py` reads it.
    pub(crate) fn to_json(&self) -> Value {
        let kind = match self.principal {
            Principal::User { .. } => "User",
            _ => "AssumedRole",
        };
        let mut context: serde_json::Map<String, Value> = self
            .context
            .iter()
            .map(|(key, values)| {
                let value = match values.as_slice() {
                    // A key of several values stays one, even with one value.
                    [one] if key != "aws:TagKeys" => json!(one),
                    several => json!(several),
                };
                (key.clone(), value)
            })
            .collect();
        if kind == "User" {
            context.insert("aws:username".to_owned(), json!("alice"));
        }
        json!({
            "type": kind,
            "arn": self.principal.arn(),
            "account": self.principal.account(),
            "action": self.action,
            "resource": self.resource,
            "owner": self.owner,
            "context": context,
            "identity": self.identity,
            "boundary": self.boundary,
            "session": self.session,
            "bucket": self.bucket,
            "trust": self.trust,
        })
    }

    /// Every statement of every policy.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Value> {
        let documents = self.identity.iter().chain(&self.boundary).chain(&self.session);
        let documents = documents.chain(&self.bucket).chain(&self.trust);
        documents
            .filter_map(|document| document["Statement"].as_array())
            .flatten()
    }
}

fn pick<T: Copy>(random: &mut StdRng, from: &[T]) -> T {
    *from
        .choose(random)
        .unwrap_or_else(|| unreachable!("there is something to pick from"))
}

fn document(random: &mut StdRng, sts: bool, principal: bool) -> Value {
    let statements: Vec<Value> = (0..random.random_range(1..4))
        .map(|_| statement(random, sts, principal))
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn statement(random: &mut StdRng, sts: bool, principal: bool) -> Value {
    let denies = random.random_bool(0.2);
    let mut json = json!({"Effect": if denies { "Deny" } else { "Allow" }});
    let few = |random: &mut StdRng, from: &[&str]| {
        let count = random.random_range(1..3);
        (0..count)
            .map(|_| pick(random, from))
            .map(Value::from)
            .collect::<Vec<_>>()
    };
    let trust = sts && principal;
    let actions: &[&str] = if sts {
        &["sts:*", "sts:AssumeRole", "sts:assume*", "sts:TagSession"]
    } else {
        &ACTION_PATTERNS
    };
    let negate = random.random_bool(0.12);
    json[if negate { "NotAction" } else { "Action" }] = few(random, actions).into();
    if !trust {
        let sts_resources = [
            "*",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::111122223333:role/other",
        ];
        let resources: &[&str] = if sts { &sts_resources } else { &RESOURCE_PATTERNS };
        let odd = !sts && random.random_bool(0.02);
        let resources = if odd { &ODD_PATTERNS } else { resources };
        let negate = random.random_bool(0.12);
        json[if negate { "NotResource" } else { "Resource" }] = few(random, resources).into();
    }
    if principal {
        json["Principal"] = somebody(random);
    }
    if random.random_bool(0.35) {
        let mut conditions = json!({});
        for _ in 0..random.random_range(1..3) {
            let (operator, key, values) = pick(random, &CONDITIONS);
            let set = key == "aws:TagKeys" || (operator != "Null" && random.random_bool(0.1));
            let set = if !set {
                ""
            } else {
                pick(random, &["ForAllValues:", "ForAnyValue:"])
            };
            let exists = if operator != "Null" && random.random_bool(0.15) {
                "IfExists"
            } else {
                ""
            };
            conditions[format!("{set}{operator}{exists}")] = json!({key: values});
        }
        json["Condition"] = conditions;
    }
    json
}

fn somebody(random: &mut (impl Rng + ?Sized)) -> Value {
    let all = [
        json!("*"),
        json!({"AWS": "*"}),
        json!({"AWS": HOME}),
        json!({"AWS": [AWAY, format!("arn:aws:iam::{HOME}:root")]}),
        json!({"AWS": format!("arn:aws:iam::{HOME}:role/app/reader")}),
        json!({"AWS": format!("arn:aws:iam::{AWAY}:role/app/reader")}),
        json!({"AWS": format!("arn:aws:iam::{HOME}:role/other")}),
        json!({"AWS": [format!("arn:aws:sts::{HOME}:assumed-role/reader/pod"), format!("arn:aws:iam::{HOME}:user/staff/bob")]}),
        json!({"AWS": format!("arn:aws:iam::{HOME}:user/staff/alice")}),
        json!({"AWS": format!("arn:aws:iam::{AWAY}:user/staff/alice"), "Service": "ec2.amazonaws.com"}),
        json!({"Service": "ec2.amazonaws.com"}),
    ];
    all[random.random_range(0..all.len())].clone()
}
