use serde_json::json;

use super::{
    args::ListArgs,
    main::complain,
    selection::{load_all, select},
    suite::Suite,
};
use crate::report::ExitStatus;

/// Lists scenarios: one a line, or one JSON array.
pub(crate) fn list(suite: &Suite, args: &ListArgs) -> ExitStatus {
    let scenarios = match select(suite, &args.scenarios).and_then(|files| load_all(&files)) {
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
        match serde_json::to_string_pretty(&entries) {
            Ok(text) => anstream::println!("{text}"),
            Err(error) => {
                complain(error);
                return ExitStatus::HarnessError;
            }
        }
        return ExitStatus::AsExpected;
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
