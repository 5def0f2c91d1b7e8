//! The file in which a lease is kept, and the lock that lets one start at a time look for it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    unistd::geteuid,
};
use rolecall_clock::{monotonic, since};
use sha2::{Digest as _, Sha256};

use super::kept::Kept;

/// Pause between two tries to get the lock.
const AGAIN: Duration = Duration::from_millis(20);

/// One role's file, locked.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    _lock: Flock<File>,
}

/// A lease cannot be kept. Going on without would make a lease, and maybe an IAM user, at every start.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot keep the lease in {}: {reason}; give --cache-dir a directory that can be written, or --no-cache to make a \
     lease at each start",
    path.display()
)]
pub(super) struct StoreError {
    path: PathBuf,
    reason: String,
}

// === impl Store ===

impl Store {
    /// Opens the file for `identity` in a directory of its own, below `dir`, XDG_RUNTIME_DIR or the directory for
    /// temporary files, and waits for whoever holds it, for `within` at most.
    pub(super) async fn open(dir: Option<&Path>, identity: &str, within: Duration) -> Result<Self, StoreError> {
        let base = match dir {
            Some(dir) => dir.to_owned(),
            None => std::env::var_os("XDG_RUNTIME_DIR")
                .filter(|dir| !dir.is_empty())
                .map_or_else(std::env::temp_dir, PathBuf::from),
        };
        let ours = base.join(format!("rolecall-vault-{}", geteuid()));
        make(&ours)?;
        let path = ours.join(hex::encode(&Sha256::digest(identity.as_bytes())[..16]));
        let lock = lock(&path.with_extension("lock"), within).await?;
        Ok(Self { path, _lock: lock })
    }

    /// What is kept. A file that cannot be read is none: it would stay in the way for ever.
    pub(super) fn read(&self) -> Kept {
        let text = fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Keeps it, all or nothing.
    pub(super) fn write(&self, kept: &Kept) -> Result<(), StoreError> {
        let write = || {
            let text = serde_json::to_vec(kept)?;
            let next = self.path.with_extension("next");
            // One that a killed process left may have any mode.
            match fs::remove_file(&next) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&next)?;
            file.write_all(&text)?;
            fs::rename(&next, &self.path)
        };
        write().map_err(|error: io::Error| failed(&self.path, &error))
    }
}

/// Makes a directory that is ours alone, or finds that it is.
fn make(dir: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| failed(dir, &error))?;
    let found = fs::symlink_metadata(dir).map_err(|error| failed(dir, &error))?;
    let ours = found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o077 == 0;
    if ours {
        Ok(())
    } else {
        Err(StoreError {
            path: dir.to_owned(),
            reason: "it is not a directory that this user alone can read".to_owned(),
        })
    }
}

async fn lock(path: &Path, within: Duration) -> Result<Flock<File>, StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(path).map_err(|error| failed(path, &error))?;
    let began = monotonic();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((back, Errno::EWOULDBLOCK)) if since(began) < within => {
                file = back;
                tokio::time::sleep(AGAIN).await;
            }
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(StoreError {
                    path: path.to_owned(),
                    reason: format!("another start has held it for {within:?}"),
                });
            }
            Err((_, error)) => return Err(failed(path, &error.into())),
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_file_is_for_its_owner_alone_and_for_one_start_at_a_time() {
        let dir = tempfile::TempDir::new().unwrap();
        let store = Store::open(Some(dir.path()), "a", SOON).await.unwrap();
        store.write(&Kept::default()).unwrap();
        store.write(&Kept::default()).unwrap();
        assert_eq!(fs::metadata(&store.path).unwrap().mode() & 0o777, 0o600);
        let second = Store::open(Some(dir.path()), "a", SOON).await.unwrap_err();
        assert!(second.to_string().contains("another start"), "{second}");
        Store::open(Some(dir.path()), "b", SOON).await.unwrap();
        drop(store);
        Store::open(Some(dir.path()), "a", SOON).await.unwrap();
    }

    #[tokio::test]
    async fn a_directory_that_others_can_read_is_not_used() {
        let dir = tempfile::TempDir::new().unwrap();
        let ours = dir.path().join(format!("rolecall-vault-{}", geteuid()));
        fs::create_dir(&ours).unwrap();
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o755)).unwrap();
        let error = Store::open(Some(dir.path()), "a", SOON).await.unwrap_err();
        assert!(error.to_string().contains("this user alone"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_none() {
        let dir = tempfile::TempDir::new().unwrap();
        let store = Store::open(Some(dir.path()), "a", SOON).await.unwrap();
        fs::write(&store.path, "{half").unwrap();
        assert!(store.read().keys.is_none());
    }
}
