//! The operator: makes and changes what a scenario says exists, through public APIs only, the same in every world.

mod agent;
mod aws;
mod cluster;
mod documents;
mod kops;
mod kubernetes;
mod manifests;
mod pod_style;
mod pods;
mod roles;
mod users;
mod vault;
mod vault_state;
mod web_identity;

pub(crate) use agent::Agent;
pub(crate) use aws::{AwsAccess, AwsOperator};
pub(crate) use cluster::ClusterNames;
pub(crate) use documents::Documents;
pub(crate) use kubernetes::KubernetesOperator;
pub(crate) use pod_style::{PROBE, PROGRAMS, PodStyle};
pub(crate) use vault::{AUDIENCE, VaultAccess, VaultOperator};
