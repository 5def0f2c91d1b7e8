//! A small world of hosts in one process, as an ordinary user and as root.
//!
//! The test has a main of its own, because a user namespace is entered before the process has a second thread. Copies
//! of this program play the other parts; which one, an environment variable says.

mod copies;
mod scene;
mod trials;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use rolecall_namespaces::{Error, PidNamespace, enter_user_namespace};

fn main() -> ExitCode {
    if let Some(part) = copies::part() {
        return part.play();
    }
    // A user id other than root's exists only outside of the user namespace, so that copy runs before it is entered.
    let ordinary = copies::suite_as_an_ordinary_user();
    match enter_user_namespace() {
        Ok(()) => {}
        Err(error @ Error::Forbidden { .. }) => {
            println!("test world ... ignored, {error}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    let processes = match PidNamespace::fork() {
        Ok(processes) => processes,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials::all(processes, ordinary));
    conclusion.exit_code()
}
