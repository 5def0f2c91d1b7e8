//! `journal` against its words.

use rolecall_scenario::model::Expectation;

use super::{JournalEntry, Judgement, Note, expectation::misfit};

pub(super) fn check(word: &Expectation, entries: &[JournalEntry]) -> Judgement {
    let found = entries.len() as u64;
    let many = || Judgement::wrong(text(entries)).with(notes(entries));
    let few = || Judgement::not_yet(text(entries)).with(notes(entries));
    match word {
        Expectation::Never => Judgement::when(found == 0, many),
        Expectation::Count(due) if found < *due => few(),
        Expectation::Count(due) => Judgement::when(found == *due, many),
        Expectation::AtLeast(due) => Judgement::when(found >= *due, few),
        Expectation::AtMost(due) => Judgement::when(found <= *due, many),
        other => misfit(other),
    }
}

fn text(entries: &[JournalEntry]) -> String {
    match entries {
        [] => "no such request was recorded".to_owned(),
        [one] => format!("1 was recorded: {}", line(one)),
        [first, ..] => format!("{} were recorded, first {}", entries.len(), line(first)),
    }
}

fn line(entry: &JournalEntry) -> String {
    let from = entry.from_name.clone().unwrap_or_else(|| entry.from.to_string());
    let mut line = format!("{} from {from}", entry.operation);
    if let Some(role) = &entry.role {
        line.push_str(&format!(" for role {role}"));
    }
    if let Some(by) = &entry.by {
        line.push_str(&format!(" by role {by}"));
    }
    line.push_str(&format!(", answered {}", entry.answer));
    line
}

/// At most five further entries, and what decided the first.
fn notes(entries: &[JournalEntry]) -> Vec<Note> {
    let decided = entries.first().into_iter().flat_map(|entry| entry.why.iter().cloned());
    let further = entries.iter().skip(1).take(5).map(line);
    decided.chain(further).collect()
}
