//! Words of the command line → scenario files → scenarios.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rolecall_scenario::{Source, Vocabulary, load, model::Scenario};

use super::{args::SelectionArgs, main::complain, suite::Suite};
use crate::report::ExitStatus;

/// A scenario file and the name it goes by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ScenarioFile {
    /// `<chapter>/<name>`, or the path of a file outside the suite, without `.yaml`.
    id: String,
    path: PathBuf,
}

/// The scenarios that words and tags select, by name.
///
/// # Errors
/// [`ExitStatus::NothingRan`] or [`ExitStatus::InvalidScenario`] after saying why.
pub(crate) fn load_selected(suite: &Suite, selection: &SelectionArgs) -> Result<Vec<Arc<Scenario>>, ExitStatus> {
    let scenarios = load_all(&select(suite, &selection.scenarios)?)?;
    if selection.tags.is_empty() {
        return Ok(scenarios);
    }
    let there: BTreeSet<&str> = scenarios
        .iter()
        .flat_map(|scenario| &scenario.tags)
        .map(String::as_str)
        .collect();
    for tag in &selection.tags {
        if !there.contains(tag.as_str()) {
            let there: Vec<_> = there.into_iter().collect();
            complain(match there.as_slice() {
                [] => format!("no scenario has the tag `{tag}`, nor any other"),
                there => format!("no scenario has the tag `{tag}`; there are {}", there.join(", ")),
            });
            return Err(ExitStatus::NothingRan);
        }
    }
    let wanted = |scenario: &Arc<Scenario>| scenario.tags.iter().any(|tag| selection.tags.contains(tag));
    Ok(scenarios.into_iter().filter(wanted).collect())
}

/// Says to standard error what in the scenarios can hardly be meant; nothing fails by it. Returns how much it is.
pub(crate) fn warn(scenarios: &[Arc<Scenario>]) -> usize {
    let mut count = 0;
    for scenario in scenarios {
        for warning in rolecall_scenario::warnings(scenario) {
            // anstream takes the colours out where they are not wanted.
            anstream::eprintln!("{}\n", warning.render(&scenario.source, true));
            count += 1;
        }
    }
    count
}

/// The files that the words select, each once, by name.
///
/// # Errors
/// [`ExitStatus::NothingRan`] after saying what selects nothing.
fn select(suite: &Suite, words: &[String]) -> Result<Vec<ScenarioFile>, ExitStatus> {
    let all = suite
        .scenarios()
        .map(|root| files_below(&root, &root))
        .unwrap_or_default();
    if words.is_empty() {
        if all.is_empty() {
            complain("there is no scenario here; give a file, or the suite's folder with --suite DIR");
            return Err(ExitStatus::NothingRan);
        }
        return Ok(all.into_iter().collect());
    }
    let mut selected = BTreeSet::new();
    for word in words {
        let found = select_one(suite, &all, word);
        if found.is_empty() {
            let mut message = format!("`{word}` is no file and no scenario's name begins with it");
            if let Some(near) = nearest(word, &all) {
                message.push_str(&format!("; did you mean `{near}`?"));
            }
            complain(format!("{message} (`rolecall list` shows them all)"));
            return Err(ExitStatus::NothingRan);
        }
        selected.extend(found);
    }
    Ok(selected.into_iter().collect())
}

fn select_one(suite: &Suite, all: &BTreeSet<ScenarioFile>, word: &str) -> BTreeSet<ScenarioFile> {
    let exact: BTreeSet<_> = all.iter().filter(|file| file.id == word).cloned().collect();
    if !exact.is_empty() {
        return exact;
    }
    let path = Path::new(word);
    if path.is_dir() {
        let root = suite
            .scenarios()
            .filter(|root| same_or_below(path, root))
            .unwrap_or_else(|| PathBuf::from("."));
        return files_below(path, &root);
    }
    if path.is_file() {
        // A file of the suite goes by its name there, however its path is written.
        let known = all.iter().find(|file| same(&file.path, path)).cloned();
        let own = || ScenarioFile {
            id: without_extension(path),
            path: path.to_owned(),
        };
        return [known.unwrap_or_else(own)].into();
    }
    let begun: BTreeSet<_> = all.iter().filter(|file| file.id.starts_with(word)).cloned().collect();
    // A file outside the suite goes by its path without an ending, and may be called so.
    let own = ["yaml", "yml"].map(|ending| PathBuf::from(format!("{word}.{ending}")));
    match own.into_iter().find(|path| begun.is_empty() && path.is_file()) {
        Some(path) => [ScenarioFile {
            id: word.to_owned(),
            path,
        }]
        .into(),
        None => begun,
    }
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

fn same_or_below(path: &Path, root: &Path) -> bool {
    matches!((fs::canonicalize(path), fs::canonicalize(root)), (Ok(path), Ok(root)) if path.starts_with(&root))
}

/// Every scenario file in a folder and below it, named by its path below `root`.
fn files_below(folder: &Path, root: &Path) -> BTreeSet<ScenarioFile> {
    let mut files = BTreeSet::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return files;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path, root));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            let below = match (fs::canonicalize(&path), fs::canonicalize(root)) {
                (Ok(path), Ok(root)) => path.strip_prefix(root).map(Path::to_owned).unwrap_or(path),
                _ => path.clone(),
            };
            files.insert(ScenarioFile {
                id: without_extension(&below),
                path,
            });
        }
    }
    files
}

fn without_extension(path: &Path) -> String {
    path.with_extension("").display().to_string()
}

fn nearest<'a>(word: &str, all: &'a BTreeSet<ScenarioFile>) -> Option<&'a str> {
    let near = all
        .iter()
        .map(|file| (strsim::jaro_winkler(word, &file.id), file.id.as_str()));
    near.filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, id)| id)
}

/// Loads files. All errors of all files are said.
///
/// # Errors
/// [`ExitStatus::InvalidScenario`] if any file is invalid.
fn load_all(files: &[ScenarioFile]) -> Result<Vec<Arc<Scenario>>, ExitStatus> {
    let operations = |service: &str| {
        let prefix = format!("{service}:");
        let known: Vec<String> = rolecall_probe::operations()
            .iter()
            .filter_map(|operation| operation.name.strip_prefix(&prefix).map(str::to_owned))
            .collect();
        Some(known).filter(|known| !known.is_empty())
    };
    let managed = rolecall_aws::managed_policy_names();
    let vocabulary = Vocabulary {
        operations: &operations,
        managed_policies: &managed,
    };
    let (mut scenarios, mut invalid) = (Vec::new(), false);
    for file in files {
        let text = match fs::read_to_string(&file.path) {
            Ok(text) => text,
            Err(error) => {
                complain(format_args!("cannot read {}: {error}", file.path.display()));
                invalid = true;
                continue;
            }
        };
        match load(Source::new(&file.path, text), file.id.clone(), &vocabulary) {
            Ok(scenario) => scenarios.push(Arc::new(scenario)),
            Err(errors) => {
                // anstream takes the colours out where they are not wanted.
                anstream::eprintln!("{}\n", errors.render(true));
                invalid = true;
            }
        }
    }
    let mut names: BTreeMap<&str, &Arc<Scenario>> = BTreeMap::new();
    for scenario in &scenarios {
        if let Some(other) = names.insert(&scenario.name.value, scenario) {
            complain(format_args!(
                "{} and {} have the same name: {}",
                other.id, scenario.id, scenario.name.value
            ));
            invalid = true;
        }
    }
    if invalid {
        Err(ExitStatus::InvalidScenario)
    } else {
        Ok(scenarios)
    }
}
