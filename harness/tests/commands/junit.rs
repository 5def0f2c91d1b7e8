//! `--report junit=FILE`.

use std::fs;

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};

use crate::{
    scenarios::{ERRS, FAILS, HOLDS, SKIPS},
    suite::{Ended, TemporarySuite},
};

#[test]
fn junit_tells_failures_errors_and_skips_apart_in_as_many_files_as_are_wanted() {
    let suite = TemporarySuite::new(&[
        ("scenarios/a/errs.yaml", ERRS),
        ("scenarios/a/fails.yaml", FAILS),
        ("scenarios/a/holds.yaml", HOLDS),
        ("scenarios/b/skips.yaml", SKIPS),
    ]);
    let reports = ["junit=one.xml", "json=one.json", "junit=deep/two.xml", "json=two.json"];
    let arguments: Vec<_> = reports.iter().flat_map(|report| ["--report", report]).collect();
    let ended = Ended::of(suite.rolecall(&[&["run"], arguments.as_slice()].concat()).output());
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    let text = fs::read_to_string(suite.path("one.xml")).expect("a report");
    assert_eq!(
        text,
        fs::read_to_string(suite.path("deep/two.xml")).expect("another report")
    );
    assert!(suite.path("one.json").exists() && suite.path("two.json").exists());

    let report = Report::deserialize_from_str(&text).expect("JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (4, 1, 1), "{text}");
    let chapters: Vec<_> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(chapters, ["a", "b"]);
    let status = |name: &str| {
        let mut cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
        let case = cases.find(|case| case.name.as_str() == name);
        case.map(|case| case.status.clone()).expect("a case for each scenario")
    };
    assert!(matches!(status("a/holds"), TestCaseStatus::Success { .. }), "{text}");
    let why = |name: &str, wanted: NonSuccessKind| match status(name) {
        TestCaseStatus::NonSuccess {
            kind,
            message,
            description,
            ..
        } if kind == wanted => {
            let description = description.map(|text| text.as_str().to_owned());
            (
                message.expect("a message").as_str().to_owned(),
                description.unwrap_or_default(),
            )
        }
        other => panic!("{name} is {other:#?}"),
    };
    let (message, description) = why("a/fails", NonSuccessKind::Failure);
    assert_eq!(message, "step 1: aws-cli: credentials: {}: the keys of role MyPodRole");
    assert!(
        description.contains("scenarios/a/fails.yaml:10:13") && description.contains("again: rolecall run a/fails")
    );
    let (message, _) = why("a/errs", NonSuccessKind::Error);
    assert!(message.contains("there is no pod"), "{message}");
    match status("b/skips") {
        TestCaseStatus::Skipped { message, .. } => {
            assert_eq!(message.expect("a reason").as_str(), "the embedded world has no `ipv6`");
        }
        other => panic!("a skip is {other:#?}"),
    }
}

#[test]
fn two_reports_in_one_file_are_wrong_usage() {
    let suite = TemporarySuite::new(&[("scenarios/a/skips.yaml", SKIPS)]);
    let arguments = ["run", "--report", "json=report", "--report", "junit=report"];
    let ended = Ended::of(suite.rolecall(&arguments).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:#?}");
    assert!(ended.err.contains("two reports cannot both be report"), "{ended:#?}");
}
