//! The report as JUnit XML, as CI systems read it: a suite for each chapter, a case for each scenario.

use std::{collections::BTreeMap, time::Duration};

use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{RunReport, ScenarioReport, VerdictWord, text::explain_failure};

/// The report as JUnit XML. *Failed* is `<failure>` and *error* is `<error>`; they never mix here either. A skip bears
/// its reason, and what was interrupted is an `<error>`, because nobody knows how it would have ended.
///
/// # Errors
/// The XML cannot be written.
pub(crate) fn junit(report: &RunReport) -> Result<String, SerializeError> {
    let mut chapters: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for scenario in &report.scenarios {
        let chapter = scenario.id.rsplit_once('/').map_or("", |(chapter, _)| chapter);
        let suite = chapters.entry(chapter).or_insert_with(|| TestSuite::new(chapter));
        suite.add_test_case(case(report, scenario, chapter));
    }
    let mut xml = Report::new("rolecall");
    xml.set_time(seconds(report.seconds));
    xml.timestamp = report.started.to_string().parse().ok();
    for (_, mut suite) in chapters {
        suite.add_property(("world", report.world.as_str()));
        suite.add_property(("subject", report.subject.as_str()));
        for (name, version) in &report.versions {
            suite.add_property((name.as_str(), version.as_str()));
        }
        suite.add_property(("enforcement", if report.enforcement { "on" } else { "off" }));
        xml.add_test_suite(suite);
    }
    xml.to_string()
}

fn case(report: &RunReport, scenario: &ScenarioReport, chapter: &str) -> TestCase {
    let name = match report.repeats {
        1 => scenario.id.clone(),
        repeats => format!("{} ({} of {repeats})", scenario.id, scenario.repeat),
    };
    let mut case = TestCase::new(name, status(scenario));
    case.set_classname(chapter).set_time(seconds(scenario.seconds));
    case.add_property(Property::new("name", &scenario.name));
    case.add_property(Property::new("file", &scenario.file));
    if let Some(profile) = &scenario.profile {
        case.add_property(Property::new("profile", profile));
    }
    for tag in &scenario.tags {
        case.add_property(Property::new("tag", tag));
    }
    case
}

fn status(scenario: &ScenarioReport) -> TestCaseStatus {
    let reason = scenario.reason.as_deref().unwrap_or_default();
    let (kind, message, r#type) = match scenario.verdict {
        VerdictWord::Passed => return TestCaseStatus::success(),
        VerdictWord::Skipped => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(reason);
            return skipped;
        }
        VerdictWord::Failed => {
            let failure = scenario.failure.as_ref();
            let message = failure.map_or_else(String::new, |failure| {
                format!("step {}: {}: {}", failure.step, failure.step_name, failure.found)
            });
            (NonSuccessKind::Failure, message, "failed")
        }
        VerdictWord::Error => (NonSuccessKind::Error, reason.to_owned(), "error"),
        VerdictWord::Interrupted => (NonSuccessKind::Error, reason.to_owned(), "interrupted"),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message).set_type(r#type);
    let text = explain_failure(scenario);
    if !text.is_empty() {
        status.set_description(text);
    }
    status
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn a_run_is_junit_as_ci_systems_read_it() {
        let text = junit(&sample()).expect("XML");
        insta::assert_snapshot!(text);
    }
}
