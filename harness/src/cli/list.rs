use serde_json::json;

use super::{args::ListArgs, main::print_json, selection::load_selected, suite::Suite};
use crate::report::ExitStatus;

/// Lists scenarios: one a line, or one JSON array.
pub(crate) fn list(suite: &Suite, args: &ListArgs) -> ExitStatus {
    let scenarios = match load_selected(suite, &args.selection) {
        Ok(scenarios) => scenarios,
        Err(status) => return status,
    };
    if args.json {
        let entries: Vec<_> = scenarios
            .iter()
            .map(|scenario| {
                json!({
                    "id": scenario.id,
                    "name": scenario.name.value,
                    "file": scenario.source.path(),
                    "profile": scenario.profile,
                    "tags": scenario.tags,
                })
            })
            .collect();
        return print_json(&entries);
    }
    let width = scenarios
        .iter()
        .map(|scenario| scenario.id.chars().count())
        .max()
        .unwrap_or_default();
    for scenario in &scenarios {
        anstream::println!("{:width$}  {}", scenario.id, scenario.name.value);
    }
    ExitStatus::AsExpected
}
