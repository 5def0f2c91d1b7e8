//! `--why`: a line for each decision.

use std::sync::Arc;

use rolecall_accept::CancellationToken;
use rolecall_aws::{DecisionRecord, Front, Verdict};

use super::{listen::say, services::Services};
use crate::secrets::mask;

/// Prints each decision as it is made, until `stop`.
pub(crate) async fn print_decisions(services: Arc<Services>, stop: CancellationToken) {
    let mut generation = services.generation();
    loop {
        generation.mark_unchanged();
        let front = services.current().front;
        let (mut grown, mut next) = (front.journal_grown(), 0);
        loop {
            next = print_since(&front, next);
            tokio::select! {
                () = stop.cancelled() => {
                    print_since(&front, next);
                    return;
                }
                _ = generation.changed() => {
                    print_since(&front, next);
                    break;
                }
                changed = grown.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn print_since(front: &Front, number: u64) -> u64 {
    let entries = front.journal_since(number);
    for entry in &entries {
        if let Some(decided) = front.decision(&entry.request_id) {
            say(&mask(&line(&decided)));
        }
    }
    entries.last().map_or(number, |entry| entry.number + 1)
}

/// A decision in a line: when, who, what, the outcome with its reason, and the id that `rolecall why` takes.
fn line(decided: &DecisionRecord) -> String {
    let caller = decided
        .caller
        .as_ref()
        .map_or("nobody known", |caller| caller.arn.as_str());
    let what = if decided.action.is_empty() {
        format!("{}:{}", decided.service, decided.operation)
    } else {
        format!("{} on {}", decided.action, decided.resource)
    };
    let text = decided.decision.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    let reason = lines.next().unwrap_or_default();
    let nearest = lines.next().map(|miss| format!("; {miss}")).unwrap_or_default();
    let outcome = match &decided.verdict {
        Verdict::Allowed if reason.is_empty() => "allowed: it needs no permission".to_owned(),
        Verdict::Allowed => reason.to_owned(),
        Verdict::Denied => format!("{reason}{nearest}"),
        Verdict::LetThrough => format!("let through (--soft), {reason}{nearest}"),
        failed @ Verdict::Failed(_) => failed.to_string(),
    };
    let refused = matches!(decided.verdict, Verdict::Allowed | Verdict::LetThrough) && decided.answer != "ok";
    let answer = if refused {
        format!("; answered {}", decided.answer)
    } else {
        String::new()
    };
    let at = decided.at.strftime("%H:%M:%S%.3f");
    format!("{at} {caller} {what}: {outcome}{answer} [{}]", decided.request_id)
}
