//! A pod with a credential process that asks Vault: what an SDK finds in its configuration file.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, DownwardAPIProjection, DownwardAPIVolumeFile, EnvVar, ObjectFieldSelector, ProjectedVolumeSource,
    ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};

use super::AUDIENCE;

/// The annotation that holds the configuration file of the pod's SDKs, which a volume makes a file of.
const CONFIG_KEY: &str = "rolecall.dev/aws-config";
/// Where the pod's token for Vault is: the default of `credential-process`.
const TOKEN: (&str, &str) = ("/var/run/secrets/vault", "token");
/// Where the configuration file is.
const CONFIG: (&str, &str) = ("/var/run/secrets/aws", "config");

/// How a pod's credential process is started.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    /// The program and its first arguments, as a shell reads them.
    pub(crate) command: String,
    /// Vault, as a pod reaches it.
    pub(crate) vault: String,
}

// === impl Agent ===

impl Agent {
    /// Gives a pod that is made the configuration, and a token of its own service account that Vault takes.
    pub(super) fn equip(
        &self,
        role: &str,
        containers: &mut [Container],
        annotations: &mut BTreeMap<String, String>,
    ) -> Vec<Volume> {
        let config = format!(
            "[default]\ncredential_process = {} --vault-addr={} --vault-role={role}\n",
            self.command, self.vault
        );
        annotations.insert(CONFIG_KEY.to_owned(), config);
        let token = VolumeProjection {
            service_account_token: Some(ServiceAccountTokenProjection {
                audience: Some(AUDIENCE.to_owned()),
                expiration_seconds: Some(3600),
                path: TOKEN.1.to_owned(),
                ..ServiceAccountTokenProjection::default()
            }),
            ..VolumeProjection::default()
        };
        let config = VolumeProjection {
            downward_api: Some(DownwardAPIProjection {
                items: Some(vec![DownwardAPIVolumeFile {
                    path: CONFIG.1.to_owned(),
                    field_ref: Some(ObjectFieldSelector {
                        api_version: Some("v1".to_owned()),
                        field_path: format!("metadata.annotations['{CONFIG_KEY}']"),
                    }),
                    ..DownwardAPIVolumeFile::default()
                }]),
            }),
            ..VolumeProjection::default()
        };
        for container in containers {
            container.env.get_or_insert_default().push(EnvVar {
                name: "AWS_CONFIG_FILE".to_owned(),
                value: Some(format!("{}/{}", CONFIG.0, CONFIG.1)),
                value_from: None,
            });
            let mounts = container.volume_mounts.get_or_insert_default();
            mounts.extend(
                [("vault-token", TOKEN.0), ("aws-config", CONFIG.0)].map(|(name, path)| VolumeMount {
                    name: name.to_owned(),
                    mount_path: path.to_owned(),
                    read_only: Some(true),
                    ..VolumeMount::default()
                }),
            );
        }
        [("vault-token", token), ("aws-config", config)]
            .map(|(name, source)| Volume {
                name: name.to_owned(),
                projected: Some(ProjectedVolumeSource {
                    sources: Some(vec![source]),
                    ..ProjectedVolumeSource::default()
                }),
                ..Volume::default()
            })
            .into()
    }
}
