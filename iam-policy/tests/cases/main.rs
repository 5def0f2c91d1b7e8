//! Decisions in a readable form, each with the page of the AWS documentation that has its rule: one test for each.
//!
//! What a case may say is told in [`case`]; the cases stand in the YAML files beside this one.

mod case;
mod document;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::case::File;

/// As many cases as there have to be.
const AT_LEAST: usize = 300;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let trials = match trials(&folder) {
        Ok(trials) => trials,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(folder: &Path) -> Result<Vec<Trial>, String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    let mut trials = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file: File = serde_yaml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let group = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        for case in file.cases {
            let name = format!("{group}::{}", case.name.replace(' ', "_"));
            let page = case.page.clone().unwrap_or_else(|| file.page.clone());
            trials.push(Trial::test(name, move || {
                case.check()
                    .map_err(|failure| Failed::from(format!("{failure}\nrule: {page}")))
            }));
        }
    }
    let count = trials.len();
    trials.push(Trial::test("there_are_enough_cases", move || {
        if count < AT_LEAST {
            return Err(Failed::from(format!("{count} cases, fewer than {AT_LEAST}")));
        }
        Ok(())
    }));
    Ok(trials)
}
