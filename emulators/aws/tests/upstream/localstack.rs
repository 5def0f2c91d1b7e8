use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rolecall_aws::{AccessKey, Account, Door, Enforcement, Front, Settings, Upstream};
use rolecall_clock::Clock;

use crate::{
    signer::Keys,
    world::{Ask, Reply, World, keys},
};

/// Two accounts of their own in a LocalStack that others may use too.
pub(crate) struct Local {
    pub(crate) world: World,
    pub(crate) account: String,
    pub(crate) partner_account: String,
    pub(crate) partner: Keys,
    url: String,
}

/// Two accounts in the LocalStack of `ROLECALL_LOCALSTACK`; none, and a word about it, if there is none.
pub(crate) async fn local() -> Option<Local> {
    local_with(Enforcement::On).await
}

pub(crate) async fn local_with(enforcement: Enforcement) -> Option<Local> {
    let Ok(url) = std::env::var("ROLECALL_LOCALSTACK") else {
        eprintln!("skipped: ROLECALL_LOCALSTACK gives no URL of a LocalStack, such as http://127.0.0.1:4566");
        return None;
    };
    Some(Local::over(&url, enforcement).await)
}

/// Twelve digits that nobody else has.
fn number(plus: u64) -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:012}", RandomState::new().hash_one(plus) % 1_000_000_000_000)
}

// === impl Local ===

impl Local {
    pub(crate) async fn over(url: &str, enforcement: Enforcement) -> Self {
        let (account, partner_account) = (number(1), number(2));
        let clock = Clock::stopped();
        let root = key("AKIAROOT", "root secret");
        let partner = key("AKIAPARTNER", "partner secret");
        let settings = Settings {
            account: account.clone(),
            region: "us-east-1".to_owned(),
            root: access_key(&root),
            clock: clock.clone(),
            enforcement,
            upstream: Some(Upstream::new(url).expect("a URL")),
        };
        let other = Account {
            id: partner_account.clone(),
            root: access_key(&partner),
        };
        let front = Front::with_accounts(settings, &[other]).expect("accounts that can be told apart");
        Self {
            world: World::listen(front, clock, root, Door::World).await,
            account,
            partner_account,
            partner,
            url: url.to_owned(),
        }
    }

    /// A name of a bucket that nobody else has.
    pub(crate) fn bucket(&self, name: &str) -> String {
        format!("{name}-{}", self.account)
    }

    pub(crate) async fn put(&self, keys: &Keys, path: &str, body: &str) -> Reply {
        let ask = Ask {
            body: body.as_bytes().to_vec(),
            ..Ask::s3(Method::PUT, path)
        };
        self.world.ask(keys, ask).await
    }

    pub(crate) async fn role(&self, name: &str, principal: &str) -> String {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
        );
        let params = [("RoleName", name), ("AssumeRolePolicyDocument", trust.as_str())];
        self.world.iam("CreateRole", &params).await;
        format!("arn:aws:iam::{}:role/{name}", self.account)
    }

    pub(crate) async fn assume(&self, keys: &Keys, arn: &str, more: &[(&str, &str)]) -> Reply {
        let mut params = vec![("RoleArn", arn), ("RoleSessionName", "session")];
        params.extend(more);
        self.world.query(keys, "sts", "AssumeRole", &params).await
    }

    /// A role of EC2's in a profile of the same name, and the keys of an instance that has it.
    pub(crate) async fn node(&self, name: &str) -> Keys {
        self.role(name, r#"{"Service":"ec2.amazonaws.com"}"#).await;
        let world = &self.world;
        world
            .iam("CreateInstanceProfile", &[("InstanceProfileName", name)])
            .await;
        let params = [("InstanceProfileName", name), ("RoleName", name)];
        world.iam("AddRoleToInstanceProfile", &params).await;
        keys(
            &world
                .front
                .instance_credentials(name, "i-1")
                .await
                .expect("EC2 is trusted"),
        )
    }

    /// What LocalStack itself says to an account, past the front.
    pub(crate) async fn behind(&self, account: &str, service: &str, method: Method, path: &str, form: &str) -> String {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={account}/20261124/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", authorization)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form.to_owned())))
            .expect("a request");
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let response = client.request(request).await.expect("an answer");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        String::from_utf8(body.to_vec()).expect("a text")
    }

    /// Removes what the test made.
    pub(crate) async fn end(self) {
        self.world.front.remove_all().await.expect("all of it can be removed");
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.world.clock.wall().into()
    }
}

fn key(id: &str, secret: &str) -> Keys {
    Keys {
        id: id.to_owned(),
        secret: secret.to_owned(),
        token: None,
    }
}

fn access_key(keys: &Keys) -> AccessKey {
    AccessKey {
        id: keys.id.clone(),
        secret: keys.secret.as_str().into(),
    }
}
