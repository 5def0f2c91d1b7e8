//! What kind needs for a while on this host's disk: a kubeconfig, and an image as a file on its way to the nodes.
//!
//! kind removes these itself unless it is killed, so they lie in a folder that is found by the cluster's name.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, path::PathBuf};

use crate::world::WorldError;

fn path(cluster: &str) -> PathBuf {
    std::env::temp_dir().join(format!("rolecall-kind-{cluster}"))
}

/// The folder for what belongs to a cluster, which is there when this returns; none but this user reads it.
///
/// # Errors
/// It cannot be made.
pub(super) fn folder(cluster: &str) -> Result<PathBuf, WorldError> {
    let path = path(cluster);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|error| {
        WorldError::doing(
            format_args!("make the folder {} (TMPDIR says where another is)", path.display()),
            &error,
        )
    })?;
    Ok(path)
}

/// Where kind writes the cluster's kubeconfig: without one of its own it would edit that of the person at the desk.
///
/// # Errors
/// Its folder cannot be made.
pub(super) fn kubeconfig(cluster: &str) -> Result<PathBuf, WorldError> {
    Ok(folder(cluster)?.join("kubeconfig"))
}

/// Removes the folder with all that is in it.
pub(crate) fn remove(cluster: &str) {
    let path = path(cluster);
    if let Err(error) = std::fs::remove_dir_all(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "{} cannot be removed", path.display());
    }
}
