//! `rolecall why`: what was decided about a request, and which statement of which policy decided.

use std::fmt::Write;

use rolecall_aws::{DecisionRecord, Verdict};

use super::{
    args::WhyArgs,
    main::{complain, print_json},
};
use crate::{
    report::{ExitStatus, Kept, kept_decisions, runs},
    secrets::mask,
    serve::{self, ServeError},
};

/// Shortest beginning of an id that is looked for.
const SHORTEST: usize = 4;

/// Says why a request was decided as it was, or what the newest run has refused.
pub(crate) fn why(args: &WhyArgs) -> ExitStatus {
    match try_why(args) {
        Ok(()) => ExitStatus::AsExpected,
        Err((message, status)) => {
            complain(message);
            status
        }
    }
}

fn try_why(args: &WhyArgs) -> Result<(), (String, ExitStatus)> {
    if let Some(id) = args.id.as_ref().filter(|id| id.len() < SHORTEST) {
        return Err((
            format!("`{id}` is too short: give {SHORTEST} characters of the id at least"),
            ExitStatus::Usage,
        ));
    }
    if let Some(url) = &args.control {
        return asked(url, args);
    }
    kept(args)
}

/// Asks a front that runs.
fn asked(url: &str, args: &WhyArgs) -> Result<(), (String, ExitStatus)> {
    let failed = |error: ServeError| (error.to_string(), error.status());
    let decided = serve::decisions_of(url).map_err(failed)?;
    let decided = decided.into_iter().map(|decided| Kept {
        decided,
        file: url.into(),
    });
    let decided: Vec<Kept> = decided.collect();
    show(args, &decided).unwrap_or_else(|| {
        Err((
            format!("the AWS behind {url} has made no such decision, or has forgotten it since"),
            ExitStatus::NothingRan,
        ))
    })
}

/// Looks into what failed runs have left, the newest first.
fn kept(args: &WhyArgs) -> Result<(), (String, ExitStatus)> {
    let output = args.output.folder();
    for run in runs(&output) {
        let kept = kept_decisions(&run).map_err(|error| (format!("cannot read {error}"), ExitStatus::HarnessError))?;
        if let Some(shown) = show(args, &kept) {
            return shown;
        }
    }
    let what = match &args.id {
        Some(id) => format!(
            "no decision with an id that begins with {id} is kept in {}",
            output.display()
        ),
        None => format!("no decisions are kept in {}", output.display()),
    };
    Err((
        format!(
            "{what}: a run keeps those of scenarios that failed; ask a running `rolecall serve aws` with --control URL"
        ),
        ExitStatus::NothingRan,
    ))
}

/// Shows what was asked for, if it is among these.
fn show(args: &WhyArgs, kept: &[Kept]) -> Option<Result<(), (String, ExitStatus)>> {
    let found: Vec<&Kept> = match &args.id {
        Some(id) => kept
            .iter()
            .filter(|kept| kept.decided.request_id.starts_with(id.as_str()))
            .collect(),
        None => kept.iter().filter(|kept| is_refused(&kept.decided)).collect(),
    };
    if found.is_empty() && (args.id.is_some() || kept.is_empty()) {
        return None;
    }
    if args.json {
        let printed = print_json(&found.iter().map(|kept| &kept.decided).collect::<Vec<_>>());
        return Some(match printed {
            ExitStatus::AsExpected => Ok(()),
            status => Err(("the decisions cannot be written".to_owned(), status)),
        });
    }
    match (&args.id, found.as_slice()) {
        (Some(_), [one]) => anstream::print!("{}", mask(&text(one))),
        (Some(id), several) => {
            let ids: Vec<_> = several.iter().map(|kept| kept.decided.request_id.as_str()).collect();
            let message = format!("several ids begin with {id}: {}", ids.join(", "));
            return Some(Err((message, ExitStatus::Usage)));
        }
        (None, []) => anstream::println!("nothing was refused"),
        (None, refused) => {
            for kept in refused {
                anstream::println!("{}", mask(&line(&kept.decided)));
            }
        }
    }
    Some(Ok(()))
}

fn is_refused(decided: &DecisionRecord) -> bool {
    decided.verdict != Verdict::Allowed
}

fn line(decided: &DecisionRecord) -> String {
    let caller = decided
        .caller
        .as_ref()
        .map_or("nobody known", |caller| caller.arn.as_str());
    format!(
        "{}  {}  {caller}: {}",
        decided.request_id,
        asked_for(decided),
        outcome(decided)
    )
}

fn asked_for(decided: &DecisionRecord) -> String {
    if decided.action.is_empty() {
        format!("{}:{}", decided.service, decided.operation)
    } else {
        format!("{} on {}", decided.action, decided.resource)
    }
}

/// The decision's own first line, or what stands for it where none was made.
fn outcome(decided: &DecisionRecord) -> String {
    let said = decided.decision.as_ref().map(ToString::to_string);
    let first = said.as_deref().and_then(|said| said.lines().next());
    match (&decided.verdict, first) {
        (Verdict::LetThrough, Some(first)) => format!("let through, {first}"),
        (_, Some(first)) => first.to_owned(),
        (Verdict::Allowed, None) => "allowed: the operation needs no permission".to_owned(),
        (verdict, None) => verdict.to_string(),
    }
}

/// All that is known of a decision.
fn text(kept: &Kept) -> String {
    let decided = &kept.decided;
    let mut text = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<11}{value}");
    };
    row("request", &format!("{} at {}", decided.request_id, decided.at));
    row("asked", &asked_for(decided));
    row("answered", &format!("{} {}", decided.status, decided.answer));
    match &decided.caller {
        None => row("caller", "nobody known"),
        Some(caller) => {
            row("caller", &format!("{}, with the key {}", caller.arn, caller.key_id));
            let of = |name: &Option<String>| name.clone().unwrap_or_default();
            if caller.role.is_some() {
                row(
                    "session",
                    &format!("{} of the role {}", of(&caller.session_name), of(&caller.role)),
                );
            }
            if let (Some(issued), Some(expires)) = (caller.issued, caller.expires) {
                row("", &format!("issued at {issued}, ends at {expires}"));
            }
        }
    }
    row("outcome", &outcome(decided));
    if let Some(attached) = &decided.attached {
        row("", &format!("{} is in force since {}", attached.policy, attached.at));
    }
    if let Some(decision) = &decided.decision {
        let of = |rows: Vec<String>, name: &'static str| {
            rows.into_iter()
                .enumerate()
                .map(move |(index, value)| (if index == 0 { name } else { "" }, value))
        };
        row("rule", &decision.rule.to_string());
        let statements = decision.statements.iter().map(ToString::to_string).collect();
        for (name, value) in of(statements, "decided by") {
            row(name, &value);
        }
        let consulted = decision.consulted.iter().map(|consulted| {
            let plural = if consulted.statements == 1 { "" } else { "s" };
            format!(
                "{} ({}, {} statement{plural})",
                consulted.policy, consulted.policy_type, consulted.statements
            )
        });
        let looked_at = match decision.consulted.as_slice() {
            [] => vec!["no policy is there".to_owned()],
            _ => consulted.collect(),
        };
        for (name, value) in of(looked_at, "consulted") {
            row(name, &value);
        }
        let misses = decision.near_misses.iter().map(ToString::to_string).collect();
        for (name, value) in of(misses, "near miss") {
            row(name, &value);
        }
    }
    row("kept in", &kept.file.display().to_string());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{
        "request_id": "0a1b2c3d-0000-4000-8000-000000000000", "at": "2026-11-24T17:23:31Z",
        "service": "s3", "operation": "ListBuckets", "action": "s3:ListAllMyBuckets", "resource": "*",
        "caller": {"arn": "arn:aws:sts::123456789012:assumed-role/MyPodRole/pod", "key_id": "ASIAQWERTYUIOPASDF7Q",
                   "role": "MyPodRole", "session_name": "pod", "issued": "2026-11-24T17:00:00Z",
                   "expires": "2026-11-24T18:00:00Z"},
        "verdict": "denied",
        "decision": {
            "principal": "arn:aws:sts::123456789012:assumed-role/MyPodRole/pod",
            "action": "s3:ListAllMyBuckets", "resource": "*",
            "effect": "ImplicitDeny", "reason": {"NoneAllows": "IdentityBased"}, "rule": "SameAccount", "statements": [],
            "near_misses": [{
                "statement": {"policy": "inline policy p of role MyPodRole", "index": 1, "sid": null,
                              "summary": "s3:Get* on *"},
                "mismatches": [{"Action": {"asked": "s3:ListAllMyBuckets", "statement": "s3:Get*"}}]
            }],
            "considered": ["inline policy p of role MyPodRole"], "omitted": 0,
            "consulted": [{"policy_type": "IdentityBased", "policy": "inline policy p of role MyPodRole", "statements": 1}]
        },
        "attached": null, "answer": "AccessDenied", "status": 403
    }"#;

    #[test]
    fn a_denial_tells_the_caller_the_policies_and_how_near_they_came() {
        let kept = Kept {
            decided: serde_json::from_str(RECORD).expect("a record"),
            file: "target/rolecall/run/decisions.json".into(),
        };
        insta::assert_snapshot!(mask(&text(&kept)), @r"
        request    0a1b2c3d-0000-4000-8000-000000000000 at 2026-11-24T17:23:31Z
        asked      s3:ListAllMyBuckets on *
        answered   403 AccessDenied
        caller     arn:aws:sts::123456789012:assumed-role/MyPodRole/pod, with the key ASIA…7Q
        session    pod of the role MyPodRole
                   issued at 2026-11-24T17:00:00Z, ends at 2026-11-24T18:00:00Z
        outcome    denied: no identity-based policy allows s3:ListAllMyBuckets
        rule       within an account an identity-based policy has to allow, and every permissions boundary and session policy (Policy evaluation logic)
        consulted  inline policy p of role MyPodRole (identity-based policy, 1 statement)
        near miss  statement 1 of inline policy p of role MyPodRole (s3:Get* on *) does not apply: the action is s3:ListAllMyBuckets
        kept in    target/rolecall/run/decisions.json
        ");
    }
}
