//! The process that something belongs to, by its number.

use std::{fs, path::Path};

/// Whether the process with this number lives. One that has ended and waits for its parent to ask how does not, nor does a
/// thread of another process that has the number now.
pub(crate) fn lives(owner: u32) -> bool {
    let Ok(text) = fs::read_to_string(Path::new("/proc").join(owner.to_string()).join("status")) else {
        return false;
    };
    // A process's own name is in it too, with line breaks escaped (proc_pid_status(5)).
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let ended = field("State:").is_none_or(|state| state.starts_with(['Z', 'X']));
    !ended && field("Tgid:").and_then(|group| group.parse().ok()) == Some(owner)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rolecall_clock::{monotonic, since};

    use super::*;

    #[test]
    fn this_process_lives_and_one_that_has_ended_does_not_even_before_it_was_waited_for() {
        assert!(lives(std::process::id()));
        let mut child = Command::new("true").spawn().expect("a program");
        let start = monotonic();
        while lives(child.id()) {
            assert!(since(start).as_secs() < 30, "it never ends");
            std::thread::yield_now();
        }
        assert!(Path::new("/proc").join(child.id().to_string()).exists());
        child.wait().expect("it has ended");
        assert!(!lives(child.id()));
    }

    #[test]
    fn a_thread_is_no_process() {
        let thread = std::thread::spawn(|| {
            let number = nix::unistd::gettid().as_raw();
            assert!(Path::new("/proc").join(number.to_string()).exists());
            lives(number.unsigned_abs())
        });
        assert!(!thread.join().expect("it looked"));
    }
}
