use super::{expectations, times, world};
use crate::{Source, Span, excerpt, model::Scenario};

/// One thing in a scenario that can hardly be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub span: Span,
    /// What is odd there, a fragment in lower case.
    pub text: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// What in a scenario can hardly be meant, in the order of the file: it loads, but it cannot hold in any world, or it
/// cannot fail, or it does not say why it exists.
pub fn warnings(scenario: &Scenario) -> Vec<Warning> {
    let mut all = Vec::new();
    all.extend(unexplained(scenario));
    for step in &scenario.steps {
        expectations::check(step, &mut all);
        times::check(step, &mut all);
    }
    world::check(scenario, &mut all);
    all.sort_by(|a, b| (a.span.start, a.span.end, &a.text).cmp(&(b.span.start, b.span.end, &b.text)));
    all.dedup();
    all
}

/// Every file says what it pins; those that come from the chapter itself have the chapter.
fn unexplained(scenario: &Scenario) -> Option<Warning> {
    let said = scenario.why.as_ref().is_some_and(|why| !why.trim().is_empty());
    let seed = scenario.tags.iter().any(|tag| tag == "seed");
    (!said && !seed).then(|| {
        Warning::new(scenario.name.span.clone(), "the scenario has no `why`")
            .help("say which claim, defect or document it pins")
    })
}

// === impl Warning ===

impl Warning {
    pub(super) fn new(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The warning with the line that it is in, as an error is shown. `color` puts in ANSI escapes.
    pub fn render(&self, source: &Source, color: bool) -> String {
        excerpt::warning(source, self, color)
    }
}
