//! From an image to where it is run.

use std::time::Duration;

use super::{Image, ImageError, command};

/// Loading some megabytes takes a second; a disk that is busy takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// Loads an image into Docker, unless it is there. Returns whether it was loaded.
///
/// # Errors
/// There is no Docker, or it refuses.
pub(crate) async fn load_into_docker(image: &Image) -> Result<bool, ImageError> {
    let name = image.name();
    let there = ["docker", "image", "inspect", "--format", "{{.Id}}", &name];
    let inspected = command::run(&there, |_| {}, None, PATIENCE, &mut |_| {}).await;
    match inspected {
        Ok(said) if said.out.trim() == image.id() => return Ok(false),
        Ok(_) | Err(ImageError::Failed { .. }) => {}
        Err(error) => return Err(error),
    }
    command::run(
        &["docker", "load"],
        |_| {},
        Some(image.archive()),
        PATIENCE,
        &mut |_| {},
    )
    .await?;
    Ok(true)
}

/// Loads an image that Docker has onto the nodes of a kind cluster; a node that has it is left alone.
///
/// # Errors
/// There is no kind, no such cluster, or it refuses.
pub(crate) async fn load_into_kind(image: &Image, cluster: &str) -> Result<(), ImageError> {
    let name = image.name();
    let words = ["kind", "load", "docker-image", &name, "--name", cluster];
    command::run(&words, |_| {}, None, PATIENCE, &mut |_| {}).await?;
    Ok(())
}
