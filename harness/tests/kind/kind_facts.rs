//! What a run in kind finds out: reversed facts, and an AWS that enforces nothing.

use crate::{kind_left::left_of, kind_run::KindRun};

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
    let reversed = [
        // The pod lives on with the lease that it had before the role was switched.
        run.reversed("vault/switch-role", &[("  - recreate: { pods: [aws-cli] }\n", "")]),
        // A pod asks Vault, and none is due to.
        run.reversed(
            "vault/pod-that-never-asks",
            &[
                (
                    "  manifests:",
                    "  pods: { asks: { vault_agent: readonly } }\n  manifests:",
                ),
                (
                    "  - journal:",
                    "  - { as: asks, credentials: { from: agent }, save: keys }\n  - journal:",
                ),
            ],
        ),
    ];
    let arguments: Vec<&str> = reversed.iter().map(String::as_str).collect();
    let ended = run.end(run.kind(&arguments));
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let scenarios = ended.report["scenarios"].as_array().expect("scenarios");
    let failed = |step: u64| (Some("failed"), Some(step));
    let found: Vec<_> = scenarios
        .iter()
        .map(|scenario| (scenario["verdict"].as_str(), scenario["failure"]["step"].as_u64()))
        .collect();
    assert_eq!(found, [failed(3), failed(3)], "{ended:#?}");
    assert!(ended.out.contains("role Ec2Reader"), "{ended:#?}");
    assert!(ended.out.contains("auth/kubernetes/login"), "{ended:#?}");
    assert!(
        ended.report["versions"]["vault"]
            .as_str()
            .is_some_and(|version| version.starts_with("1.21.")),
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
