//! What a run in kind finds out: reversed facts, and an AWS that enforces nothing.

use std::fs;

use crate::{
    kind_left::left_of,
    kind_run::{KindRun, root},
    table::{ALL, Of, Reversal},
};

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn three_facts_that_are_reversed_are_caught_in_one_run() {
    let Some(run) = KindRun::new() else { return };
    let reversed = [
        // The role may list buckets, and is due to be denied.
        run.reversed(
            "kube2iam/no-permission",
            &[("MyPodRole: {} }", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] } }")],
        ),
        // Nothing stands before the node's metadata: the node's keys leak.
        run.reversed(
            "kube2iam/trust-without-node",
            &[("given:\n", "proxy: { intercept: none }\ngiven:\n")],
        ),
        // The namespace allows what it is due to refuse.
        run.reversed(
            "kube2iam/namespace-restriction",
            &[("allowed_roles: [MyPodRole]", "allowed_roles: [MyPodRole, OtherRole]")],
        ),
    ];
    let arguments: Vec<&str> = reversed.iter().map(String::as_str).collect();
    let ended = run.end(run.kind(&arguments));
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let scenarios = ended.report["scenarios"].as_array().expect("scenarios");
    let verdicts: Vec<_> = scenarios.iter().map(|scenario| scenario["verdict"].as_str()).collect();
    assert_eq!(verdicts, [Some("failed"); 3], "{ended:#?}");
    assert!(
        ended.report["versions"]["kubernetes"].is_string(),
        "{:#?}",
        ended.report["versions"]
    );
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn facts_of_vault_that_are_reversed_are_caught_by_a_real_server() {
    let Some(run) = KindRun::new() else { return };
    // The pod lives on with the lease of before; and a pod asks Vault where none is due to.
    let chosen = ["vault/switch-role", "vault/pod-that-never-asks"];
    let rows = ALL.iter().copied().flatten();
    let rows = rows.filter(|Of(scenario, _)| chosen.contains(scenario));
    let mut files = Vec::new();
    let mut due = Vec::new();
    for Of(scenario, reversals) in rows {
        let Reversal(_, fact, step, finding) = reversals.last().expect("a reversal");
        let file = run.path(&scenario.replace('/', "-")).with_extension("yaml");
        let text = fact.text(&root(), scenario).expect("the reversed scenario");
        fs::write(&file, text).expect("the reversed scenario");
        files.push(file.display().to_string());
        due.push((Some("failed"), Some(*step), *finding));
    }
    assert_eq!(due.len(), chosen.len());
    let arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    let ended = run.end(run.kind(&arguments));
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    for (file, (verdict, step, finding)) in arguments.iter().zip(due) {
        let scenarios = ended.report["scenarios"].as_array().expect("scenarios");
        let found = scenarios
            .iter()
            .find(|found| found["file"] == *file)
            .expect("it was run");
        let step_found = found["failure"]["step"].as_u64();
        assert_eq!((found["verdict"].as_str(), step_found), (verdict, step), "{ended:#?}");
        assert!(ended.out.contains(finding), "no `{finding}` in {ended:#?}");
    }
    let version = ended.report["versions"]["vault"].as_str();
    assert!(
        version.is_some_and(|version| version.starts_with("1.21.")),
        "{:#?}",
        ended.report["versions"]
    );
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn the_canary_stops_a_run_without_the_front() {
    let Some(run) = KindRun::new() else { return };
    let ended = run.end(run.kind(&["kube2iam/no-permission", "--without-front"]));
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(ended.err.contains("the canary came through"), "{ended:#?}");
    assert!(!ended.out.contains("PASS"), "{ended:#?}");
    assert_eq!(left_of(&ended.run(), &run.temporary()), Vec::<String>::new());
}
