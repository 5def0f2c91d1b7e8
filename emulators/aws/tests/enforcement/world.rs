use std::net::SocketAddr;

use aws_sigv4::http_request::SignableBody;
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rolecall_aws::{AccessKey, Account, CancellationToken, Door, Enforcement, Front, SessionCredentials, Settings};
use rolecall_clock::Clock;
use tokio::net::TcpListener;

use crate::signer::{How, Keys, signed};

pub(crate) const ACCOUNT: &str = "123456789012";
/// Another account of the same front.
pub(crate) const PARTNER: &str = "210987654321";
/// Trusts the role `node` and EC2, as the chapter's trust policy does.
pub(crate) const TRUST_NODE: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},
    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/node"},"Action":"sts:AssumeRole"}]}"#;
pub(crate) const TRUST_EC2: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A front that listens on the loopback until it is dropped.
pub(crate) struct World {
    pub(crate) front: Front,
    pub(crate) clock: Clock,
    pub(crate) root: Keys,
    address: SocketAddr,
    stop: CancellationToken,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A call to be signed and sent.
pub(crate) struct Ask<'a> {
    pub(crate) service: &'a str,
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) payload: Option<SignableBody<'a>>,
}

// === impl World ===

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Enforcement::On).await
    }

    pub(crate) async fn with(enforcement: Enforcement) -> Self {
        let clock = Clock::stopped();
        let root = Keys {
            id: "AKIAROOT".to_owned(),
            secret: "root secret".to_owned(),
            token: None,
        };
        let front = Front::with_accounts(
            Settings {
                account: ACCOUNT.to_owned(),
                region: "us-east-1".to_owned(),
                root: AccessKey {
                    id: root.id.clone(),
                    secret: root.secret.as_str().into(),
                },
                clock: clock.clone(),
                enforcement,
                upstream: None,
            },
            &[Account {
                id: PARTNER.to_owned(),
                root: AccessKey {
                    id: "AKIAPARTNER".to_owned(),
                    secret: "partner secret".into(),
                },
            }],
        )
        .expect("accounts that can be told apart");
        Self::listen(front, clock, root, Door::World).await
    }

    /// The same front by another listener.
    pub(crate) async fn by(&self, door: Door) -> Self {
        Self::listen(self.front.clone(), self.clock.clone(), self.root.clone(), door).await
    }

    pub(crate) async fn listen(front: Front, clock: Clock, root: Keys, door: Door) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let (served, ended) = (front.clone(), stop.clone());
        tokio::spawn(async move { served.serve(listener, door, ended).await });
        Self {
            front,
            clock,
            root,
            address,
            stop,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Reply {
        let (head, body) = request.into_parts();
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let response = client
            .request(Request::from_parts(head, Full::new(body)))
            .await
            .expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).expect("a text"),
        }
    }

    pub(crate) fn sign(&self, keys: &Keys, ask: Ask<'_>) -> Request<Bytes> {
        let mut request = Request::builder().method(ask.method).uri(self.url(ask.path));
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let body = Bytes::from(ask.body);
        let request = request.body(body.clone()).expect("a request");
        let payload = ask.payload.unwrap_or(SignableBody::Bytes(&body));
        let at = self.clock.wall().into();
        signed(
            request,
            keys,
            How {
                service: ask.service,
                at,
                body: payload,
                presigned: None,
            },
        )
    }

    pub(crate) async fn ask(&self, keys: &Keys, ask: Ask<'_>) -> Reply {
        self.send(self.sign(keys, ask)).await
    }

    /// An operation of IAM or STS.
    pub(crate) async fn query(&self, keys: &Keys, service: &str, action: &str, params: &[(&str, &str)]) -> Reply {
        self.ask(keys, query(service, action, params)).await
    }

    /// The root key of [`PARTNER`].
    pub(crate) fn partner(&self) -> Keys {
        Keys {
            id: "AKIAPARTNER".to_owned(),
            secret: "partner secret".to_owned(),
            token: None,
        }
    }

    /// An operation of IAM by the partner's root, which must succeed.
    pub(crate) async fn partner_iam(&self, action: &str, params: &[(&str, &str)]) -> Reply {
        let reply = self.query(&self.partner(), "iam", action, params).await;
        assert_eq!(reply.status, 200, "{action}: {}", reply.body);
        reply
    }

    /// A user of the main account, and its keys.
    pub(crate) async fn user(&self, name: &str) -> Keys {
        self.iam("CreateUser", &[("UserName", name)]).await;
        self.iam("CreateAccessKey", &[("UserName", name)]).await.keys()
    }

    /// An operation of IAM by root, which must succeed.
    pub(crate) async fn iam(&self, action: &str, params: &[(&str, &str)]) -> Reply {
        let reply = self.query(&self.root, "iam", action, params).await;
        assert_eq!(reply.status, 200, "{action}: {}", reply.body);
        reply
    }

    /// `GET path` of S3.
    pub(crate) async fn get(&self, keys: &Keys, path: &str) -> Reply {
        self.ask(keys, Ask::s3(Method::GET, path)).await
    }

    pub(crate) async fn assume(&self, keys: &Keys, role: &str, more: &[(&str, &str)]) -> Reply {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let mut params = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "session")];
        params.extend(more);
        self.query(keys, "sts", "AssumeRole", &params).await
    }

    /// The role `node`, its instance profile, and the keys of its instance `i-1`.
    pub(crate) async fn node(&self) -> Keys {
        self.iam(
            "CreateRole",
            &[("RoleName", "node"), ("AssumeRolePolicyDocument", TRUST_EC2)],
        )
        .await;
        self.iam("CreateInstanceProfile", &[("InstanceProfileName", "nodes")])
            .await;
        self.iam(
            "AddRoleToInstanceProfile",
            &[("InstanceProfileName", "nodes"), ("RoleName", "node")],
        )
        .await;
        keys(
            &self
                .front
                .instance_credentials("nodes", "i-1")
                .await
                .expect("EC2 is trusted"),
        )
    }

    /// The role `pod`, which trusts the node, and the keys of a session of it.
    pub(crate) async fn pod(&self) -> Keys {
        let node = self.node().await;
        self.iam(
            "CreateRole",
            &[("RoleName", "pod"), ("AssumeRolePolicyDocument", TRUST_NODE)],
        )
        .await;
        self.assume(&node, "pod", &[]).await.keys()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// An operation of a query service.
pub(crate) fn query<'a>(service: &'a str, action: &str, params: &[(&str, &str)]) -> Ask<'a> {
    let version = match service {
        "iam" => "2010-05-08",
        "ec2" => "2016-11-15",
        _ => "2011-06-15",
    };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", version);
    for (name, value) in params {
        form.append_pair(name, value);
    }
    Ask {
        service,
        method: Method::POST,
        path: "/",
        headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
        body: form.finish().into_bytes(),
        payload: None,
    }
}

pub(crate) fn keys(credentials: &SessionCredentials) -> Keys {
    Keys {
        id: credentials.access_key_id.clone(),
        secret: credentials.secret_access_key.expose().to_owned(),
        token: Some(credentials.session_token.expose().to_owned()),
    }
}

// === impl Ask ===

impl<'a> Ask<'a> {
    pub(crate) fn s3(method: Method, path: &'a str) -> Self {
        Self {
            service: "s3",
            method,
            path,
            headers: Vec::new(),
            body: Vec::new(),
            payload: None,
        }
    }
}

// === impl Reply ===

impl Reply {
    /// The text of the first element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let rest = &self.body[self.body.find(&start)? + start.len()..];
        Some(&rest[..rest.find(&end)?])
    }

    /// The body with its request ids masked.
    pub(crate) fn masked(&self) -> String {
        let mut body = self.body.clone();
        for name in ["RequestId", "RequestID", "requestId", "HostId"] {
            if let Some(id) = self.element(name) {
                body = body.replace(id, "MASKED");
            }
        }
        body
    }

    /// The error's code, and the status.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status, self.element("Code").unwrap_or("none"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The keys in an answer of AssumeRole or CreateAccessKey.
    pub(crate) fn keys(&self) -> Keys {
        let text = |name| self.element(name).map(str::to_owned);
        let needed = |name| text(name).unwrap_or_else(|| panic!("no {name} in {}", self.body));
        Keys {
            id: needed("AccessKeyId"),
            secret: needed("SecretAccessKey"),
            token: text("SessionToken"),
        }
    }
}
