use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use rolecall_aws::{IssuerKeys, JwksFuture};
use rstest::rstest;

use crate::world::{Reply, World, query};

const ISSUER: &str = "https://oidc.cluster.local/id/1";
const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/oidc.cluster.local/id/1";
const SUBJECT: &str = "system:serviceaccount:default:reader";
const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/oidc.cluster.local/id/1"},
    "Action":"sts:AssumeRoleWithWebIdentity",
    "Condition":{"StringEquals":{"oidc.cluster.local/id/1:sub":"system:serviceaccount:default:reader",
                                 "oidc.cluster.local/id/1:aud":"sts.amazonaws.com"}}}]}"#;

/// An issuer with one key.
#[derive(Debug)]
struct Issuer {
    pair: EcdsaKeyPair,
    asked: AtomicUsize,
    reachable: bool,
}

impl Issuer {
    fn new(reachable: bool) -> Arc<Self> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).expect("a key");
        Arc::new(Self {
            pair,
            asked: AtomicUsize::new(0),
            reachable,
        })
    }

    fn token(&self, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(r#"{"alg":"ES256","kid":"one"}"#), part(claims));
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl IssuerKeys for Issuer {
    fn jwks<'a>(&'a self, issuer_url: &'a str) -> JwksFuture<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let point = self.pair.public_key().as_ref();
        let coordinate = |range| URL_SAFE_NO_PAD.encode(&point[range]);
        let keys = format!(
            r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"one","use":"sig","x":"{}","y":"{}"}}]}}"#,
            coordinate(1..33),
            coordinate(33..65)
        );
        let known = self.reachable && issuer_url == ISSUER;
        Box::pin(async move {
            if known {
                Ok(keys)
            } else {
                Err("connection refused".into())
            }
        })
    }
}

/// Claims that are good for ten minutes, with these in place of others.
fn claims(world: &World, more: &str) -> String {
    let now = world.clock.wall().as_second();
    let all = format!(
        r#"{{"iss":"{ISSUER}","sub":"{SUBJECT}","aud":["sts.amazonaws.com"],"iat":{now},"nbf":{now},"exp":{}}}"#,
        now + 600
    );
    let mut claims: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&all).expect("JSON");
    let more: serde_json::Map<String, serde_json::Value> = serde_json::from_str(more).expect("JSON");
    claims.extend(more);
    serde_json::Value::Object(claims).to_string()
}

async fn world(issuer: &Arc<Issuer>, trust: &str) -> World {
    let world = World::start().await;
    world.front.set_identity_keys(issuer.clone());
    let params = [("Url", ISSUER), ("ClientIDList.member.1", "sts.amazonaws.com")];
    let reply = world.iam("CreateOpenIDConnectProvider", &params).await;
    assert_eq!(reply.element("OpenIDConnectProviderArn"), Some(PROVIDER));
    let params = [("RoleName", "reader"), ("AssumeRolePolicyDocument", trust)];
    world.iam("CreateRole", &params).await;
    world
}

/// Asks without a signature.
async fn assume(world: &World, token: &str, more: &[(&str, &str)]) -> Reply {
    let mut params = vec![
        ("RoleArn", ROLE),
        ("RoleSessionName", "app"),
        ("WebIdentityToken", token),
    ];
    for (name, value) in more {
        params.retain(|(other, _)| other != name);
        params.push((name, value));
    }
    let ask = query("sts", "AssumeRoleWithWebIdentity", &params);
    let request = Request::post(world.url("/")).header("content-type", "application/x-www-form-urlencoded");
    world.send(request.body(ask.body.into()).expect("a request")).await
}

#[tokio::test]
async fn a_token_of_a_trusted_subject_opens_the_role_without_a_signature() {
    let issuer = Issuer::new(true);
    let world = world(&issuer, TRUST).await;
    let reply = assume(&world, &issuer.token(&claims(&world, "{}")), &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.element("SubjectFromWebIdentityToken"), Some(SUBJECT));
    assert_eq!(reply.element("Audience"), Some("sts.amazonaws.com"));
    assert_eq!(reply.element("Provider"), Some(PROVIDER));
    let arn = Some("arn:aws:sts::123456789012:assumed-role/reader/app");
    assert_eq!(reply.element("Arn"), arn);
    let identity = world.query(&reply.keys(), "sts", "GetCallerIdentity", &[]).await;
    assert_eq!(identity.element("Arn"), arn);
    let entry = world.front.journal().into_iter().rev().nth(1).expect("an entry");
    assert_eq!(
        (entry.operation.as_str(), entry.role.as_deref()),
        ("AssumeRoleWithWebIdentity", Some("reader"))
    );
    let record = world.front.decision(&entry.request_id).expect("a decision");
    assert_eq!(record.decision.expect("made").principal, PROVIDER);
}

#[rstest]
#[case::another_subject(
    r#"{"sub":"system:serviceaccount:default:other"}"#,
    403,
    "AccessDenied",
    "Not authorized to perform sts:AssumeRoleWithWebIdentity"
)]
#[case::another_audience(r#"{"aud":"vault"}"#, 400, "InvalidIdentityToken", "Incorrect token audience")]
#[case::another_issuer(
    r#"{"iss":"https://elsewhere"}"#,
    400,
    "InvalidIdentityToken",
    "No OpenIDConnect provider found in your account for https://elsewhere"
)]
#[case::expired(r#"{"exp":1600000000}"#, 400, "ExpiredTokenException", "Token expired: ")]
#[case::not_yet(
    r#"{"nbf":4000000000,"exp":4000000600}"#,
    403,
    "IDPRejectedClaim",
    "The token is not valid before 4000000000"
)]
#[tokio::test]
async fn a_token_that_says_something_else_is_refused(
    #[case] more: &str,
    #[case] status: u16,
    #[case] code: &str,
    #[case] message: &str,
) {
    let issuer = Issuer::new(true);
    let world = world(&issuer, TRUST).await;
    let reply = assume(&world, &issuer.token(&claims(&world, more)), &[]).await;
    assert_eq!(reply.error(), (status, code), "{}", reply.body);
    let told = reply.element("Message").unwrap_or_default();
    assert!(told.starts_with(message), "{told}");
}

#[tokio::test]
async fn a_token_expires_by_the_worlds_clock() {
    let issuer = Issuer::new(true);
    let world = world(&issuer, TRUST).await;
    let token = issuer.token(&claims(&world, "{}"));
    world.clock.advance(Duration::from_secs(590));
    assert_eq!(assume(&world, &token, &[]).await.status, 200);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(
        assume(&world, &token, &[]).await.error(),
        (400, "ExpiredTokenException")
    );
}

#[tokio::test]
async fn any_part_of_a_token_changed_makes_it_void() {
    let issuer = Issuer::new(true);
    let world = world(&issuer, TRUST).await;
    let token = issuer.token(&claims(&world, "{}"));
    // A letter of each part, but not the last of one, of which some bits mean nothing.
    let dots: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    for at in [3, dots[0] + 40, dots[1] + 5] {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        let reply = assume(&world, &changed, &[]).await;
        assert_eq!(reply.error(), (400, "InvalidIdentityToken"), "at {at}: {}", reply.body);
    }
    let stranger = Issuer::new(true).token(&claims(&world, "{}"));
    assert_eq!(
        assume(&world, &stranger, &[]).await.error(),
        (400, "InvalidIdentityToken")
    );
}

#[tokio::test]
async fn an_absent_role_is_refused_as_a_forbidden_one() {
    let issuer = Issuer::new(true);
    let world = world(&issuer, TRUST).await;
    let token = issuer.token(&claims(&world, "{}"));
    let absent = "arn:aws:iam::123456789012:role/absent";
    let reply = assume(&world, &token, &[("RoleArn", absent)]).await;
    assert_eq!(reply.error(), (403, "AccessDenied"));
    assert_eq!(
        reply.element("Message"),
        Some("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    );
}

#[tokio::test]
async fn nobody_is_asked_for_the_keys_of_an_issuer_that_is_no_provider() {
    let issuer = Issuer::new(false);
    let world = world(&issuer, TRUST).await;
    let elsewhere = issuer.token(&claims(&world, r#"{"iss":"https://elsewhere"}"#));
    assert_eq!(
        assume(&world, &elsewhere, &[]).await.error(),
        (400, "InvalidIdentityToken")
    );
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 0);
    let token = issuer.token(&claims(&world, "{}"));
    let reply = assume(&world, &token, &[]).await;
    assert_eq!(reply.error(), (400, "IDPCommunicationError"), "{}", reply.body);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_tags_in_a_token_become_those_of_the_session_if_the_role_lets_them() {
    let issuer = Issuer::new(true);
    let world = world(&issuer, TRUST).await;
    let tags = r#"{"https://aws.amazon.com/tags":{"principal_tags":{"team":["red"]},"transitive_tag_keys":["team"]}}"#;
    let token = issuer.token(&claims(&world, tags));
    assert_eq!(assume(&world, &token, &[]).await.error(), (403, "AccessDenied"));
    let both = TRUST.replace(
        r#""sts:AssumeRoleWithWebIdentity""#,
        r#"["sts:AssumeRoleWithWebIdentity","sts:TagSession"]"#,
    );
    let params = [("RoleName", "reader"), ("PolicyDocument", both.as_str())];
    world.iam("UpdateAssumeRolePolicy", &params).await;
    let of_team = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*",
        "Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}]}"#;
    let params = [("RoleName", "reader"), ("PolicyName", "p"), ("PolicyDocument", of_team)];
    world.iam("PutRolePolicy", &params).await;
    let keys = assume(&world, &token, &[]).await.keys();
    assert_eq!(world.query(&keys, "iam", "ListRoles", &[]).await.status, 200);
    let without = assume(&world, &issuer.token(&claims(&world, "{}")), &[]).await.keys();
    assert_eq!(world.query(&without, "iam", "ListRoles", &[]).await.status, 403);
}

#[tokio::test]
async fn a_provider_is_kept_as_iam_keeps_it() {
    let issuer = Issuer::new(true);
    let world = world(&issuer, TRUST).await;
    let arn = ("OpenIDConnectProviderArn", PROVIDER);
    let shown = world.iam("GetOpenIDConnectProvider", &[arn]).await;
    assert_eq!(shown.element("Url"), Some("oidc.cluster.local/id/1"));
    assert_eq!(
        shown.element("ClientIDList"),
        Some("<member>sts.amazonaws.com</member>")
    );
    world
        .iam("AddClientIDToOpenIDConnectProvider", &[arn, ("ClientID", "vault")])
        .await;
    world
        .iam(
            "RemoveClientIDFromOpenIDConnectProvider",
            &[arn, ("ClientID", "sts.amazonaws.com")],
        )
        .await;
    let token = issuer.token(&claims(&world, "{}"));
    assert_eq!(assume(&world, &token, &[]).await.error(), (400, "InvalidIdentityToken"));
    let again = world
        .query(&world.root, "iam", "CreateOpenIDConnectProvider", &[("Url", ISSUER)])
        .await;
    assert_eq!(again.error(), (409, "EntityAlreadyExists"));
    let listed = world.iam("ListOpenIDConnectProviders", &[]).await;
    assert_eq!(listed.element("Arn"), Some(PROVIDER));
    world.iam("DeleteOpenIDConnectProvider", &[arn]).await;
    let gone = world
        .query(&world.root, "iam", "GetOpenIDConnectProvider", &[arn])
        .await;
    assert_eq!(gone.error(), (404, "NoSuchEntity"));
}
