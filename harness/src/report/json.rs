use super::RunReport;

/// The report as JSON, with a newline at its end.
///
/// # Errors
/// The report has a number that JSON has not.
pub(crate) fn json(report: &RunReport) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    #[test]
    fn the_members_of_the_report_are_what_programs_may_rely_on() {
        let text = json(&sample()).expect("JSON");
        insta::assert_snapshot!(text);
    }
}
