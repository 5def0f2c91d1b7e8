use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Request;
use rolecall_vault::{Door, Settings, Vault};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    client::{Answer, send},
    surroundings::{ACCOUNT, Surroundings},
};

pub(crate) const ROOT: &str = "root";
const LONG: Duration = Duration::from_secs(20);

/// A dev server with what is around it.
pub(crate) struct World {
    pub(crate) around: Surroundings,
    pub(crate) vault: Vault,
    pub(crate) address: SocketAddr,
}

// === impl World ===

impl World {
    /// Nothing is mounted.
    pub(crate) async fn bare() -> Self {
        let around = Surroundings::start().await;
        let vault = Vault::new(Settings::dev(around.clock.clone(), ROOT));
        let address = serve(&vault, Door::World, &around).await;
        Self { around, vault, address }
    }

    /// The AWS engine at `aws/` and `auth/kubernetes`, both configured, with the roles `readonly` (an IAM user) and `assume`,
    /// the policy `reader` for both, and the auth role `reader` that gives it for 20 minutes, an hour at most.
    pub(crate) async fn start() -> Self {
        let world = Self::bare().await;
        let put = async |path: &str, body: Value| {
            let answer = world.ask("POST", path, ROOT, body).await;
            assert!(answer.status < 300, "{path}: {}", answer.text);
        };
        put("sys/mounts/aws", json!({"type": "aws"})).await;
        put("aws/config/root", world.config()).await;
        put("aws/config/lease", json!({"lease": "120s", "lease_max": "300s"})).await;
        let managed = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess";
        put(
            "aws/roles/readonly",
            json!({"credential_type": "iam_user", "policy_arns": managed}),
        )
        .await;
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/Reader");
        put(
            "aws/roles/assume",
            json!({"credential_type": "assumed_role", "role_arns": arn}),
        )
        .await;
        let policy = r#"path "aws/creds/*" { capabilities = ["read"] }
            path "aws/sts/*" { capabilities = ["read", "update"] }"#;
        put("sys/policies/acl/reader", json!({"policy": policy})).await;
        put("sys/auth/kubernetes", json!({"type": "kubernetes"})).await;
        put("auth/kubernetes/config", world.kubernetes()).await;
        let role = json!({"bound_service_account_names": "reader", "bound_service_account_namespaces": "jobs",
            "token_policies": "reader", "token_ttl": "20m", "token_max_ttl": "1h", "audience": "vault"});
        put("auth/kubernetes/role/reader", role).await;
        world
    }

    /// What `config/root` is to be.
    pub(crate) fn config(&self) -> Value {
        let endpoint = format!("http://{}", self.around.aws);
        json!({"access_key": self.around.key.0, "secret_key": self.around.key.1, "region": "us-east-1",
            "iam_endpoint": endpoint, "sts_endpoint": endpoint})
    }

    /// What `auth/kubernetes/config` is to be.
    pub(crate) fn kubernetes(&self) -> Value {
        json!({"kubernetes_host": format!("https://{}", self.around.kubernetes),
            "kubernetes_ca_cert": self.around.cluster.ca_pem(), "token_reviewer_jwt": self.around.reviewer()})
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        ask(self.address, method, path, token, body).await
    }

    pub(crate) async fn read(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, token, Value::Null).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask("PUT", path, ROOT, body).await
    }

    /// The token of a login as `jobs/reader`.
    pub(crate) async fn login(&self) -> String {
        let jwt = self.around.jwt("reader", "vault").await;
        let answer = self
            .ask(
                "POST",
                "auth/kubernetes/login",
                "",
                json!({"role": "reader", "jwt": jwt}),
            )
            .await;
        answer.expect(200)["auth"]["client_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Moves the clock and lets what follows from it happen.
    pub(crate) async fn advance(&self, seconds: u64) {
        self.around.clock.advance(Duration::from_secs(seconds));
        self.vault.settle().await;
    }
}

/// Serves until the surroundings are dropped.
pub(crate) async fn serve(vault: &Vault, door: Door, around: &Surroundings) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (served, ended) = (vault.clone(), around.stop.clone());
    tokio::spawn(async move { served.serve(listener, door, ended).await });
    address
}

/// Asks a server for a path below `/v1/`.
pub(crate) async fn try_ask(
    to: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> std::io::Result<Answer> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/v1/{path}"))
        .header("host", to.to_string());
    if !token.is_empty() {
        request = request.header("x-vault-token", token);
    }
    let request = request.body(Bytes::from(body.to_owned())).expect("a request");
    tokio::time::timeout(LONG, send(to, None, request))
        .await
        .expect("an answer in time")
}

pub(crate) async fn ask(to: SocketAddr, method: &str, path: &str, token: &str, body: Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    try_ask(to, method, path, token, &body).await.expect("an answer")
}

/// Polls until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = rolecall_clock::monotonic();
    while !holds().await {
        assert!(rolecall_clock::since(start) < LONG, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
