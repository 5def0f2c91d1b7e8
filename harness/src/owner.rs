//! The process that something belongs to, by its number.

use std::{fs, path::Path};

/// Whether the process with this number lives. One that has ended and waits for its parent to ask how does not.
pub(crate) fn lives(owner: u32) -> bool {
    let Ok(text) = fs::read_to_string(Path::new("/proc").join(owner.to_string()).join("stat")) else {
        return false;
    };
    // After the name in brackets, which may have brackets too: the state (proc_pid_stat(5)).
    let state = text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
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
}
