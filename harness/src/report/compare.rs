//! Two JSON reports → what became better or worse, as text or Markdown.

use std::{collections::BTreeMap, fmt::Write};

use serde::Deserialize;

use super::run_report::REPORT_VERSION;

/// A report as it was written, as far as it is compared.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OldReport {
    version: u32,
    run: String,
    pub(super) world: String,
    subject: String,
    seconds: f64,
    enforcement: bool,
    scenarios: Vec<OldScenario>,
}

#[derive(Clone, Debug, Deserialize)]
struct OldScenario {
    id: String,
    verdict: String,
    reason: Option<String>,
    failure: Option<OldFailure>,
}

#[derive(Clone, Debug, Deserialize)]
struct OldFailure {
    found: String,
}

/// What all repetitions of one scenario come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// `passed`, `failed`, `error`, `skipped`, `interrupted`, or `unsteady` where repetitions ended differently.
    pub(super) word: String,
    /// Why, where it did not pass.
    pub(super) why: Option<String>,
}

/// What differs between two runs.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    old: OldReport,
    new: OldReport,
    changes: Vec<Change>,
    alike: BTreeMap<String, usize>,
}

/// One scenario that did not end as before, or did not pass.
#[derive(Clone, Debug)]
struct Change {
    id: String,
    kind: Kind,
    before: Option<Verdict>,
    now: Option<Verdict>,
}

/// In the order in which one wants to read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It passed, and does no more; or it is new and does not.
    Worse,
    /// It did not pass before either.
    Still,
    /// It passes now.
    Better,
    /// It is there for the first time, and passes or is skipped.
    New,
    /// It is there no more.
    Gone,
}

// === impl OldReport ===

impl OldReport {
    /// Reads a report.
    ///
    /// # Errors
    /// The text is no JSON report of a version that is understood.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let report: Self = serde_json::from_str(text)
            .map_err(|error| format!("this is no report of `rolecall run --report json=FILE`: {error}"))?;
        if report.version != REPORT_VERSION {
            return Err(format!(
                "this report has version {}, and {REPORT_VERSION} is understood here",
                report.version
            ));
        }
        Ok(report)
    }

    pub(super) fn verdicts(&self) -> BTreeMap<&str, Verdict> {
        let mut verdicts: BTreeMap<&str, Verdict> = BTreeMap::new();
        for scenario in &self.scenarios {
            let found = scenario.failure.as_ref().map(|failure| failure.found.clone());
            let verdict = Verdict {
                word: scenario.verdict.clone(),
                why: found.or_else(|| scenario.reason.clone()),
            };
            match verdicts.get_mut(scenario.id.as_str()) {
                None => drop(verdicts.insert(&scenario.id, verdict)),
                Some(before) => {
                    if before.word != verdict.word {
                        before.word = "unsteady".to_owned();
                    }
                    before.why = before.why.take().or(verdict.why);
                }
            }
        }
        verdicts
    }
}

// === impl Comparison ===

impl Comparison {
    /// Compares a run with one before it, or with one elsewhere.
    pub(crate) fn new(old: OldReport, new: OldReport) -> Self {
        let (before, now) = (old.verdicts(), new.verdicts());
        let mut ids: Vec<&str> = before.keys().chain(now.keys()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        let (mut changes, mut alike) = (Vec::new(), BTreeMap::new());
        for id in ids {
            let (before, now) = (before.get(id), now.get(id));
            match kind(before, now) {
                Some(kind) => changes.push(Change {
                    id: id.to_owned(),
                    kind,
                    before: before.cloned(),
                    now: now.cloned(),
                }),
                None => {
                    *alike
                        .entry(now.map(|now| now.word.clone()).unwrap_or_default())
                        .or_default() += 1
                }
            }
        }
        changes.sort_by_key(|change| change.kind);
        Self {
            old,
            new,
            changes,
            alike,
        }
    }

    /// Whether something became worse.
    pub(crate) fn is_worse(&self) -> bool {
        self.changes.iter().any(|change| change.kind == Kind::Worse)
    }

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", self.title());
        for change in &self.changes {
            let _ = writeln!(text, "{:<7} {}  {}", change.kind.word(), change.id, change.way());
            if let Some(why) = change.why() {
                let _ = writeln!(text, "          {}", first_line(why));
            }
        }
        let _ = writeln!(text, "{}", self.rest());
        text
    }

    /// For the summary of a job, or a pull request.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.title());
        if !self.changes.is_empty() {
            text.push_str("| | scenario | before → now | why |\n|---|---|---|---|\n");
        }
        for change in &self.changes {
            let why = change.why().map(first_line).unwrap_or_default();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                change.kind.word(),
                cell(&change.id),
                cell(&change.way()),
                cell(why)
            );
        }
        if !self.changes.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", self.rest());
        text
    }

    fn title(&self) -> String {
        let of = |report: &OldReport| {
            let soft = if report.enforcement { "" } else { ", nothing enforced" };
            format!(
                "{} ({} world, {}, {:.0} s{soft})",
                report.run, report.world, report.subject, report.seconds
            )
        };
        format!("{} → {}", of(&self.old), of(&self.new))
    }

    fn rest(&self) -> String {
        let alike: Vec<_> = self
            .alike
            .iter()
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        match (alike.as_slice(), self.changes.as_slice()) {
            ([], []) => "neither run has a scenario".to_owned(),
            ([], _) => "no scenario is as before".to_owned(),
            (alike, []) => format!("all as before: {}", alike.join(", ")),
            (alike, _) => format!("as before: {}", alike.join(", ")),
        }
    }
}

fn kind(before: Option<&Verdict>, now: Option<&Verdict>) -> Option<Kind> {
    let fine = |verdict: &Verdict| verdict.word == "passed" || verdict.word == "skipped";
    match (before, now) {
        (None, None) => None,
        (Some(_), None) => Some(Kind::Gone),
        (None, Some(now)) if fine(now) => Some(Kind::New),
        (None, Some(_)) => Some(Kind::Worse),
        (Some(before), Some(now)) if before.word == now.word && fine(now) => None,
        // What is skipped proves nothing any more.
        (Some(before), Some(now)) if before.word == "passed" && now.word != "passed" => Some(Kind::Worse),
        (Some(_), Some(now)) if now.word == "passed" => Some(Kind::Better),
        (Some(before), Some(now)) if fine(before) && !fine(now) => Some(Kind::Worse),
        (Some(_), Some(now)) if fine(now) => Some(Kind::Better),
        (Some(_), Some(_)) => Some(Kind::Still),
    }
}

/// A text in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
}

pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

// === impl Change ===

impl Change {
    fn way(&self) -> String {
        let word = |verdict: &Option<Verdict>| verdict.as_ref().map_or("none", |verdict| &verdict.word).to_owned();
        format!("{} → {}", word(&self.before), word(&self.now))
    }

    fn why(&self) -> Option<&str> {
        self.now.as_ref()?.why.as_deref()
    }
}

// === impl Kind ===

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Still => "still",
            Self::Better => "better",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn report(run: &str, verdicts: &[(&str, &str)]) -> OldReport {
        let scenarios = verdicts.iter().map(|(id, verdict)| {
            let failure =
                (*verdict == "failed").then_some(serde_json::json!({"found": "it got keys | of <node>\nand more"}));
            serde_json::json!({"id": id, "verdict": verdict, "reason": null, "failure": failure})
        });
        let report = serde_json::json!({
            "version": 1, "run": run, "world": "embedded", "subject": "rolecall-proxy", "seconds": 2.4,
            "enforcement": true, "scenarios": scenarios.collect::<Vec<_>>(),
        });
        OldReport::read(&report.to_string()).expect("a report")
    }

    #[rstest]
    #[case::as_before("passed", "passed", None)]
    #[case::broken("passed", "failed", Some(Kind::Worse))]
    #[case::our_error("passed", "error", Some(Kind::Worse))]
    #[case::skipped_now("passed", "skipped", Some(Kind::Worse))]
    #[case::skipped_still("skipped", "skipped", None)]
    #[case::run_and_broken("skipped", "failed", Some(Kind::Worse))]
    #[case::mended("failed", "passed", Some(Kind::Better))]
    #[case::still_broken("failed", "failed", Some(Kind::Still))]
    #[case::broken_otherwise("error", "failed", Some(Kind::Still))]
    #[case::run_at_last("skipped", "passed", Some(Kind::Better))]
    fn a_change_is_better_or_worse(#[case] before: &str, #[case] now: &str, #[case] expected: Option<Kind>) {
        let compared = Comparison::new(report("1", &[("a", before)]), report("2", &[("a", now)]));
        assert_eq!(compared.changes.first().map(|change| change.kind), expected);
        assert_eq!(compared.is_worse(), expected == Some(Kind::Worse));
    }

    #[test]
    fn what_ends_now_so_now_so_is_worse_than_what_passed() {
        let unsteady = report("2", &[("a", "passed"), ("a", "failed"), ("a", "passed")]);
        let compared = Comparison::new(report("1", &[("a", "passed")]), unsteady);
        assert!(compared.is_worse());
        assert!(compared.text().contains("passed → unsteady"), "{}", compared.text());
    }

    #[test]
    fn changes_come_first_and_the_worst_of_them_before_all() {
        let old = report(
            "1",
            &[
                ("a/gone", "passed"),
                ("b/mended", "failed"),
                ("c/broken", "passed"),
                ("d/as-ever", "passed"),
            ],
        );
        let new = report(
            "2",
            &[
                ("b/mended", "passed"),
                ("c/broken", "failed"),
                ("d/as-ever", "passed"),
                ("e/new", "passed"),
            ],
        );
        let compared = Comparison::new(old, new);
        insta::assert_snapshot!(compared.text(), @r"
        1 (embedded world, rolecall-proxy, 2 s) → 2 (embedded world, rolecall-proxy, 2 s)
        worse   c/broken  passed → failed
                  it got keys | of <node>
        better  b/mended  failed → passed
        new     e/new  none → passed
        gone    a/gone  passed → none
        as before: 1 passed
        ");
        insta::assert_snapshot!(compared.markdown(), @r"
        ### 1 (embedded world, rolecall-proxy, 2 s) → 2 (embedded world, rolecall-proxy, 2 s)

        | | scenario | before → now | why |
        |---|---|---|---|
        | worse | c/broken | passed → failed | it got keys \| of &lt;node> |
        | better | b/mended | failed → passed |  |
        | new | e/new | none → passed |  |
        | gone | a/gone | passed → none |  |

        as before: 1 passed
        ");
    }

    #[rstest]
    #[case::no_json("<xml/>", "no report")]
    #[case::another_json("{}", "no report")]
    #[case::another_version(
        r#"{"version": 99, "run": "1", "world": "", "subject": "", "seconds": 1, "enforcement": true, "scenarios": []}"#,
        "version 99"
    )]
    fn what_is_no_report_is_refused(#[case] text: &str, #[case] says: &str) {
        let error = OldReport::read(text).expect_err("no report");
        assert!(error.contains(says), "{error}");
    }
}
