//! The program between the Kubernetes emulator and the Vault emulator: the token that the API server gives is reviewed by
//! it, and what Vault gives comes from AWS, which is wiremock.

use std::net::SocketAddr;

use jiff::SignedDuration;
use rolecall_clock::{Clock, real_wall};
use rolecall_kubernetes::User;
use rolecall_vault::{CancellationToken, Door, ExposeSecret as _, Settings, Vault};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::world::World;

const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/readonly";

/// STS, as far as Vault asks it.
async fn gives_keys(sts: &MockServer) {
    let answer = |request: &Request| {
        let namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let xml = if body.contains("Action=AssumeRole") {
            let until = real_wall() + SignedDuration::from_secs(900);
            format!(
                "<AssumeRoleResponse xmlns=\"{namespace}\"><AssumeRoleResult><Credentials><AccessKeyId>ASIAVAULT\
                 </AccessKeyId><SecretAccessKey>pod-secret</SecretAccessKey><SessionToken>pod-token</SessionToken>\
                 <Expiration>{}</Expiration></Credentials><AssumedRoleUser><Arn>\
                 arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser>\
                 </AssumeRoleResult></AssumeRoleResponse>",
                until.strftime("%Y-%m-%dT%H:%M:%SZ")
            )
        } else {
            format!(
                "<GetCallerIdentityResponse xmlns=\"{namespace}\"><GetCallerIdentityResult><Arn>\
                 arn:aws:iam::123456789012:user/vault</Arn><UserId>AIDA</UserId><Account>123456789012</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        };
        ResponseTemplate::new(200).set_body_raw(xml, "text/xml")
    };
    Mock::given(any()).respond_with(answer).mount(sts).await;
}

/// Writes to Vault as its root.
async fn put(vault: SocketAddr, path: &str, body: &Value) {
    let mut stream = TcpStream::connect(vault).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "PUT /v1/{path} HTTP/1.1\r\nHost: vault\r\nX-Vault-Token: root\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
}

async fn configure(at: SocketAddr, world: &World) {
    let sts = world.sts.uri();
    let reviewer = world.cluster.token(User::TokenReviewer);
    let policy = "path \"aws/sts/readonly\" { capabilities = [\"read\"] }";
    for (path, body) in [
        ("sys/mounts/aws", json!({ "type": "aws" })),
        ("sys/auth/kubernetes", json!({ "type": "kubernetes" })),
        ("sys/policies/acl/readonly", json!({ "policy": policy })),
        (
            "aws/config/root",
            json!({ "access_key": "AKIAVAULT", "secret_key": "vault-secret", "region": "us-east-1",
                    "sts_endpoint": sts, "iam_endpoint": sts }),
        ),
        (
            "aws/roles/readonly",
            json!({ "credential_type": "assumed_role", "role_arns": ["arn:aws:iam::123456789012:role/r"],
                    "default_sts_ttl": "15m" }),
        ),
        (
            "auth/kubernetes/config",
            json!({ "kubernetes_host": world.server, "kubernetes_ca_cert": world.cluster.ca_pem(),
                    "token_reviewer_jwt": reviewer.expose_secret() }),
        ),
        (
            "auth/kubernetes/role/readonly",
            json!({ "bound_service_account_names": "default", "bound_service_account_namespaces": "default",
                    "audience": "vault", "token_policies": "readonly", "token_ttl": "20m" }),
        ),
    ] {
        put(at, path, &body).await;
    }
}

#[tokio::test]
async fn a_pods_own_token_gets_it_a_lease_and_what_was_got_is_revoked() {
    let vault = Vault::new(Settings::dev(Clock::new(), "root"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    tokio::spawn({
        let (vault, stop) = (vault.clone(), stop.clone());
        async move { vault.serve(listener, Door::World, stop).await }
    });
    let flag = format!("--vault-addr=http://{at}");
    let mut world = World::starting_as(User::VaultProxy, 44, &[&flag]).await;
    world.until_ready().await;
    gives_keys(&world.sts).await;
    configure(at, &world).await;
    let before = vault.tokens();

    let pod = json!({ "iam.amazonaws.com/vault-role": "readonly" });
    let (first, second) = (
        world.pod("first", pod.clone()).await,
        world.pod("second", pod.clone()).await,
    );
    let answer = world.get(&first, CREDENTIALS).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        (&document["AccessKeyId"], &document["Token"]),
        (&json!("ASIAVAULT"), &json!("pod-token"))
    );
    assert_eq!((vault.tokens(), vault.leases().len()), (before + 1, 1));

    // Sealed: who has keys keeps them, who has none is refused at once, and nothing has to be started again.
    put(at, "sys/seal", &json!({})).await;
    assert_eq!(world.get(&first, CREDENTIALS).await.status, 200);
    assert_eq!(world.get(&second, CREDENTIALS).await.status, 503);
    let key = vault.unseal_key().unwrap();
    put(at, "sys/unseal", &json!({ "key": key.expose_secret() })).await;
    world
        .until("the second pod is served", async |world| {
            world.get(&second, CREDENTIALS).await.status == 200
        })
        .await;

    world.delete_pod("first").await;
    world
        .until("its token is revoked", async |_| vault.tokens() == before + 1)
        .await;
    let (status, log) = world.terminate().await;
    assert!(status.success(), "{log}");
    assert_eq!((vault.tokens(), vault.leases().len()), (before, 0), "{log}");
    stop.cancel();
}
