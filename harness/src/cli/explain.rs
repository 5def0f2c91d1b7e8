use super::{args::ExplainArgs, selection::load_selected, suite::Suite};
use crate::report::ExitStatus;

/// Says scenarios in words, one after the other, each under its id where there are several.
pub(crate) fn explain(suite: &Suite, args: &ExplainArgs) -> ExitStatus {
    let scenarios = match load_selected(suite, &args.selection) {
        Ok(scenarios) => scenarios,
        Err(status) => return status,
    };
    let style = anstyle::Style::new().bold();
    for (index, scenario) in scenarios.iter().enumerate() {
        if scenarios.len() > 1 {
            let gap = if index == 0 { "" } else { "\n\n" };
            anstream::println!("{gap}{style}# {}{style:#}\n", scenario.id);
        }
        anstream::print!("{}", rolecall_scenario::explain(scenario));
    }
    ExitStatus::AsExpected
}
