//! As much of a shell as an SDK needs to start its credential process: the tools' image has no other.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitCode},
};

/// The exit status of a shell that cannot run what it was told.
const CANNOT_RUN: u8 = 127;
/// What means more to a shell than a word.
const SYNTAX: &str = "|&;<>()$`*?[#~{!\n";

/// Whether this program was started by a shell's name.
pub(crate) fn is_shell(arguments: &[OsString]) -> bool {
    let name = arguments.first().map(Path::new).and_then(Path::file_name);
    name.is_some_and(|name| name == "sh")
}

/// `sh -c 'PROGRAM ARGUMENTS'`: puts that program in the place of this one.
pub(crate) fn shell(arguments: &[OsString]) -> ExitCode {
    let said = match words(arguments) {
        Ok((program, arguments)) => {
            let error = Command::new(&program).args(arguments).exec();
            format!("{program}: {error}")
        }
        Err(why) => why,
    };
    // What an SDK tells of a process that failed.
    eprintln!("sh: {said}");
    ExitCode::from(CANNOT_RUN)
}

/// The program and its arguments; the error says what this is no shell for.
fn words(arguments: &[OsString]) -> Result<(String, Vec<String>), String> {
    let text = match arguments {
        [_, flag, text] if flag == "-c" => text.to_str(),
        _ => None,
    };
    let text = text.ok_or("this image has no shell; only `sh -c 'PROGRAM ARGUMENTS'` is understood here")?;
    if let Some(sign) = text.chars().find(|sign| SYNTAX.contains(*sign)) {
        return Err(format!(
            "this image has no shell, and `{sign}` wants one; write a program and its arguments"
        ));
    }
    let mut words = shlex::split(text).ok_or("a quotation mark has no other")?.into_iter();
    let program = words.next().ok_or("there is no program in an empty command")?;
    Ok((program, words.collect()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn of(words_given: &[&str]) -> Result<(String, Vec<String>), String> {
        let arguments: Vec<OsString> = words_given.iter().map(OsString::from).collect();
        words(&arguments)
    }

    #[test]
    fn a_command_is_taken_apart_as_a_shell_does_it() {
        let read = of(&[
            "/sh",
            "-c",
            "/rolecall proxy \"credential process\" --vault-role=readonly",
        ]);
        let arguments = ["proxy", "credential process", "--vault-role=readonly"];
        assert_eq!(
            read,
            Ok(("/rolecall".to_owned(), arguments.map(str::to_owned).to_vec()))
        );
    }

    #[rstest]
    #[case::nothing_to_run(&["sh"], "no shell")]
    #[case::an_empty_command(&["sh", "-c", " "], "no program")]
    #[case::a_pipe(&["sh", "-c", "cat /etc/passwd | head"], "`|` wants one")]
    #[case::a_variable(&["sh", "-c", "echo $HOME"], "`$` wants one")]
    #[case::an_open_quotation(&["sh", "-c", "echo 'a"], "quotation")]
    fn what_it_is_no_shell_for_is_said(#[case] arguments: &[&str], #[case] told: &str) {
        let why = of(arguments).expect_err("it is no shell");
        assert!(why.contains(told), "{why}");
    }

    #[test]
    fn it_is_a_shell_by_the_name_that_it_was_started_by() {
        let named = |name: &str| is_shell(&[OsString::from(name), OsString::from("-c")]);
        assert_eq!([named("sh"), named("/sh"), named("/rolecall")], [true, true, false]);
    }
}
