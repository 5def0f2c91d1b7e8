use std::time::Duration;

use aws_sigv4::http_request::SignableBody;
use bytes::Bytes;
use http::{Method, Request};

use crate::{
    localstack::{Local, local},
    signer::{How, Keys, signed},
    world::{Ask, Reply, query},
};

/// Everything that LocalStack lets through by itself, and what AWS answers.
struct Table {
    local: Local,
    wrong: Vec<String>,
    rows: usize,
}

// === impl Table ===

impl Table {
    fn row(&mut self, what: &str, reply: &Reply, expected: (u16, &str)) {
        self.rows += 1;
        let typed = reply.header("x-amzn-errortype");
        let code = if typed.is_empty() { reply.error().1 } else { typed };
        if (reply.status, code) != expected {
            self.wrong.push(format!(
                "{what}: {:?}, not {expected:?}: {}",
                (reply.status, code),
                reply.body
            ));
        }
    }

    /// The lists of four services, each with its own words for who has no good key.
    async fn keys(&mut self, what: &str, keys: &Keys, expected: [(u16, &str); 4]) {
        let asks = [
            Ask::s3(Method::GET, "/"),
            query("iam", "ListUsers", &[]),
            query("sts", "GetCallerIdentity", &[]),
            query("ec2", "DescribeInstances", &[]),
        ];
        for (ask, expected) in asks.into_iter().zip(expected) {
            let what = format!("{what}, {}", ask.service);
            let reply = self.local.world.ask(keys, ask).await;
            self.row(&what, &reply, expected);
        }
    }

    async fn s3(&mut self, what: &str, keys: &Keys, method: Method, path: &str, expected: (u16, &str)) {
        let reply = self.local.world.ask(keys, Ask::s3(method, path)).await;
        self.row(what, &reply, expected);
    }

    async fn assume(&mut self, what: &str, keys: &Keys, arn: &str, more: &[(&str, &str)], expected: (u16, &str)) {
        let reply = self.local.assume(keys, arn, more).await;
        self.row(what, &reply, expected);
    }

    async fn unsigned(&mut self, what: &str, method: Method, path: &str, body: &str, expected: (u16, &str)) {
        let mut request = Request::builder().method(method).uri(self.local.world.url(path));
        if !body.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let request = request.body(Bytes::from(body.to_owned())).expect("a request");
        let reply = self.local.world.send(request).await;
        self.row(what, &reply, expected);
    }

    async fn presigned(&mut self, what: &str, keys: &Keys, path: &str, life: u64, spoil: bool, expected: (u16, &str)) {
        let world = &self.local.world;
        let request = Request::builder()
            .uri(world.url(path))
            .body(Bytes::new())
            .expect("a request");
        let how = How {
            service: "s3",
            at: self.local.now() - Duration::from_secs(60),
            body: SignableBody::UnsignedPayload,
            presigned: Some(Duration::from_secs(life)),
        };
        let mut request = signed(request, keys, how);
        if spoil {
            let (start, signature) = {
                let uri = request.uri().to_string();
                let at = uri.find("X-Amz-Signature=").expect("it is presigned") + "X-Amz-Signature=".len();
                (uri[..at].to_owned(), uri[at..].to_owned())
            };
            let first = if signature.starts_with('0') { "1" } else { "0" };
            *request.uri_mut() = format!("{start}{first}{}", &signature[1..]).parse().expect("a URI");
        }
        let reply = world.send(request).await;
        self.row(what, &reply, expected);
    }
}

const DENIED: (u16, &str) = (403, "AccessDenied");
const UNKNOWN: [(u16, &str); 4] = [
    (403, "InvalidAccessKeyId"),
    (403, "InvalidClientTokenId"),
    (403, "InvalidClientTokenId"),
    (401, "AuthFailure"),
];
const SIGNATURE: [(u16, &str); 4] = [
    (403, "SignatureDoesNotMatch"),
    (403, "SignatureDoesNotMatch"),
    (403, "SignatureDoesNotMatch"),
    (401, "AuthFailure"),
];

#[tokio::test]
async fn what_localstack_lets_through_is_refused_with_awss_code() {
    let Some(local) = local().await else { return };
    let mut table = Table {
        local,
        wrong: Vec::new(),
        rows: 0,
    };
    policies(&mut table).await;
    roles(&mut table).await;
    authentication(&mut table).await;
    ownership(&mut table).await;
    inner_paths(&mut table).await;
    let Table { local, wrong, rows } = table;
    local.end().await;
    assert!(
        wrong.is_empty(),
        "{} of {rows} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rows >= 60, "{rows}");
}

async fn policies(table: &mut Table) {
    let bucket = table.local.bucket("policies");
    let (root, alice) = (table.local.world.root.clone(), table.local.world.user("alice").await);
    let object = format!("/{bucket}/report");
    assert_eq!(table.local.put(&root, &format!("/{bucket}"), "").await.status, 200);
    assert_eq!(table.local.put(&root, &object, "revenue,42").await.status, 200);

    table
        .s3("a user without policy lists buckets", &alice, Method::GET, "/", DENIED)
        .await;
    table
        .s3("and reads an object", &alice, Method::GET, &object, DENIED)
        .await;
    table
        .s3("and deletes it", &alice, Method::DELETE, &object, DENIED)
        .await;
    table
        .s3("and the bucket", &alice, Method::DELETE, &format!("/{bucket}"), DENIED)
        .await;
    let reply = table.local.put(&alice, &object, "mine").await;
    table.row("and writes it", &reply, DENIED);
    let reply = table.local.world.query(&alice, "iam", "ListUsers", &[]).await;
    table.row("and lists users", &reply, DENIED);
    let reply = table.local.world.query(&alice, "ec2", "DescribeInstances", &[]).await;
    table.row("and instances", &reply, (403, "UnauthorizedOperation"));
    let list = Ask {
        service: "es",
        ..Ask::s3(Method::GET, "/2015-01-01/domain")
    };
    let reply = table.local.world.ask(&alice, list).await;
    table.row("and domains", &reply, (403, "AccessDeniedException"));

    let world = &table.local.world;
    let read = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    world
        .iam("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", read)])
        .await;
    assert_eq!(
        world.get(&alice, &object).await.body,
        "revenue,42",
        "what is allowed passes"
    );
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}"#;
    let params = [("UserName", "alice"), ("PolicyName", "deny"), ("PolicyDocument", deny)];
    world.iam("PutUserPolicy", &params).await;
    table
        .s3("an explicit deny is ignored", &alice, Method::GET, &object, DENIED)
        .await;
    let world = &table.local.world;
    world
        .iam("DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "deny")])
        .await;
    assert_eq!(world.get(&alice, &object).await.status, 200);
    world
        .iam("DetachUserPolicy", &[("UserName", "alice"), ("PolicyArn", read)])
        .await;
    table
        .s3("a detached policy goes on", &alice, Method::GET, &object, DENIED)
        .await;
    let reply = table
        .local
        .world
        .query(&root, "iam", "DeletePolicy", &[("PolicyArn", read)])
        .await;
    table.row("AWS's own policy is deleted", &reply, DENIED);
    let params = [
        ("UserName", "alice"),
        ("PolicyName", "bad"),
        ("PolicyDocument", r#"{"Statement":[]}"#),
    ];
    let reply = table.local.world.query(&root, "iam", "PutUserPolicy", &params).await;
    table.row(
        "a policy of nothing is stored",
        &reply,
        (400, "MalformedPolicyDocument"),
    );
}

async fn roles(table: &mut Table) {
    let (alice, bob) = {
        let local = &table.local;
        let keys = local
            .world
            .iam("CreateAccessKey", &[("UserName", "alice")])
            .await
            .keys();
        (keys, local.world.user("bob").await)
    };
    let account = table.local.account.clone();
    let trusted = format!(r#"{{"AWS":"arn:aws:iam::{account}:user/alice"}}"#);
    let of_alice = table.local.role("alices", &trusted).await;
    let of_ec2 = table
        .local
        .role("instances", r#"{"Service":"ec2.amazonaws.com"}"#)
        .await;
    let absent = format!("arn:aws:iam::{account}:role/absent");
    let elsewhere = format!("arn:aws:iam::{}:role/absent", table.local.partner_account);
    let nowhere = "arn:aws:iam::999999999999:role/absent";

    table
        .assume("a role that trusts another", &bob, &of_alice, &[], DENIED)
        .await;
    table
        .assume("a role that trusts EC2 alone", &alice, &of_ec2, &[], DENIED)
        .await;
    table.assume("an absent role", &alice, &absent, &[], DENIED).await;
    table
        .assume("an absent role elsewhere", &alice, &elsewhere, &[], DENIED)
        .await;
    table
        .assume("a role of nobody's account", &alice, nowhere, &[], DENIED)
        .await;
    let invalid = (400, "ValidationError");
    for seconds in ["1", "899", "3601", "43200", "43201"] {
        let more = [("DurationSeconds", seconds)];
        table
            .assume("a session too short or long", &alice, &of_alice, &more, invalid)
            .await;
    }
    let params = [("RoleArn", of_alice.as_str()), ("RoleSessionName", "a b")];
    let reply = table.local.world.query(&alice, "sts", "AssumeRole", &params).await;
    table.row("a session name that is none", &reply, invalid);

    let session = table.local.assume(&alice, &of_alice, &[]).await.keys();
    let bucket = table.local.bucket("policies");
    table
        .s3(
            "a role without policy lists buckets",
            &session,
            Method::GET,
            "/",
            DENIED,
        )
        .await;
    let object = format!("/{bucket}/report");
    table
        .s3("and reads an object", &session, Method::GET, &object, DENIED)
        .await;
    let of_bob = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":
        "arn:aws:iam::{account}:user/bob"}},"Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"x1"}}}}}}]}}"#
    );
    let params = [("RoleName", "alices"), ("PolicyDocument", of_bob.as_str())];
    table.local.world.iam("UpdateAssumeRolePolicy", &params).await;
    table
        .assume("a trust policy that was changed", &alice, &of_alice, &[], DENIED)
        .await;
    table.assume("no external id", &bob, &of_alice, &[], DENIED).await;
    table
        .assume("a wrong one", &bob, &of_alice, &[("ExternalId", "x2")], DENIED)
        .await;
    assert_eq!(
        table
            .local
            .assume(&bob, &of_alice, &[("ExternalId", "x1")])
            .await
            .status,
        200
    );
    let one = table
        .local
        .world
        .query(&alice, "sts", "GetSessionToken", &[])
        .await
        .keys();
    let other = table
        .local
        .world
        .query(&bob, "sts", "GetSessionToken", &[])
        .await
        .keys();
    assert_ne!(one.id, other.id, "each session has keys of its own");
}

async fn authentication(table: &mut Table) {
    let world = &table.local.world;
    let carol = world.user("carol").await;
    let everything = "arn:aws:iam::aws:policy/AdministratorAccess";
    world
        .iam("AttachUserPolicy", &[("UserName", "carol"), ("PolicyArn", everything)])
        .await;
    let who = format!(r#"{{"AWS":"arn:aws:iam::{}:user/carol"}}"#, table.local.account);
    let arn = table.local.role("carols", &who).await;
    let world = &table.local.world;
    world
        .iam("AttachRolePolicy", &[("RoleName", "carols"), ("PolicyArn", everything)])
        .await;
    let session = table
        .local
        .assume(&carol, &arn, &[("DurationSeconds", "900")])
        .await
        .keys();
    for keys in [&carol, &session] {
        assert_eq!(world.get(keys, "/").await.status, 200, "good keys open S3");
    }
    let with = |keys: &Keys, id: Option<&str>, secret: Option<&str>| Keys {
        id: id.unwrap_or(&keys.id).to_owned(),
        secret: secret.unwrap_or(&keys.secret).to_owned(),
        token: keys.token.clone(),
    };
    let account = table.local.account.clone();
    table
        .keys("a wrong secret", &with(&carol, None, Some("x")), SIGNATURE)
        .await;
    table
        .keys("a session's wrong secret", &with(&session, None, Some("x")), SIGNATURE)
        .await;
    for id in ["AKIAAAAAAAAAAAAAAAAA", "test", &account, "AKIAIOSFODNN7EXAMPLE"] {
        table
            .keys("an unknown key", &with(&carol, Some(id), None), UNKNOWN)
            .await;
    }
    let missing = Keys {
        token: None,
        ..session.clone()
    };
    table.keys("no token", &missing, UNKNOWN).await;
    let wrong = Keys {
        token: Some("x".to_owned()),
        ..session.clone()
    };
    let mut expected = UNKNOWN;
    expected[0] = (400, "InvalidToken");
    table.keys("a wrong token", &wrong, expected).await;
    table
        .presigned(
            "a presigned URL with a bad signature",
            &carol,
            "/",
            600,
            true,
            (403, "SignatureDoesNotMatch"),
        )
        .await;
    table
        .presigned("an old presigned URL", &carol, "/", 1, false, DENIED)
        .await;

    table
        .unsigned("nobody lists buckets", Method::GET, "/", "", DENIED)
        .await;
    let missing = (403, "MissingAuthenticationToken");
    let list = "Action=ListUsers&Version=2010-05-08";
    table
        .unsigned("nobody lists users", Method::POST, "/", list, missing)
        .await;
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    table
        .unsigned("nobody asks who it is", Method::POST, "/", who, missing)
        .await;

    table.local.world.clock.advance(Duration::from_secs(901));
    let expired = [
        (400, "ExpiredToken"),
        (403, "ExpiredToken"),
        (403, "ExpiredToken"),
        (400, "RequestExpired"),
    ];
    table.keys("an ended session", &session, expired).await;
    let params = [
        ("UserName", "carol"),
        ("AccessKeyId", carol.id.as_str()),
        ("Status", "Inactive"),
    ];
    table.local.world.iam("UpdateAccessKey", &params).await;
    table.keys("an inactive key", &carol, UNKNOWN).await;
    let params = [
        ("UserName", "carol"),
        ("AccessKeyId", carol.id.as_str()),
        ("Status", "Active"),
    ];
    table.local.world.iam("UpdateAccessKey", &params).await;
    assert_eq!(
        table.local.world.get(&carol, "/").await.status,
        200,
        "and it is good again"
    );
    table.local.world.iam("DeleteAccessKey", &params[..2]).await;
    table.keys("a deleted key", &carol, UNKNOWN).await;
    let again = table
        .local
        .world
        .iam("CreateAccessKey", &[("UserName", "carol")])
        .await
        .keys();
    table
        .local
        .world
        .iam("DetachUserPolicy", &[("UserName", "carol"), ("PolicyArn", everything)])
        .await;
    table.local.world.iam("DeleteUser", &[("UserName", "carol")]).await;
    table.keys("a key of a deleted user", &again, UNKNOWN).await;
}

async fn ownership(table: &mut Table) {
    let bucket = table.local.bucket("owned");
    let (root, partner) = (table.local.world.root.clone(), table.local.partner.clone());
    let (path, object) = (format!("/{bucket}"), format!("/{bucket}/secret"));
    assert_eq!(table.local.put(&root, &path, "").await.status, 200);
    assert_eq!(table.local.put(&root, &object, "mine").await.status, 200);
    table
        .s3(
            "another account reads an object",
            &partner,
            Method::GET,
            &object,
            DENIED,
        )
        .await;
    table.s3("and lists them", &partner, Method::GET, &path, DENIED).await;
    table
        .s3("and deletes one", &partner, Method::DELETE, &object, DENIED)
        .await;
    let reply = table.local.put(&partner, &object, "yours").await;
    table.row("and writes one", &reply, DENIED);
    let reply = table.local.put(&partner, &path, "").await;
    table.row("and makes the bucket its own", &reply, (409, "BucketAlreadyExists"));
    let own = table.local.bucket("partners");
    assert_eq!(table.local.put(&partner, &format!("/{own}"), "").await.status, 200);
    let copy = Ask {
        headers: vec![("x-amz-copy-source", object.clone())],
        ..Ask::s3(Method::PUT, &format!("/{own}/copy").leak()[..])
    };
    let reply = table.local.world.ask(&partner, copy).await;
    table.row("and copies one", &reply, DENIED);
    let told = Ask {
        headers: vec![("x-moto-account-id", table.local.partner_account.clone())],
        ..Ask::s3(Method::GET, "/")
    };
    let reply = table.local.world.ask(&root, told).await;
    assert!(
        reply.body.contains(&bucket) && !reply.body.contains(&own),
        "{}",
        reply.body
    );
}

async fn inner_paths(table: &mut Table) {
    let root = table.local.world.root.clone();
    for path in [
        "/_localstack/health",
        "/_aws/ses",
        "/%5flocalstack/health",
        "//_localstack/health",
        "/_localstack",
    ] {
        if path.starts_with("//") {
            let reply = table.local.world.get(&root, path).await;
            assert!(!reply.body.contains("\"services\""), "{path}: {}", reply.body);
        } else {
            let what = format!("nobody asks {path}");
            table.unsigned(&what, Method::GET, path, "", DENIED).await;
            let what = format!("root asks {path}");
            table.s3(&what, &root, Method::GET, path, (404, "NoSuchBucket")).await;
        }
    }
    let reply = table.local.world.query(&root, "sqs", "ListQueues", &[]).await;
    table.row("another service", &reply, (400, "InvalidAction"));
    let reply = table.local.world.query(&root, "iam", "MakeCoffee", &[]).await;
    table.row("an operation that nobody has", &reply, (400, "InvalidAction"));
}
