//! The process that something belongs to, by its number.

use std::{fs, path::Path};

use jiff::{civil::DateTime, tz::TimeZone};
use rolecall_clock::real_wall;

/// How much later than its run's name a process may seem to have begun, in seconds: clocks are set, and ticks are coarse.
const SLACK: f64 = 5.0;

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

/// Whether the process with this number lives and is the one that named the run, whose name begins with the time of that:
/// numbers are given again.
pub(crate) fn lives_since(owner: u32, run: &str) -> bool {
    let began = run.get(..16).map(str::to_ascii_uppercase);
    let began = began.and_then(|text| DateTime::strptime("%Y%m%dT%H%M%SZ", &text).ok());
    let began = began.and_then(|at| at.to_zoned(TimeZone::UTC).ok());
    let since = began.map(|at| real_wall().duration_since(at.timestamp()).as_secs_f64());
    match (since, age(owner)) {
        (Some(since), Some(age)) => lives(owner) && age + SLACK >= since,
        // Of what cannot be told, nothing is taken away.
        _ => lives(owner),
    }
}

/// For how many seconds a process has been there.
fn age(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat")).ok()?;
    // The 22nd field, counted from the name in brackets, which is the second (proc_pid_stat(5)).
    let started: f64 = stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()?;
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    let up: f64 = fs::read_to_string("/proc/uptime")
        .ok()?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    Some(up - started / ticks as f64)
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
    fn a_process_that_began_after_its_run_has_another_ones_number() {
        let run = |before: i64| {
            let at = real_wall() - jiff::SignedDuration::from_secs(before);
            format!("{}-1a2b", at.strftime("%Y%m%dt%H%M%Sz"))
        };
        let own = std::process::id();
        assert!(lives_since(own, &run(0)));
        assert!(!lives_since(own, &run(7 * 24 * 3600)));
        assert!(lives_since(own, "a-run-of-another-name"));
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
