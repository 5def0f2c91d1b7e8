use std::fs;

use nix::{
    sched::{CloneFlags, unshare},
    unistd::{getegid, geteuid},
};

use crate::Error;

/// Takes the process into a user namespace of its own, in which it is root. Its network, mounts and processes stay the
/// host's.
///
/// To be called first in `main`, before any runtime or other thread. It is done for root too, so that there is one
/// road. The one user and the one group that exist in the namespace are the caller's, seen as 0.
///
/// # Errors
/// [`Error::Threads`] if the process has more than one thread, [`Error::Forbidden`] with the settings that forbid it,
/// [`Error::System`] if the ids cannot be mapped.
pub fn enter_user_namespace() -> Result<(), Error> {
    single_threaded("entering a user namespace")?;
    // They are asked for first: inside, until the maps are written, every id is the overflow id.
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno| Error::refusal("entering a user namespace", errno))?;
    // A group map may be written without privilege only once setgroups is given up (user_namespaces(7)).
    for (file, text) in [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("0 {uid} 1")),
        ("/proc/self/gid_map", format!("0 {gid} 1")),
    ] {
        fs::write(file, &text).map_err(|source| Error::system(format!("writing {text:?} to {file}"), source))?;
    }
    Ok(())
}

/// Refuses what only a process with one thread may do.
pub(crate) fn single_threaded(action: &'static str) -> Result<(), Error> {
    let threads = fs::read_dir("/proc/self/task")
        .map_err(|source| Error::system("counting this process's threads in /proc/self/task", source))?
        .count();
    if threads == 1 {
        Ok(())
    } else {
        Err(Error::Threads { action, threads })
    }
}
