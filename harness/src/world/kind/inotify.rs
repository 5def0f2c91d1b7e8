//! Whether this user may watch as many files as the nodes of a cluster do: where not, kubelets and containerd do not start, and
//! say so only in their own logs (https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files).

use std::{fs, os::unix::fs::MetadataExt};

/// Instances that a cluster of three nodes takes, with a margin.
const WANTED: usize = 50;

/// What to do where they are too few.
pub(super) const REMEDY: &str = "let users have more: sudo sysctl -w fs.inotify.max_user_instances=512";

/// How many inotify instances are in use of those that this user may have. `None` where that cannot be told.
pub(super) fn used_and_allowed() -> Option<(usize, usize)> {
    let allowed = fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").ok()?;
    let own = fs::metadata("/proc/self").ok()?.uid();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let used = processes
        .filter(|process| process.metadata().is_ok_and(|about| about.uid() == own))
        .flat_map(|process| fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten())
        .filter(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == "anon_inode:inotify"))
        .count();
    Some((used, allowed.trim().parse().ok()?))
}

/// Whether a cluster finds enough of them: what was found in words, and if it is enough.
pub(super) fn enough() -> Option<(bool, String)> {
    let (used, allowed) = used_and_allowed()?;
    let told = format!("{used} of {allowed} instances are in use, and a cluster takes some {WANTED}");
    Some((used + WANTED <= allowed, told))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use rolecall_clock::{monotonic, since};

    use super::*;

    #[test]
    fn who_follows_files_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log");
        fs::write(&file, "").expect("a file");
        let (before, _) = used_and_allowed().expect("a Linux");
        let follow = || {
            Command::new("tail")
                .arg("--follow")
                .arg(&file)
                .stdout(Stdio::null())
                .spawn()
        };
        let mut followers: Vec<Child> = (0..10).filter_map(|_| follow().ok()).collect();
        let start = monotonic();
        // Other programs come and go, so not all ten are asked for.
        let counted = loop {
            let (now, allowed) = used_and_allowed().expect("a Linux");
            if now >= before + followers.len() / 2 && now <= allowed {
                break true;
            }
            if since(start).as_secs() > 10 {
                break false;
            }
            std::thread::yield_now();
        };
        for follower in &mut followers {
            let _ = follower.kill();
            let _ = follower.wait();
        }
        assert!(counted, "{} that follow a file were not counted", followers.len());
    }
}
