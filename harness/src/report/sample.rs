//! A run with one scenario of each ending, for the writers' tests.

use super::{
    DiagnosticsReport, FailureReport, RunReport, ScenarioReport, StepReport, UnsteadyReport, VerdictWord,
    run_report::{REPORT_VERSION, Summary},
};

/// Two rounds of one scenario, which ended now so, now so, and one scenario of each other ending.
pub(super) fn sample() -> RunReport {
    let mut failed = ended("kube2iam/no-permission", 2, VerdictWord::Failed);
    failed.failure = Some(FailureReport {
        step: 2,
        step_name: "and S3 denies it".into(),
        line: 19,
        column: 15,
        found: "S3 allowed it: 200, it lists [] & <more>".into(),
        excerpt:
            "  --> scenarios/kube2iam/no-permission.yaml:19:15\n   |\n19 |     expect: { denied: AccessDenied }\n   \
                  |               ^^^^^^^^^^^^^^^^^^^^ S3 allowed it: 200, it lists [] & <more>\n"
                .into(),
        notes: vec![
            "signed by ASIA…7Q: role MyPodRole, issued 0.4s before".into(),
            "held for 0s of 300ms, asked once".into(),
        ],
    });
    failed.diagnostics = Some(DiagnosticsReport {
        folder: "target/rolecall/20260102T030405Z-0a2f/kube2iam/no-permission/repeat-2".into(),
        files: ["proxy.log", "http.txt", "decisions.txt", "events.txt"]
            .map(str::to_owned)
            .into(),
    });
    failed.again = Some("rolecall run kube2iam/no-permission --keep".into());
    let mut error = ended("kube2iam/other", 1, VerdictWord::Error);
    error.reason = Some("bringing up its world: cannot read fixtures/trust/absent.json".into());
    error.again = Some("rolecall run kube2iam/other --keep".into());
    let mut skipped = ended("vault/switch-role", 1, VerdictWord::Skipped);
    skipped.reason = Some("the embedded world has no `vault`".into());
    let mut interrupted = ended("vault/switch-role", 2, VerdictWord::Interrupted);
    interrupted.reason = Some("interrupted".into());
    RunReport {
        version: REPORT_VERSION,
        tool: "rolecall 0.0.0".into(),
        run: "20260102T030405Z-0a2f".into(),
        started: jiff::Timestamp::UNIX_EPOCH,
        seconds: 12.34,
        world: "embedded".into(),
        subject: "rolecall-proxy".into(),
        versions: Default::default(),
        enforcement: true,
        repeats: 2,
        median_verdict_seconds: Some(0.5),
        summary: Summary {
            passed: 1,
            failed: 1,
            error: 1,
            skipped: 1,
            interrupted: 1,
        },
        unsteady: vec![UnsteadyReport {
            id: "kube2iam/no-permission".into(),
            passed: 1,
            failed: 1,
            error: 0,
        }],
        scenarios: vec![
            ended("kube2iam/no-permission", 1, VerdictWord::Passed),
            failed,
            error,
            skipped,
            interrupted,
        ],
    }
}

fn ended(id: &str, repeat: u32, verdict: VerdictWord) -> ScenarioReport {
    let ran = matches!(verdict, VerdictWord::Passed | VerdictWord::Failed);
    let steps = vec![
        step(1, "the pod is handed MyPodRole", true, 1, 0.0),
        step(2, "and S3 denies it", verdict == VerdictWord::Passed, 8, 0.31),
    ];
    ScenarioReport {
        id: id.into(),
        name: "A role without permissions is denied".into(),
        file: format!("scenarios/{id}.yaml"),
        why: None,
        profile: Some("pod-role".into()),
        tags: vec!["seed".into(), "slow".into()],
        repeat,
        verdict,
        reason: None,
        seconds: if ran { 1.25 } else { 0.0 },
        world_ready_seconds: ran.then_some(0.5),
        settling_seconds: ran.then_some(0.75),
        verdict_seconds: ran.then_some(0.5),
        steps: if ran { steps } else { Vec::new() },
        failure: None,
        notes: Vec::new(),
        diagnostics: None,
        again: None,
    }
}

fn step(number: usize, name: &str, held: bool, asked: u32, held_seconds: f64) -> StepReport {
    StepReport {
        number,
        name: name.into(),
        line: 9 + number,
        held,
        asked,
        seconds: 0.42,
        held_seconds,
    }
}
