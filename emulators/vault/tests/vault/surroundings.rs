use std::net::SocketAddr;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use http::{Method, Request};
use rolecall_aws::{AccessKey, Door, Enforcement, Front, Settings};
use rolecall_clock::Clock;
use rolecall_kubernetes::{Cluster, ExposeSecret, User};
use rolecall_vault::CancellationToken;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Answer, send};

pub(crate) const ACCOUNT: &str = "123456789012";
const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// AWS and Kubernetes, on the loopback until they are dropped.
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) front: Front,
    pub(crate) cluster: Cluster,
    pub(crate) aws: SocketAddr,
    pub(crate) kubernetes: SocketAddr,
    /// The key of the user `vault-root`, which may do anything.
    pub(crate) key: (String, String),
    pub(crate) stop: CancellationToken,
}

// === impl Surroundings ===

impl Surroundings {
    /// With the user `vault-root`, the role `Reader` that trusts it, and the service account `jobs/reader`.
    pub(crate) async fn start() -> Self {
        let clock = Clock::stopped();
        let stop = CancellationToken::new();
        let front = Front::new(Settings {
            account: ACCOUNT.to_owned(),
            region: "us-east-1".to_owned(),
            root: AccessKey {
                id: "AKIAROOT".to_owned(),
                secret: "root secret".into(),
            },
            clock: clock.clone(),
            enforcement: Enforcement::On,
            upstream: None,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let aws = listener.local_addr().expect("an address");
        let (served, ended) = (front.clone(), stop.clone());
        tokio::spawn(async move { served.serve(listener, Door::World, ended).await });
        let cluster = Cluster::new(clock.clone()).expect("a cluster");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let kubernetes = listener.local_addr().expect("an address");
        let (served, ended) = (cluster.clone(), stop.clone());
        tokio::spawn(async move { served.serve(listener, ended).await });
        let mut surroundings = Self {
            clock,
            front,
            cluster,
            aws,
            kubernetes,
            key: ("AKIAROOT".to_owned(), "root secret".to_owned()),
            stop,
        };
        surroundings
            .iam("CreateUser", &[("UserName", "vault-root")])
            .await
            .expect(200);
        let all = [
            ("UserName", "vault-root"),
            ("PolicyName", "all"),
            ("PolicyDocument", ALLOW_ALL),
        ];
        surroundings.iam("PutUserPolicy", &all).await.expect(200);
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/vault-root"}},"Action":["sts:AssumeRole","sts:TagSession"]}}]}}"#
        );
        let role = [("RoleName", "Reader"), ("AssumeRolePolicyDocument", trust.as_str())];
        surroundings.iam("CreateRole", &role).await.expect(200);
        let key = surroundings.iam("CreateAccessKey", &[("UserName", "vault-root")]).await;
        surroundings.key = (element(&key.text, "AccessKeyId"), element(&key.text, "SecretAccessKey"));
        surroundings
            .admin(
                Method::POST,
                "/api/v1/namespaces",
                json!({"metadata": {"name": "jobs"}}),
            )
            .await
            .expect(201);
        let account = json!({"metadata": {"name": "reader"}});
        surroundings
            .admin(Method::POST, "/api/v1/namespaces/jobs/serviceaccounts", account)
            .await
            .expect(201);
        surroundings
    }

    /// Calls IAM with the key that is there now.
    pub(crate) async fn iam(&self, action: &str, params: &[(&str, &str)]) -> Answer {
        let all = params
            .iter()
            .copied()
            .chain([("Action", action), ("Version", "2010-05-08")]);
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(all)
            .finish();
        self.signed("iam", body).await
    }

    async fn signed(&self, service: &str, body: String) -> Answer {
        let mut request = Request::post(format!("http://{}/", self.aws))
            .header("host", self.aws.to_string())
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(Bytes::from(body))
            .expect("a request");
        let identity = Credentials::new(&self.key.0, &self.key.1, None, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(self.clock.wall().into())
            .settings(SigningSettings::default())
            .build()
            .expect("all is given")
            .into();
        let headers = request
            .headers()
            .iter()
            .map(|(n, v)| (n.as_str(), v.to_str().expect("a text")));
        let body = SignableBody::Bytes(request.body());
        let signable = SignableRequest::new("POST", request.uri().to_string(), headers, body).expect("signable");
        let (instructions, _) = sign(signable, &params).expect("signed").into_parts();
        instructions.apply_to_request_http1x(&mut request);
        *request.uri_mut() = "/".parse().expect("a path");
        send(self.aws, None, request).await.expect("an answer")
    }

    /// The names of the users that Vault has made.
    pub(crate) async fn vault_users(&self) -> Vec<String> {
        let users = self.iam("ListUsers", &[]).await.text;
        let names = users
            .split("<UserName>")
            .skip(1)
            .filter_map(|rest| rest.split('<').next());
        names.filter(|name| *name != "vault-root").map(str::to_owned).collect()
    }

    /// The actions that AWS was asked for since, in order, by whoever is not the operator of these tests.
    pub(crate) fn asked(&self, since: u64) -> Vec<String> {
        self.front
            .journal_since(since)
            .into_iter()
            .map(|entry| entry.operation)
            .collect()
    }

    pub(crate) fn mark(&self) -> u64 {
        self.front.journal().last().map_or(0, |entry| entry.number + 1)
    }

    pub(crate) async fn admin(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.kubernetes.to_string())
            .header("content-type", "application/json")
            .header(
                "authorization",
                format!("Bearer {}", self.cluster.token(User::Admin).expose_secret()),
            )
            .body(Bytes::from(if body.is_null() {
                String::new()
            } else {
                body.to_string()
            }))
            .expect("a request");
        send(self.kubernetes, Some(self.cluster.ca_pem()), request)
            .await
            .expect("an answer")
    }

    /// A token of a service account in the namespace `jobs`, for Vault.
    pub(crate) async fn jwt(&self, account: &str, audience: &str) -> String {
        let path = format!("/api/v1/namespaces/jobs/serviceaccounts/{account}/token");
        let body = json!({"spec": {"audiences": [audience], "expirationSeconds": 3600}});
        let answer = self.admin(Method::POST, &path, body).await.expect(201);
        answer["status"]["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn reviewer(&self) -> String {
        self.cluster.token(User::TokenReviewer).expose_secret().to_owned()
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The text of an element of that name.
pub(crate) fn element(xml: &str, name: &str) -> String {
    let rest = xml
        .split(&format!("<{name}>"))
        .nth(1)
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split('<').next().unwrap_or_default().to_owned()
}
