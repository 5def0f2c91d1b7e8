use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::mount::{MsFlags, mount};

use crate::{Error, Inside};

/// The directories that a pod has for itself. They are in memory and seen in its mount namespace alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodDirectories {
    /// Where Kubernetes mounts secrets: `/run/secrets`, and by the name `/var/run/secrets`.
    pub secrets: PathBuf,
    /// For the environment variable HOME.
    pub home: PathBuf,
    /// For the environment variable TMPDIR.
    pub tmp: PathBuf,
}

impl Inside {
    /// Mounts a private file system on `/run`, with [`PodDirectories`] in it; nothing is mounted over `/home` or `/tmp`,
    /// because programs may live there. What the host has in `/run` is hidden: its sockets and its resolver's
    /// configuration too.
    ///
    /// Files are put there by a later job on this thread, which sees the same mounts.
    ///
    /// # Errors
    /// If there is no `/run` or the kernel refuses.
    pub fn mount_run_tmpfs(&self) -> Result<PodDirectories, Error> {
        let failed = |what: &str, errno| Error::system(format!("{what} in {}", self.name()), errno);
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(
            Some("rolecall"),
            "/run",
            Some("tmpfs"),
            flags,
            Some("mode=0755,size=64m"),
        )
        .map_err(|errno| failed("mounting a tmpfs on /run", errno))?;
        // /var/run is a link to /run on nearly every system, and a directory on a few.
        let var_run = Path::new("/var/run");
        if fs::canonicalize(var_run).is_ok_and(|path| path == var_run) {
            mount(Some("/run"), var_run, None::<&str>, MsFlags::MS_BIND, None::<&str>)
                .map_err(|errno| failed("mounting /run on /var/run", errno))?;
        }
        let directories = PodDirectories {
            secrets: "/run/secrets".into(),
            home: "/run/home".into(),
            tmp: "/run/tmp".into(),
        };
        for directory in [&directories.secrets, &directories.home, &directories.tmp] {
            fs::create_dir(directory).map_err(|source| {
                Error::system(format!("making {} in {}", directory.display(), self.name()), source)
            })?;
        }
        Ok(directories)
    }
}
