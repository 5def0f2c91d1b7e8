use std::sync::Arc;

use rolecall_scenario::model::{Action, Scenario};

use crate::{
    plan::Capabilities,
    subject::{Settings, Subject},
};

/// What becomes of a scenario.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// It is run, with these settings of the subject.
    Run {
        scenario: Arc<Scenario>,
        settings: Settings,
    },
    /// It is not run, and why. Never a pass.
    Skip { scenario: Arc<Scenario>, reason: String },
}

/// Decides what becomes of a scenario in a world with these capabilities and with this subject.
pub(crate) fn plan(scenario: Arc<Scenario>, world: &Capabilities, subject: &Subject) -> Plan {
    if let Some(pending) = scenario.pending.first() {
        let (line, _) = scenario.source.line_column(pending.span.start);
        let reason = format!("`{}` (line {line}): {}", pending.word, pending.reason);
        return Plan::Skip { scenario, reason };
    }
    if let Some(need) = world.missing(&scenario.needs) {
        let reason = format!("{} has no `{need}`", world.world);
        return Plan::Skip { scenario, reason };
    }
    let settings = Settings::default().with(&scenario.proxy);
    if let Err(unsupported) = subject.supports(&settings) {
        let reason = format!("{} does not support {unsupported}", subject.name());
        return Plan::Skip { scenario, reason };
    }
    for step in &scenario.steps {
        let Action::Apply(_, proxy) = &step.action.value else {
            continue;
        };
        if let Err(unsupported) = subject.supports(&settings.with(proxy)) {
            let reason = format!("{} does not support {unsupported}", subject.name());
            return Plan::Skip { scenario, reason };
        }
    }
    Plan::Run { scenario, settings }
}
