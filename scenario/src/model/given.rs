use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;

use super::Vault;
use crate::Spanned;

/// What exists before the first step; `apply` takes the same words.
///
/// In an `apply`, a key that is not named stays as it was, and a key written as `null` gets its default back: the latter
/// is listed in [`Restored`] of the thing it belongs to, while its field is `None`. In `given` both mean the default, and
/// every `restored` is empty.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Further AWS accounts by the names that ARNs and [`Role::account`] use.
    pub accounts: Vec<Spanned<String>>,
    /// The cluster.
    pub cluster: ClusterSpec,
    /// Region of the AWS account; `us-east-1` where nothing is said.
    pub region: Option<String>,
    /// How late changes of IAM are seen, in the world's time; at once where nothing is said.
    pub propagation: Option<Duration>,
    /// Roles by name, `a/b/R` having the path `/a/b/`.
    pub roles: BTreeMap<String, Spanned<Role>>,
    /// IAM users by name.
    pub users: BTreeMap<String, Spanned<User>>,
    /// Buckets by name.
    pub buckets: BTreeMap<String, Spanned<Bucket>>,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Spanned<Namespace>>,
    /// Pods by the name steps use: `app`, or `team-b/app` with its namespace.
    pub pods: BTreeMap<String, Spanned<Pod>>,
    /// Manifests, applied in this order after everything else.
    pub manifests: Vec<Spanned<Manifest>>,
    /// Vault; `None` = not said.
    pub vault: Option<Spanned<Vault>>,
    /// `region` and `propagation`, if they were written as `null` in `aws`.
    pub restored: Restored,
}

/// The keys of a thing that an `apply` wrote as `null`, by their names in the language (`boundary`, `allowed_roles`, …).
pub type Restored = BTreeSet<&'static str>;

/// `given.cluster`.
#[derive(Clone, Debug, Default)]
pub struct ClusterSpec {
    /// Name of the cluster; `example.cluster.k8s.local` where nothing is said.
    pub name: Option<String>,
    /// Nodes in order; `master-1`, `node-1`, `node-2` where nothing is said.
    pub nodes: Option<Vec<String>>,
    /// `additionalPolicies.node`: the statements, or `None` for the default (the chapter's sts:AssumeRole).
    pub node_policies: Option<Spanned<StatementList>>,
    /// `additionalPolicies.master`.
    pub master_policies: Option<Spanned<StatementList>>,
    /// `base`: `kops` adds kops' own base policies to the roles; `None` = not said (in `given`: none).
    pub base: Option<String>,
    /// The instances' metadata service.
    pub imds: ImdsSpec,
    /// Keys written as `null`: `name`, `nodes`, `base`, and `node`, `master` of `additionalPolicies`.
    pub restored: Restored,
}

/// A list of policy statements as JSON values, from JSON text or a YAML list.
#[derive(Clone, Debug, PartialEq)]
pub struct StatementList(pub Vec<Value>);

/// `given.cluster.imds`.
#[derive(Clone, Debug, Default)]
pub struct ImdsSpec {
    /// `tokens: required`.
    pub tokens_required: Option<bool>,
    /// `hop_limit`.
    pub hop_limit: Option<u8>,
    /// `user_data`.
    pub user_data: Option<String>,
    /// Keys written as `null` (see [`Restored`]); a whole thing written as `null` has all of them here.
    pub restored: Restored,
}

/// An IAM role.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// Who may assume it; `None` = not said (in `given`: [`Trust::Node`]).
    pub trust: Option<Spanned<Trust>>,
    /// Managed policies, by name or ARN; `None` = not said.
    pub policies: Option<Vec<Spanned<String>>>,
    /// Inline policies by name; `None` = not said.
    pub inline: Option<BTreeMap<String, Spanned<Document>>>,
    /// Permissions boundary, by name or ARN.
    pub boundary: Option<Spanned<String>>,
    /// Maximum session duration.
    pub max_session: Option<Duration>,
    /// The further account it is in; `None` = not said (in `given`: the scenario's own).
    pub account: Option<Spanned<String>>,
    /// Keys written as `null` (see [`Restored`]); a whole thing written as `null` has all of them here.
    pub restored: Restored,
}

/// An IAM user.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Managed policies, by name or ARN; `None` = not said.
    pub policies: Option<Vec<Spanned<String>>>,
    /// Inline policies by name; `None` = not said.
    pub inline: Option<BTreeMap<String, Spanned<Document>>>,
    /// The name by which `using:` knows the user's access key; `None` = not said (in `given`: it has none).
    pub access_key: Option<Spanned<String>>,
    /// Keys written as `null` (see [`Restored`]); a whole thing written as `null` has all of them here.
    pub restored: Restored,
}

/// A role's trust.
#[derive(Clone, Debug, PartialEq)]
pub enum Trust {
    /// The chapter's file: EC2 and the node role, optionally only with this external id.
    Node {
        /// `{ node: { external_id: X } }`.
        external_id: Option<String>,
    },
    /// EC2 alone.
    Ec2,
    /// The whole account (`:root`).
    Account,
    /// Nobody: a policy that names no one who exists in the scenario.
    None,
    /// `user:NAME`.
    User(String),
    /// `role:NAME`.
    Role(String),
    /// `service_account:NAMESPACE/NAME`: pods of this service account, by the web identity in their token.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A policy document or a file below `fixtures/`.
    Document(Document),
}

/// A policy document: written in the scenario, or a file below `fixtures/`.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// Written in place; `self` in the account field of an ARN is still unreplaced.
    Inline(Value),
    /// A path below `fixtures/`.
    File(String),
}

/// A bucket.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// Objects by key.
    pub objects: BTreeMap<String, String>,
    /// The bucket's policy.
    pub policy: Option<Spanned<Document>>,
    /// Keys written as `null` (see [`Restored`]); a whole thing written as `null` has all of them here.
    pub restored: Restored,
}

/// A Kubernetes namespace.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    /// `allowed_roles`: patterns; the subject's adapter writes the annotation. `None` = not said.
    pub allowed_roles: Option<Vec<String>>,
    /// Annotations, verbatim. `None` = not said.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Keys written as `null` (see [`Restored`]); a whole thing written as `null` has all of them here.
    pub restored: Restored,
}

/// A pod.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// Its Kubernetes namespace; `default` where nothing is said.
    pub namespace: Option<String>,
    /// The node it runs on; `node-1` where nothing is said.
    pub node: Option<Spanned<String>>,
    /// The role annotation: a name or an ARN.
    pub role: Option<Spanned<String>>,
    /// The external id annotation.
    pub external_id: Option<String>,
    /// Further annotations, verbatim.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Whether it shares its node's network.
    pub host_network: Option<bool>,
    /// Its service account.
    pub service_account: Option<String>,
    /// The Vault role whose keys the metadata routes are to give it: the annotation of the subject's adapter.
    pub vault_role: Option<Spanned<String>>,
    /// The Vault role that a credential process in the pod asks for.
    pub vault_agent: Option<Spanned<String>>,
    /// The role that the SDKs in it assume with its service account's token, as EKS arranges it.
    pub web_identity: Option<Spanned<String>>,
    /// Its image.
    pub image: Option<String>,
    /// Its addresses, as the API shows them and as it has them; `None` = one that the world chooses.
    pub ips: Option<Vec<String>>,
    /// The pod whose address it has, of `ip: of:<pod>`.
    pub ip_of: Option<Spanned<String>>,
    /// The phase that the API shows: one of Kubernetes' five.
    pub phase: Option<String>,
    /// Whether the API does not show it.
    pub hidden: Option<bool>,
    /// Keys written as `null` (see [`Restored`]); a whole thing written as `null` has all of them here.
    pub restored: Restored,
}

/// A file of Kubernetes objects, applied as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The path below `fixtures/manifests`.
    pub file: String,
    /// Values for the file's `{{…}}`, none of which may remain; `None`: they stay as they are.
    pub set: Option<BTreeMap<String, String>>,
}

/// Whether and how the subject gets keys from Vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultUse {
    /// It does not.
    Off,
    /// It does.
    On {
        /// The auth role it logs in with; `None` = the one named like the Vault role.
        auth_role: Option<String>,
    },
}

/// Settings of the subject: neutral words, of which its adapter makes flags. `None` = not said.
#[derive(Clone, Debug, Default)]
pub struct ProxySettings {
    /// `default_role`.
    pub default_role: Option<Spanned<String>>,
    /// `base_role_arn`.
    pub base_role_arn: Option<Spanned<String>>,
    /// `namespace_restrictions`.
    pub namespace_restrictions: Option<Spanned<bool>>,
    /// `namespace_format`: `glob` or `regexp`.
    pub namespace_format: Option<Spanned<String>>,
    /// `cache_ttl`.
    pub cache_ttl: Option<Spanned<Duration>>,
    /// `passthrough`.
    pub passthrough: Option<Spanned<Vec<String>>>,
    /// `require_token`.
    pub require_token: Option<Spanned<bool>>,
    /// `intercept`: `nftables`, `iptables` or `none`.
    pub intercept: Option<Spanned<String>>,
    /// `vault`: whether pods may get their keys from Vault.
    pub vault: Option<Spanned<VaultUse>>,
    /// `listen`.
    pub listen: Option<Spanned<String>>,
    /// Keys written as `null`; `proxy: null` has all of them here.
    pub restored: Restored,
}
