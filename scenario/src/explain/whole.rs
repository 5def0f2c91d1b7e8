use super::{change::Known, given, phrase::paragraph, step};
use crate::{
    Span,
    model::{Pending, Scenario},
};

/// The scenario in words: its name and its `why`, what is given, and each step with what must hold. Times are said where
/// they are written. The text ends in a line break.
pub fn explain(scenario: &Scenario) -> String {
    let mut text = paragraph("", 0, &scenario.name.value);
    if let Some(why) = &scenario.why {
        text.push('\n');
        text.push_str(&paragraph("Why:", 5, why));
    }
    let about = about(scenario);
    if !about.is_empty() {
        text.push('\n');
        text.push_str(&paragraph("", 0, &format!("{}.", about.join("; "))));
    }
    let mut known = Known::default();
    let settings = given::proxy(&scenario.proxy);
    section(&mut text, "The proxy", &settings);
    section(&mut text, "Given", &known.given(&scenario.given));
    text.push_str("\nSteps\n");
    for (index, one) in scenario.steps.iter().enumerate() {
        let head = format!("{:>3}.", index + 1);
        let said = step::step(scenario, one, &mut known);
        match &one.name {
            Some(name) => {
                text.push_str(&paragraph(&head, 5, &format!("{name}:")));
                text.push_str(&paragraph("", 5, &said));
            }
            None => text.push_str(&paragraph(&head, 5, &said)),
        }
        for pending in scenario
            .pending
            .iter()
            .filter(|pending| within(&pending.span, &one.span))
        {
            text.push_str(&paragraph("", 5, &format!("({})", skip(pending))));
        }
    }
    let outside = |pending: &&Pending| !scenario.steps.iter().any(|step| within(&pending.span, &step.span));
    let rest: Vec<String> = scenario
        .pending
        .iter()
        .filter(outside)
        .map(|pending| {
            format!(
                "line {}: {}",
                scenario.source.line_column(pending.span.start).0,
                skip(pending)
            )
        })
        .collect();
    section(&mut text, "Skipped, since no world can do it yet", &rest);
    text
}

fn about(scenario: &Scenario) -> Vec<String> {
    let mut about = Vec::new();
    about.extend(scenario.profile.as_ref().map(|profile| format!("Profile {profile}")));
    let needs: Vec<&str> = scenario.needs.iter().map(String::as_str).collect();
    for (words, list) in [
        ("features:", scenario.features.iter().map(String::as_str).collect()),
        ("tags:", scenario.tags.iter().map(String::as_str).collect()),
        ("needs:", needs),
    ] {
        let list: Vec<&str> = list;
        if !list.is_empty() {
            about.push(format!("{words} {}", list.join(", ")));
        }
    }
    // It begins with one of the words above.
    if let Some(first) = about.first_mut().and_then(|first| first.get_mut(..1)) {
        first.make_ascii_uppercase();
    }
    about
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}\n"));
    for line in lines {
        text.push_str(&paragraph("  -", 4, line));
    }
}

fn skip(pending: &Pending) -> String {
    format!("`{}`: {}", pending.word, pending.reason)
}

fn within(inner: &Span, outer: &Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
