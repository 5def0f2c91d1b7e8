//! Two JSON reports of different worlds → every verdict of both, as text or Markdown.

use std::{collections::BTreeSet, fmt::Write};

use super::compare::{OldReport, Verdict, cell, first_line};

/// Every scenario with its verdict in two worlds.
#[derive(Clone, Debug)]
pub(crate) struct SideBySide {
    /// What the two columns are called.
    worlds: [String; 2],
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    id: String,
    verdicts: [Option<Verdict>; 2],
}

/// What two verdicts on one scenario come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    Alike,
    /// One world cannot run it, and says why; the other passes it, or cannot either.
    OneOnly,
    /// One of them is wrong, or has not run it.
    Differ,
}

// === impl SideBySide ===

impl SideBySide {
    pub(crate) fn new(left: &OldReport, right: &OldReport) -> Self {
        let (one, other) = (left.verdicts(), right.verdicts());
        let ids: BTreeSet<&str> = one.keys().chain(other.keys()).copied().collect();
        let row = |id: &str| Row {
            id: id.to_owned(),
            verdicts: [one.get(id).cloned(), other.get(id).cloned()],
        };
        Self {
            worlds: [left.world.clone(), right.world.clone()],
            rows: ids.into_iter().map(row).collect(),
        }
    }

    /// Whether some scenario has two verdicts that no skip explains.
    pub(crate) fn differ(&self) -> bool {
        self.rows.iter().any(|row| row.agreement() == Agreement::Differ)
    }

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let [left, right] = &self.worlds;
        let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
        let id = width(&mut self.rows.iter().map(|row| row.id.len()).chain(["scenario".len()]));
        let first = width(&mut self.rows.iter().map(|row| row.word(0).len()).chain([left.len()]));
        let second = width(&mut self.rows.iter().map(|row| row.word(1).len()).chain([right.len()]));
        let mut text = format!("   {:<id$}  {left:<first$}  {right}\n", "scenario");
        for row in &self.rows {
            let mark = if row.agreement() == Agreement::Differ { "!" } else { " " };
            let why = row.why().unwrap_or_default();
            let line = format!(
                " {mark} {:<id$}  {:<first$}  {:<second$}  {why}",
                row.id,
                row.word(0),
                row.word(1)
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let _ = writeln!(text, "\n{}", self.sum());
        text
    }

    /// For the summary of a job, or a page.
    pub(crate) fn markdown(&self) -> String {
        let [left, right] = &self.worlds;
        let mut text = format!(
            "| scenario | {} | {} | why |\n|---|---|---|---|\n",
            cell(left),
            cell(right)
        );
        for row in &self.rows {
            let why = cell(&row.why().unwrap_or_default());
            let _ = writeln!(
                text,
                "| {} | {} | {} | {why} |",
                cell(&row.id),
                row.word(0),
                row.word(1)
            );
        }
        let _ = writeln!(text, "\n{}", self.sum());
        text
    }

    fn sum(&self) -> String {
        let count = |of| self.rows.iter().filter(|row| row.agreement() == of).count();
        format!(
            "{} alike, {} that one of the worlds cannot run, {} that differ",
            count(Agreement::Alike),
            count(Agreement::OneOnly),
            count(Agreement::Differ)
        )
    }
}

// === impl Row ===

impl Row {
    fn word(&self, column: usize) -> &str {
        let verdict = self.verdicts.get(column).and_then(Option::as_ref);
        verdict.map_or("none", |verdict| &verdict.word)
    }

    fn agreement(&self) -> Agreement {
        match (self.word(0), self.word(1)) {
            (one, other) if one == other => Agreement::Alike,
            ("passed", "skipped") | ("skipped", "passed") => Agreement::OneOnly,
            _ => Agreement::Differ,
        }
    }

    /// The reasons of what did not pass, each once.
    fn why(&self) -> Option<String> {
        let mut reasons: Vec<&str> = self
            .verdicts
            .iter()
            .flatten()
            .filter_map(|verdict| verdict.why.as_deref())
            .map(first_line)
            .collect();
        reasons.dedup();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(world: &str, verdicts: &[(&str, &str)]) -> OldReport {
        let scenarios = verdicts.iter().map(|(id, verdict)| {
            let reason = (*verdict == "skipped").then(|| format!("the {world} world has no `ipv6`"));
            let failure = (*verdict == "failed").then(|| serde_json::json!({"found": "S3 allowed | it\nand more"}));
            serde_json::json!({"id": id, "verdict": verdict, "reason": reason, "failure": failure})
        });
        let report = serde_json::json!({
            "version": 1, "run": "1", "world": world, "subject": "rolecall-proxy", "seconds": 2.4,
            "enforcement": true, "scenarios": scenarios.collect::<Vec<_>>(),
        });
        OldReport::read(&report.to_string()).expect("a report")
    }

    #[test]
    fn every_scenario_has_its_verdict_in_both_worlds_and_what_no_skip_explains_is_marked() {
        let embedded = report(
            "embedded",
            &[
                ("a/both", "passed"),
                ("b/here", "passed"),
                ("c/wrong", "passed"),
                ("d/none", "passed"),
            ],
        );
        let kind = report(
            "kind",
            &[("a/both", "passed"), ("b/here", "skipped"), ("c/wrong", "failed")],
        );
        let beside = SideBySide::new(&embedded, &kind);
        assert!(beside.differ());
        insta::assert_snapshot!(beside.text(), @r"
           scenario  embedded  kind
           a/both    passed    passed
           b/here    passed    skipped  the kind world has no `ipv6`
         ! c/wrong   passed    failed   S3 allowed | it
         ! d/none    passed    none

        1 alike, 1 that one of the worlds cannot run, 2 that differ
        ");
        insta::assert_snapshot!(beside.markdown(), @r"
        | scenario | embedded | kind | why |
        |---|---|---|---|
        | a/both | passed | passed |  |
        | b/here | passed | skipped | the kind world has no `ipv6` |
        | c/wrong | passed | failed | S3 allowed \| it |
        | d/none | passed | none |  |

        1 alike, 1 that one of the worlds cannot run, 2 that differ
        ");
    }

    #[test]
    fn what_one_world_alone_can_run_is_no_difference() {
        let embedded = report("embedded", &[("a", "passed"), ("b", "skipped"), ("c", "failed")]);
        let kind = report("kind", &[("a", "skipped"), ("b", "skipped"), ("c", "failed")]);
        assert!(!SideBySide::new(&embedded, &kind).differ());
        // What is wrong here is not excused by a world that cannot look.
        let kind = report("kind", &[("a", "skipped"), ("b", "skipped"), ("c", "skipped")]);
        assert!(SideBySide::new(&embedded, &kind).differ());
    }
}
