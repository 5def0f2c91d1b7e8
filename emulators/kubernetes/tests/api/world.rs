//! Where the tests run: against an embedded cluster, or, with `ROLECALL_KUBECONFIG=/path` of an administrator, against
//! the API server that it names. What holds for both is written once.
//!
//! A real server's nodes must have the images `example.com/app:1`, `example.com/daemon:1`, `example.com/web:1` and
//! `example.com/web:2`, which may be any program that waits, such as `registry.k8s.io/pause`. Each test has a namespace of
//! its own, deleted at its end; the cluster roles and bindings `rolecall-test-*` stay. Users are impersonated.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod, ServiceAccount};
use kube::{
    Api, Client, Config,
    api::{DeleteParams, PostParams},
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use rolecall_kubernetes::User;
use serde_json::{Value, json};

use crate::embedded::{Embedded, eventually};

/// The variable that names the kubeconfig of a real server.
pub(crate) const KUBECONFIG: &str = "ROLECALL_KUBECONFIG";

/// A server, and a namespace of it that is this test's own.
pub(crate) struct World {
    pub(crate) namespace: String,
    server: Server,
}

enum Server {
    Embedded(Box<Embedded>),
    Real(Box<Config>),
}

/// Nothing takes longer than this unless it is broken.
pub(crate) fn patience() -> Duration {
    Duration::from_secs(if std::env::var_os(KUBECONFIG).is_some() { 90 } else { 10 })
}

impl World {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = match std::env::var_os(KUBECONFIG) {
            None => Server::Embedded(Box::new(Embedded::start().await)),
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path).expect("a kubeconfig");
                let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
                Server::Real(Box::new(config.expect("a configuration")))
            }
        };
        let mut random = Vec::new();
        for _ in 0..6 {
            random.push(char::from(b'a' + rand::random::<u8>() % 26));
        }
        let world = Self {
            namespace: format!("test-{}", random.into_iter().collect::<String>()),
            server,
        };
        if let Server::Real(_) = world.server {
            permit(&world.client(User::Admin).await).await;
        }
        world.make_namespace(&world.namespace).await;
        world
    }

    /// Makes a namespace, and waits for the account that pods in it have.
    pub(crate) async fn make_namespace(&self, name: &str) {
        let client = self.client(User::Admin).await;
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).expect("a namespace");
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .expect("created");
        let accounts: Api<ServiceAccount> = Api::namespaced(client, name);
        eventually("the default account is there", async || {
            accounts.get_opt("default").await.ok()?
        })
        .await;
    }

    /// The embedded cluster, if it is one.
    pub(crate) fn embedded(&self) -> Option<&Embedded> {
        match &self.server {
            Server::Embedded(embedded) => Some(embedded),
            Server::Real(_) => None,
        }
    }

    /// A client of the API server.
    pub(crate) async fn client(&self, user: User) -> Client {
        match &self.server {
            Server::Embedded(embedded) => embedded.client(user).await,
            Server::Real(config) => {
                let mut config = Config::clone(config);
                if user != User::Admin {
                    config.auth_info.impersonate = Some(user.name().to_owned());
                }
                Client::try_from(config).expect("a client")
            }
        }
    }

    /// A client that sends this token, or none.
    pub(crate) async fn client_by_token(&self, token: Option<&str>) -> Client {
        let mut config = match &self.server {
            Server::Embedded(embedded) => embedded.config(User::Admin).await,
            Server::Real(config) => Config::clone(config),
        };
        config.auth_info = AuthInfo {
            token: token.map(|token| token.to_owned().into()),
            ..AuthInfo::default()
        };
        Client::try_from(config).expect("a client")
    }

    /// The pods of the test's namespace, as an admin sees them.
    pub(crate) async fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client(User::Admin).await, &self.namespace)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let Server::Real(config) = &self.server else { return };
        let (config, name) = (Config::clone(config), self.namespace.clone());
        // There is no runtime left to wait in.
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let namespaces: Api<Namespace> = Api::all(Client::try_from(config).expect("a client"));
                namespaces.delete(&name, &DeleteParams::default()).await.map(drop)
            })
        });
        if !matches!(ended.join(), Ok(Ok(()))) {
            eprintln!("the namespace {} is left behind", self.namespace);
        }
    }
}

/// Lets the users do on a real server what they may do on the embedded one.
async fn permit(client: &Client) {
    let reading = json!({"apiGroups": [""], "resources": ["namespaces", "nodes", "pods", "serviceaccounts"],
        "verbs": ["get", "list", "watch"]});
    let tokens = json!({"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]});
    let reviews = json!({"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]});
    for (user, rules) in [
        (User::Proxy, json!([reading])),
        (User::VaultProxy, json!([reading, tokens])),
        (User::TokenReviewer, json!([reviews])),
    ] {
        let name = format!("rolecall-test-{}", user.name());
        let group = "rbac.authorization.k8s.io";
        for (kind, plural, fields) in [
            ("ClusterRole", "clusterroles", json!({"rules": rules})),
            (
                "ClusterRoleBinding",
                "clusterrolebindings",
                json!({
                    "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
                    "subjects": [{"apiGroup": group, "kind": "User", "name": user.name()}],
                }),
            ),
        ] {
            let mut object = json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": name}});
            object
                .as_object_mut()
                .expect("an object")
                .extend(fields.as_object().expect("fields").clone());
            let request = http::Request::patch(format!(
                "/apis/{group}/v1/{plural}/{name}?fieldManager=rolecall-test&force=true"
            ))
            .header("content-type", "application/apply-patch+yaml");
            let request = request.body(object.to_string().into_bytes()).expect("a request");
            client.request::<Value>(request).await.expect("applied");
        }
    }
}
