#![expect(
    unsafe_code,
    reason = "the init of a PID namespace must be cloned into it: std has no call for that, and unshare(2) would move every later child"
)]

use std::{
    fs,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
};

use nix::{
    errno::Errno,
    sched::CloneFlags,
    sys::{
        prctl,
        signal::{SigHandler, Signal, signal},
    },
    unistd::{Pid, chdir, close, read, setsid},
};

/// The init needs little: it lists its descriptors once and then waits.
const STACK: usize = 256 * 1024;

/// Starts the init of a new PID namespace: it ends, and with it everything in the namespace, when the thread that
/// called this ends or when the last writing end of `lifeline` is closed.
///
/// The caller's process has one thread (so no lock can be held by a thread that the copy lacks).
pub(crate) fn start(lifeline: BorrowedFd<'_>, action: &'static str) -> Result<Pid, crate::Error> {
    let mut stack = vec![0_u8; STACK];
    let body = Box::new(|| wait_for_the_end(lifeline));
    // SAFETY: the process has one thread, so the copy finds its memory in a consistent state. Without CLONE_VM the
    // copy works on memory of its own: `stack` and what `body` borrows live in it as long as it does. `body` runs to
    // the end of the copy and neither returns into the caller's frames nor drops what they own.
    unsafe { nix::sched::clone(body, &mut stack, CloneFlags::CLONE_NEWPID, Some(Signal::SIGCHLD as i32)) }
        .map_err(|errno| crate::Error::refusal(action, errno))
}

/// The life of the init. Its result is the exit status of the process.
fn wait_for_the_end(lifeline: BorrowedFd<'_>) -> isize {
    // The kernel sends this even where it would spare an init, because it comes from outside of the namespace. Should
    // the parent have ended already, the pipe says so.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    let _ = prctl::set_name(c"rolecall-init");
    // A session of its own: ^C and a hang-up at the terminal are for the harness, which then ends its world in order.
    let _ = setsid();
    let _ = chdir("/");
    close_all_but(lifeline.as_raw_fd());
    // SAFETY: no handler is installed. The children of this process are orphans of the namespace; ignoring SIGCHLD
    // lets the kernel reap them (wait(2)).
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) };
    let mut byte = [0];
    while let Err(Errno::EINTR) | Ok(1..) = read(lifeline.as_fd(), &mut byte) {}
    0
}

/// Closes what the copy inherited: above all its own writing end of the lifeline, and the harness's output, whose
/// reader would otherwise wait for the init as well.
fn close_all_but(kept: RawFd) {
    let Ok(open) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    let open: Vec<RawFd> = open
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd != kept)
        .collect();
    for fd in open {
        // The listing's own descriptor is among them and closed by now.
        let _ = close(fd);
    }
}
