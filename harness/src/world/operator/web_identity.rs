//! A pod whose SDKs assume a role with its service account's token, as EKS arranges it (*IAM roles for service accounts*):
//! no metadata service and no proxy take part.

use k8s_openapi::api::core::v1::{
    Container, EnvVar, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};

use super::AwsOperator;
use crate::world::WorldError;

/// The audience of tokens for AWS.
pub(super) const AWS_AUDIENCE: &str = "sts.amazonaws.com";
/// Where EKS mounts such a token.
const TOKEN: (&str, &str) = ("/var/run/secrets/eks.amazonaws.com/serviceaccount", "token");
/// The volume's name, EKS' own.
const VOLUME: &str = "aws-iam-token";
/// How long EKS lets such a token live, in seconds.
const LIFE: i64 = 86_400;
/// IAM wants a thumbprint of an issuer's certificate, and does not look at it where it reads the keys itself.
const THUMBPRINT: &str = "0000000000000000000000000000000000000000";

/// Gives a pod that is made what an SDK needs to assume the role: a token, and the variables that name both.
pub(super) fn equip(role_arn: &str, containers: &mut [Container]) -> Volume {
    for container in containers {
        let variable = |name: &str, value: String| EnvVar {
            name: name.to_owned(),
            value: Some(value),
            value_from: None,
        };
        container.env.get_or_insert_default().extend([
            variable("AWS_ROLE_ARN", role_arn.to_owned()),
            variable("AWS_WEB_IDENTITY_TOKEN_FILE", format!("{}/{}", TOKEN.0, TOKEN.1)),
        ]);
        container.volume_mounts.get_or_insert_default().push(VolumeMount {
            name: VOLUME.to_owned(),
            mount_path: TOKEN.0.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
    }
    let token = VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            audience: Some(AWS_AUDIENCE.to_owned()),
            expiration_seconds: Some(LIFE),
            path: TOKEN.1.to_owned(),
            ..ServiceAccountTokenProjection::default()
        }),
        ..VolumeProjection::default()
    };
    Volume {
        name: VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource {
            sources: Some(vec![token]),
            ..ProjectedVolumeSource::default()
        }),
        ..Volume::default()
    }
}

// === impl AwsOperator: web identities ===

impl AwsOperator {
    /// Tells IAM of the issuer of the cluster's tokens, if there is one.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with what IAM said.
    pub(crate) async fn create_oidc_provider(&self) -> Result<(), WorldError> {
        let Some(issuer) = &self.documents.issuer else {
            return Ok(());
        };
        let create = self.iam.create_open_id_connect_provider().url(issuer);
        let create = create.client_id_list(AWS_AUDIENCE).thumbprint_list(THUMBPRINT);
        let made = create.send().await;
        made.map(drop)
            .map_err(|error| self.refused(format!("create the OIDC provider {issuer}"), &error))
    }
}
