//! What becomes of a scenario.

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

impl Plan {
    /// The scenario, if it is run.
    pub(crate) fn to_run(&self) -> Option<&Arc<Scenario>> {
        match self {
            Self::Run { scenario, .. } => Some(scenario),
            Self::Skip { .. } => None,
        }
    }
}

/// Decides what becomes of a scenario in a world with these capabilities and with this subject.
///
/// With `real_time`, `advance` waits, so no part needs a clock that can be moved.
pub(crate) fn plan(scenario: Arc<Scenario>, world: &Capabilities, subject: &Subject, real_time: bool) -> Plan {
    if let Some(pending) = scenario.pending.first() {
        let (line, _) = scenario.source.line_column(pending.span.start);
        let reason = format!("`{}` (line {line}): {}", pending.word, pending.reason);
        return Plan::Skip { scenario, reason };
    }
    if let Some(need) = world.missing(&scenario.needs) {
        let reason = format!("{} has no `{need}`", world.world);
        return Plan::Skip { scenario, reason };
    }
    let lacks = |client: &&str| *client != "rust" && !world.has.contains(&format!("client:{client}"));
    let lacking = clients(&scenario).find(lacks).map(str::to_owned);
    if let Some(client) = lacking {
        let reason = format!(
            "{} cannot run the SDK of `client: {client}` on this machine",
            world.world
        );
        return Plan::Skip { scenario, reason };
    }
    if scenario.needs.contains("clock")
        && !real_time
        && let Some(reason) = world.fixed_clock(&scenario.needs)
    {
        let reason = format!("{reason} (`--real-time` waits instead)");
        return Plan::Skip { scenario, reason };
    }
    if scenario.needs.contains("clock") && subject.test_clock().is_none() && !real_time {
        let reason = format!(
            "{} has no clock that can be moved (`--real-time` waits instead)",
            subject.name()
        );
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

/// SDK clients that a scenario's steps use.
pub(crate) fn clients(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.steps.iter().filter_map(|step| match &step.action.value {
        Action::Credentials(walk) => walk.client.as_deref(),
        _ => None,
    })
}
