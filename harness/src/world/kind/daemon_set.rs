//! The subject as Kubernetes objects: a DaemonSet on the nodes' own network, with no more rights than it needs.

use std::net::Ipv4Addr;

use k8s_openapi::api::{
    apps::v1::DaemonSet,
    core::v1::{Namespace, ServiceAccount},
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    containers::API_PORT,
    marks::{Marks, NAMESPACE},
};
use crate::{
    subject::{Listener, NodeFacts, Settings, Subject},
    world::WorldError,
};

/// Name of the DaemonSet, and of all that belongs to it.
pub(super) const PROXY: &str = "rolecall-proxy";
/// Label of the DaemonSet's pods.
pub(super) const APP: &str = "app.kubernetes.io/name";
/// Label of the nodes that the subject is to run on: without it, it stays away until it is started again.
pub(super) const RUNS_HERE: &str = "rolecall.dev/proxy";
/// Changes with every roll, so that a new pod is told from an old one.
pub(super) const ROLL: &str = "rolecall.dev/roll";
/// The name that the API server's certificate has in every cluster.
const API_SERVER: &str = "kubernetes.default.svc";
/// Who applies.
pub(super) const MANAGER: &str = "rolecall";

/// What the subject is started with in one scenario.
#[derive(Clone, Debug)]
pub(super) struct SubjectPlan {
    pub(super) subject: Subject,
    pub(super) image: String,
    pub(super) settings: Settings,
    /// `http://…`, where it finds AWS.
    pub(super) endpoint: String,
    /// `http://…`, where it finds Vault, if there is one.
    pub(super) vault: Option<String>,
    /// Where it finds the API server: the front, which passes its connections on and can cut them.
    pub(super) api_server: Ipv4Addr,
    pub(super) region: String,
    pub(super) account: String,
    /// What moving its clock wants.
    pub(super) clock_token: String,
    pub(super) marks: Marks,
}

// === impl SubjectPlan ===

impl SubjectPlan {
    /// The DaemonSet of this roll.
    ///
    /// # Errors
    /// None that a setting can cause.
    pub(super) fn daemon_set(&self, roll: &str) -> Result<DaemonSet, WorldError> {
        let facts = NodeFacts {
            // The kubelet puts the values in.
            node: "$(NODE_NAME)".to_owned(),
            host_ip: "$(HOST_IP)".to_owned(),
            // The pods' ends of kind's network.
            interface: "veth+".to_owned(),
            kubeconfig: None,
            metadata_address: super::routes::METADATA,
            vault: self.vault.clone(),
            base_role_arn: format!("arn:aws:iam::{}:role/", self.account),
        };
        let of = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
        let mut environment = vec![
            of("NODE_NAME", "spec.nodeName"),
            of("HOST_IP", "status.hostIP"),
            json!({"name": "AWS_ENDPOINT_URL", "value": self.endpoint}),
            json!({"name": "AWS_REGION", "value": self.region}),
            json!({"name": "AWS_DEFAULT_REGION", "value": self.region}),
            // In place of those of the service: the API server's certificate has this name, and not the front's address.
            json!({"name": "KUBERNETES_SERVICE_HOST", "value": API_SERVER}),
            json!({"name": "KUBERNETES_SERVICE_PORT", "value": API_PORT.to_string()}),
        ];
        let own = self.subject.environment(&self.clock_token);
        environment.extend(
            own.into_iter()
                .map(|(name, value)| json!({"name": name, "value": value})),
        );
        let readiness = self.subject.readiness();
        let host = match readiness.at {
            Listener::Loopback(_) => json!("127.0.0.1"),
            Listener::Node(_) => Value::Null,
        };
        let labels = json!({APP: PROXY});
        object(json!({
            "metadata": {"name": PROXY, "namespace": NAMESPACE, "labels": self.marks.labels()},
            "spec": {
                "selector": {"matchLabels": labels},
                // A new setting is for all nodes at once, as a test wants it.
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
                "template": {
                    "metadata": {"labels": labels, "annotations": {ROLL: roll}},
                    "spec": {
                        "hostNetwork": true,
                        "hostAliases": [{"ip": self.api_server, "hostnames": [API_SERVER]}],
                        "nodeSelector": {RUNS_HERE: "yes"},
                        "serviceAccountName": PROXY,
                        "terminationGracePeriodSeconds": 5,
                        "containers": [{
                            "name": PROXY,
                            "image": self.image,
                            "imagePullPolicy": "IfNotPresent",
                            "args": self.subject.flags(&self.settings, &facts),
                            "env": environment,
                            "securityContext": least(),
                            "readinessProbe": {
                                "httpGet": {"host": host, "port": readiness.at.port(), "path": readiness.path},
                                "periodSeconds": 1
                            }
                        }]
                    }
                }
            }
        }))
    }
}

/// Writing a rule to nf_tables wants NET_ADMIN, and of a user other than 0 the kernel takes even that.
pub(super) fn least() -> Value {
    json!({
        "runAsUser": 0,
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
        "seccompProfile": {"type": "RuntimeDefault"}
    })
}

/// Makes what the subject's pods need before there is one: their namespace, their service account, and its rights.
///
/// # Errors
/// What the API server says.
pub(super) async fn grant(client: &Client, marks: &Marks) -> Result<(), WorldError> {
    // A run that was killed may have left it on its way out.
    super::tidy::until_none_goes(client, &[NAMESPACE.to_owned()]).await?;
    let labels = marks.labels();
    let namespace: Namespace = object(json!({"metadata": {"name": NAMESPACE, "labels": labels}}))?;
    apply(&Api::all(client.clone()), &namespace).await?;
    let account: ServiceAccount =
        object(json!({"metadata": {"name": PROXY, "namespace": NAMESPACE, "labels": labels}}))?;
    let binding: ClusterRoleBinding = object(json!({
        "metadata": {"name": PROXY, "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": PROXY},
        "subjects": [{"kind": "ServiceAccount", "name": PROXY, "namespace": NAMESPACE}]
    }))?;
    let accounts = Api::namespaced(client.clone(), NAMESPACE);
    let (bindings, settings) = (Api::all(client.clone()), Settings::default());
    tokio::try_join!(
        apply(&accounts, &account),
        allow(client, marks, &settings),
        apply(&bindings, &binding)
    )
    .map(drop)
}

/// Lets the subject do what it needs with these settings, and no more.
///
/// # Errors
/// What the API server says.
pub(super) async fn allow(client: &Client, marks: &Marks, settings: &Settings) -> Result<(), WorldError> {
    let role: ClusterRole = object(json!({
        "metadata": {"name": PROXY, "labels": marks.labels()},
        "rules": rules(settings)
    }))?;
    apply(&Api::all(client.clone()), &role).await.map(drop)
}

/// Whoever may make tokens of any service account is close to being the cluster's administrator, so that right is given
/// only where keys come from Vault.
fn rules(settings: &Settings) -> Value {
    let mut rules = vec![json!({"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"]})];
    if settings.asks_vault() {
        rules.push(json!({"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}));
    }
    rules.into()
}

/// An object of Kubernetes', from its members.
pub(super) fn object<T: DeserializeOwned>(members: Value) -> Result<T, WorldError> {
    serde_json::from_value(members).map_err(|error| WorldError::doing("write a Kubernetes object", &error))
}

/// Applies an object, as `kubectl apply --server-side` does.
///
/// # Errors
/// What the API server says.
pub(super) async fn apply<T>(api: &Api<T>, object: &T) -> Result<T, WorldError>
where
    T: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let name = object.meta().name.clone().unwrap_or_default();
    let parameters = PatchParams::apply(MANAGER).force();
    api.patch(&name, &parameters, &Patch::Apply(object))
        .await
        .map_err(|error| WorldError::doing(format_args!("apply {} {name}", T::kind(&())), &error))
}

#[cfg(test)]
mod tests {
    use rolecall_scenario::model::VaultUse;

    use super::*;

    fn plan() -> SubjectPlan {
        SubjectPlan {
            subject: Subject::Bundled,
            image: "rolecall-proxy:1".to_owned(),
            settings: Settings::default(),
            endpoint: "http://172.18.0.9:4566".to_owned(),
            vault: Some("http://172.18.0.9:8200".to_owned()),
            api_server: Ipv4Addr::new(172, 18, 0, 9),
            region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            clock_token: "token".to_owned(),
            marks: Marks::of("20261124T171345Z-0a1f"),
        }
    }

    #[test]
    fn the_subject_has_one_capability_and_runs_where_it_is_not_stopped() {
        let daemon_set = serde_json::to_value(plan().daemon_set("1").expect("objects")).expect("JSON");
        let pod = &daemon_set["spec"]["template"]["spec"];
        assert_eq!(pod["nodeSelector"], json!({RUNS_HERE: "yes"}));
        assert_eq!(pod["hostNetwork"], true);
        let context = &pod["containers"][0]["securityContext"];
        assert_eq!(context["capabilities"], json!({"drop": ["ALL"], "add": ["NET_ADMIN"]}));
        assert_eq!(context["allowPrivilegeEscalation"], false);
        let readiness = &pod["containers"][0]["readinessProbe"]["httpGet"];
        assert_eq!(
            (&readiness["host"], &readiness["path"]),
            (&json!("127.0.0.1"), &json!("/readyz"))
        );
    }

    #[test]
    fn the_subject_intercepts_the_pods_ends_of_kinds_network_and_knows_its_own_node() {
        let daemon_set = serde_json::to_value(plan().daemon_set("1").expect("objects")).expect("JSON");
        let arguments = daemon_set["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
        for argument in ["--host-interface=veth+", "--node=$(NODE_NAME)", "--host-ip=$(HOST_IP)"] {
            assert!(arguments.contains(argument), "{argument} is not in {arguments}");
        }
        assert!(
            !arguments.contains("--kubeconfig"),
            "in a pod the service account is used: {arguments}"
        );
    }

    #[test]
    fn the_subject_may_make_tokens_only_where_its_keys_come_from_vault() {
        let mut plan = plan();
        let of = |plan: &SubjectPlan| {
            let daemon_set = serde_json::to_value(plan.daemon_set("1").expect("objects")).expect("JSON");
            let arguments = daemon_set["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
            let rules = rules(&plan.settings).to_string();
            (
                arguments.contains("--vault-addr"),
                rules.contains("serviceaccounts/token"),
            )
        };
        assert_eq!(of(&plan), (false, false));
        plan.settings.vault = Some(VaultUse::On { auth_role: None });
        assert_eq!(of(&plan), (true, true));
    }

    #[test]
    fn the_subject_reaches_the_api_server_by_its_certificates_name_through_the_front() {
        let daemon_set = serde_json::to_value(plan().daemon_set("1").expect("objects")).expect("JSON");
        let pod = &daemon_set["spec"]["template"]["spec"];
        let aliases = json!([{"ip": "172.18.0.9", "hostnames": ["kubernetes.default.svc"]}]);
        assert_eq!(pod["hostAliases"], aliases);
        let environment = pod["containers"][0]["env"].as_array().expect("variables");
        for (name, value) in [("HOST", "kubernetes.default.svc"), ("PORT", "6443")] {
            let variable = json!({"name": format!("KUBERNETES_SERVICE_{name}"), "value": value});
            assert!(environment.contains(&variable), "{variable} is not in {environment:?}");
        }
    }

    #[test]
    fn two_rolls_differ_so_that_new_pods_come() {
        let roll = |roll| plan().daemon_set(roll).expect("objects").spec.template;
        assert_ne!(roll("1"), roll("2"));
    }
}
