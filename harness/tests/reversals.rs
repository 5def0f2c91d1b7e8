//! A suite that cannot fail proves nothing. For each step that expects a denial, a refusal or that something never
//! happens, one fact of its scenario is reversed here, and *that* step must fail: verdict `failed`, exit status 1, with
//! the front's decision in the text. An `error` does not count.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rstest::rstest;
use serde_json::Value;

/// A fact that is reversed: words of the file that become others, or a flag of the run.
enum Reversed {
    Words(&'static [(&'static str, &'static str)]),
    Enforcement,
}

use Reversed::{Enforcement, Words};

const ES_FOR_MY_POD_ROLE: (&str, &str) = (
    "  roles: { MyPodRole: {} }\n",
    "  roles: { MyPodRole: { inline: { es: { Version: \"2012-10-17\", Statement: \
     [{ Effect: Allow, Action: \"es:*\", Resource: \"*\" }] } } } }\n",
);

#[rstest]
#[case::no_permission_without_enforcement("kube2iam/no-permission", Enforcement, 2, "let through: enforcement is off")]
#[case::no_permission_with_a_policy(
    "kube2iam/no-permission",
    Words(&[("MyPodRole: {}", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] }")]),
    2,
    "managed policy AmazonS3ReadOnlyAccess"
)]
#[case::no_permission_with_the_nodes_keys(
    "kube2iam/no-permission",
    Words(&[
        ("profile: pod-role\n", "profile: pod-role\nproxy: { intercept: none }\n"),
        ("expect: { role: MyPodRole }", "expect: { role: node }"),
    ]),
    2,
    "signed by role nodes.example.cluster.k8s.local"
)]
#[case::attach_denied_before_without_enforcement(
    "kube2iam/attach-s3-read",
    Enforcement,
    2,
    "let through: enforcement is off"
)]
#[case::attach_denied_before_with_the_policy_already_there(
    "kube2iam/attach-s3-read",
    Words(&[("MyPodRole: {} }\n  buckets", "MyPodRole: { policies: [AmazonS3ReadOnlyAccess] } }\n  buckets")]),
    2,
    "managed policy AmazonS3ReadOnlyAccess"
)]
#[case::attach_writing_denied_with_full_access(
    "kube2iam/attach-s3-read",
    Words(&[("policies: [AmazonS3ReadOnlyAccess]", "policies: [AmazonS3FullAccess]")]),
    7,
    "managed policy AmazonS3FullAccess"
)]
#[case::namespace_refused_with_the_rule_off(
    "kube2iam/namespace-restriction",
    Words(&[("namespace_restrictions: true", "namespace_restrictions: false")]),
    2,
    "trust policy"
)]
#[case::namespace_never_asked_with_the_rule_off_and_nobody_trusted(
    "kube2iam/namespace-restriction",
    Words(&[
        ("namespace_restrictions: true", "namespace_restrictions: false"),
        ("OtherRole: {}", "OtherRole: { trust: none }"),
    ]),
    3,
    "sts:AssumeRole"
)]
#[case::kops_master_denied_without_enforcement(
    "kops/additional-policies-node",
    Enforcement,
    3,
    "let through: enforcement is off"
)]
#[case::kops_master_denied_with_the_policy_for_masters_too(
    "kops/additional-policies-node",
    Words(&[(
        "      node: |\n",
        "      master: [{ Effect: Allow, Action: [\"es:*\"], Resource: [\"*\"] }]\n      node: |\n",
    )]),
    3,
    "additional.masters.example.cluster.k8s.local"
)]
#[case::kops_pod_denied_with_the_nodes_policy("kops/additional-policies-node", Words(&[ES_FOR_MY_POD_ROLE]), 4, "inline policy es")]
#[case::kops_pod_denied_without_interception(
    "kops/additional-policies-node",
    Words(&[("profile: node-role\n", "profile: node-role\nproxy: { intercept: none }\n")]),
    4,
    "additional.nodes.example.cluster.k8s.local"
)]
fn a_step_fails_when_its_fact_is_reversed(
    #[case] scenario: &str,
    #[case] reversed: Reversed,
    #[case] step: u64,
    #[case] decision: &str,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let (output, report) = run_reversed(folder.path(), scenario, &reversed);
    let text = String::from_utf8_lossy(&output.stdout);
    let shown = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{shown}");
    let ended = &report["scenarios"][0];
    assert_eq!(ended["verdict"], "failed", "{shown}");
    assert_eq!(ended["failure"]["step"], step, "{shown}");
    assert!(text.contains(decision), "no `{decision}` in:\n{shown}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run_reversed(folder: &Path, scenario: &str, reversed: &Reversed) -> (Output, Value) {
    let path = root().join("scenarios").join(scenario).with_extension("yaml");
    let mut text = fs::read_to_string(&path).expect("the scenario");
    if let Words(words) = reversed {
        for (from, to) in *words {
            assert_eq!(
                text.matches(from).count(),
                1,
                "`{from}` must stand once in {}",
                path.display()
            );
            text = text.replace(from, to);
        }
    }
    let file = folder.join("reversed.yaml");
    fs::write(&file, text).expect("the reversed scenario");
    let report = folder.join("report.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command
        // What a failed run keeps goes with the folder.
        .current_dir(folder)
        .arg("--suite")
        .arg(root())
        .arg("run")
        .arg(&file)
        .arg("--report")
        .arg(format!("json={}", report.display()));
    if matches!(reversed, Enforcement) {
        command.arg("--no-enforcement");
    }
    let output = command.output().expect("rolecall");
    let report = fs::read_to_string(&report)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    (output, report.unwrap_or_default())
}
