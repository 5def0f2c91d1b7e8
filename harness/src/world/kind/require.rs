//! What must be here before anything is made: then nothing has to be taken back where it is not.

use super::{
    examine::{engine, tool},
    ground::Wanted,
    images,
    options::{KindOptions, LOCALSTACK_IMAGE, VAULT_IMAGE},
};
use crate::world::WorldError;

/// Fails where this machine lacks what the kind world needs. Images that are not here are pulled; those of the AWS
/// CLI and of Vault only where they are `wanted`.
///
/// # Errors
/// [`WorldError::Unable`]: all that is missing of Docker and kind at once, or an image; each with what to do.
pub(crate) async fn require(options: &KindOptions, wanted: Wanted) -> Result<(), WorldError> {
    let (engine, kind) = tokio::join!(engine(), tool());
    let lacks = |finding: super::Finding| {
        let remedy = finding.remedy.map(|remedy| format!("\n   = {remedy}"));
        format!("{}: {}{}", finding.what, finding.found, remedy.unwrap_or_default())
    };
    let lacking: Vec<String> = [engine, kind]
        .into_iter()
        .filter(|finding| !finding.ok)
        .map(lacks)
        .collect();
    if !lacking.is_empty() {
        return Err(WorldError::Unable {
            reason: lacking.join("\n"),
        });
    }
    let images = [
        (Some(options.node_image.as_str()), Some("--node-image")),
        (Some(LOCALSTACK_IMAGE), None),
        (
            wanted.programs.then_some(options.aws_cli_image.as_str()),
            Some("--aws-cli-image"),
        ),
        (wanted.vault.then_some(VAULT_IMAGE), None),
        (options.proxy_image.as_deref(), Some("--proxy-image")),
        (options.tools_image.as_deref(), Some("--tools-image")),
    ];
    for (image, flag) in images {
        let Some(image) = image else { continue };
        images::ensure(image).await.map_err(|error| WorldError::Unable {
            reason: match flag {
                Some(flag) => format!("{error}\n   = another one is given with {flag} IMAGE"),
                None => error.to_string(),
            },
        })?;
    }
    Ok(())
}
