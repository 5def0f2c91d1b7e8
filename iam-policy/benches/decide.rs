//! How long a decision takes: a role with 10 managed policies of 20 statements each.
//!
//! `control` is what no evaluator can do without: it looks at every action pattern of every statement once and compares the
//! first bytes. The decisions are to be read against it.

use divan::{Bencher, black_box};
use iam_policy::{Attached, Context, Policies, Policy, PolicyKind, Principal, Request, evaluate, explain};

const POLICIES: usize = 10;
const STATEMENTS: usize = 20;
const ACTIONS: [&str; 5] = ["Get*", "List*", "Describe*", "BatchGetItem", "PutObject*Acl"];

fn main() {
    divan::main();
}

/// A managed policy as AWS writes them: five actions a statement, two resources, a condition in every fourth.
fn document(policy: usize) -> String {
    let statements: Vec<String> = (0..STATEMENTS).map(|n| statement(policy, n)).collect();
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
        statements.join(",")
    )
}

fn statement(policy: usize, n: usize) -> String {
    // Half of the statements are about the service that is asked for, and so get past the prefix of their actions.
    let vendor = if n.is_multiple_of(2) {
        "s3".to_owned()
    } else {
        format!("vendor{policy}")
    };
    let actions: Vec<String> = ACTIONS.iter().map(|action| format!(r#""{vendor}:{action}""#)).collect();
    let condition = if n.is_multiple_of(4) {
        r#", "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#
    } else {
        ""
    };
    format!(
        r#"{{"Sid": "S{n}", "Effect": "Allow", "Action": [{}],
            "Resource": ["arn:aws:s3:::bucket-{policy}-{n}", "arn:aws:s3:::bucket-{policy}-{n}/*/data-??/*"]{condition}}}"#,
        actions.join(",")
    )
}

/// The role, the request and the policies of one question.
struct Asked {
    principal: Principal,
    context: Context,
    resource: String,
    policies: Vec<(String, Policy)>,
    bucket: Option<Policy>,
}

impl Asked {
    fn new(resource: &str, further: Option<&str>, bucket: Option<&str>) -> Self {
        let mut context = Context::new();
        context.set("aws:RequestedRegion", "eu-west-1");
        context.set("aws:SourceIp", "10.244.1.2");
        context.set("aws:SecureTransport", "true");
        context.set("aws:userid", "AROAIOSFODNN7EXAMPLE:pod");
        let documents = (0..POLICIES).map(document).chain(further.map(str::to_owned));
        let parsed = documents.enumerate().map(|(n, text)| {
            (
                format!("managed policy Policy{n}"),
                Policy::parse(PolicyKind::Identity, &text).expect("it is well-formed"),
            )
        });
        Self {
            principal: Principal::AssumedRole {
                role_arn: "arn:aws:iam::123456789012:role/app/reader".to_owned(),
                session_name: "pod".to_owned(),
            },
            context,
            resource: resource.to_owned(),
            policies: parsed.collect(),
            bucket: bucket.map(|text| Policy::parse(PolicyKind::Resource, text).expect("it is well-formed")),
        }
    }

    fn attach(&self) -> Policies<'_> {
        Policies {
            identity: self
                .policies
                .iter()
                .map(|(name, policy)| Attached {
                    name: name.clone(),
                    policy,
                })
                .collect(),
            resource: self.bucket.as_ref().map(|policy| Attached {
                name: "bucket policy".to_owned(),
                policy,
            }),
            ..Policies::default()
        }
    }

    fn request(&self) -> Request<'_> {
        Request {
            principal: &self.principal,
            action: "s3:GetObject",
            resource: &self.resource,
            resource_account: "123456789012",
            context: &self.context,
        }
    }

    /// Measures the decision with the attaching of the policies, as whoever asks has to do it each time.
    fn measure(&self, bencher: Bencher<'_, '_>, allowed: bool) {
        let decision = evaluate(&self.request(), &self.attach()).expect("the question makes sense");
        assert_eq!(decision.is_allowed(), allowed, "{decision}");
        bencher.bench_local(|| evaluate(black_box(&self.request()), black_box(&self.attach())));
    }
}

/// By the last but one statement of the last policy, after all others were looked at.
#[divan::bench]
fn allowed(bencher: Bencher<'_, '_>) {
    Asked::new("arn:aws:s3:::bucket-9-18/2030/data-01/object", None, None).measure(bencher, true);
}

/// With the near misses written down.
#[divan::bench]
fn denied_implicitly(bencher: Bencher<'_, '_>) {
    Asked::new("arn:aws:s3:::other/2030/data-01/object", None, None).measure(bencher, false);
}

#[divan::bench]
fn denied_explicitly(bencher: Bencher<'_, '_>) {
    let denies = r#"{"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket-9-*"}}"#;
    Asked::new("arn:aws:s3:::bucket-9-18/2030/data-01/object", Some(denies), None).measure(bencher, false);
}

#[divan::bench]
fn allowed_by_the_bucket_too(bencher: Bencher<'_, '_>) {
    let bucket = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/app/reader"},
        "Action": "s3:*", "Resource": "arn:aws:s3:::bucket-9-18/*"}}"#;
    Asked::new("arn:aws:s3:::bucket-9-18/2030/data-01/object", None, Some(bucket)).measure(bencher, true);
}

/// What `rolecall why` asks for: every statement with every difference.
#[divan::bench]
fn explained_in_full(bencher: Bencher<'_, '_>) {
    let asked = Asked::new("arn:aws:s3:::other/2030/data-01/object", None, None);
    bencher.bench_local(|| explain(black_box(&asked.request()), black_box(&asked.attach())));
}

/// Every action and resource pattern of the 200 statements, looked at once.
#[divan::bench]
fn control(bencher: Bencher<'_, '_>) {
    let patterns: Vec<String> = (0..POLICIES * STATEMENTS)
        .flat_map(|n| {
            let actions = ACTIONS
                .iter()
                .map(move |action| format!("vendor{}:{action}", n % POLICIES));
            actions.chain([format!("arn:aws:s3:::bucket-{n}"), format!("arn:aws:s3:::bucket-{n}/*")])
        })
        .collect();
    bencher.bench_local(|| {
        let matching = |pattern: &&String| black_box("s3:GetObject").starts_with(black_box(pattern.as_str()));
        patterns.iter().filter(matching).count()
    });
}
