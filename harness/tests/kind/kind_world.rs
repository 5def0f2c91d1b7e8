//! What the kind world does to a subject and to pods: faults and journals of the API server, interception that comes and
//! goes, an SDK of Python's, pods of manifests, and starts that fail.

use std::fs;

use crate::{
    kind_left::left_of,
    kind_run::{Ended, KindRun},
};

/// Nothing stands before the node's metadata.
const BARE: &str = "\
name: Without interception a pod has its node's keys
proxy: { intercept: none }
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - { as: aws-cli, credentials: {}, expect: { role: node } }
";

/// Other settings than the first scenario's, so that the subject is rolled between them.
const AGAIN: &str = "\
name: With interception it has its own again
proxy: { cache_ttl: 20m }
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - { as: aws-cli, credentials: {}, expect: { role: MyPodRole } }
";

const WITHIN: &str = "\
name: Interception goes and comes within a scenario
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - { as: aws-cli, credentials: {}, expect: { role: MyPodRole } }
  - apply: { proxy: { intercept: none } }
  - { as: aws-cli, credentials: {}, expect: { role: node } }
  - apply: { proxy: { intercept: null } }
  - { as: aws-cli, credentials: {}, expect: { role: MyPodRole } }
";

const BOTOCORE: &str = "\
name: Python's own provider gets the pod's keys
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole }, none: {} }
steps:
  - { as: aws-cli, credentials: { client: botocore }, expect: { role: MyPodRole } }
  - { as: none, credentials: { client: botocore }, expect: refused }
";

const MANIFEST: &str = "\
name: A manifest's pod is asked by a probe that joins it, and runs its own programs
given:
  roles: { MyPodRole: {} }
  manifests: [pod-with-kube2iam.yaml]
steps:
  - { as: aws-cli, credentials: {}, expect: { role: MyPodRole } }
  - as: aws-cli
    exec: aws sts get-caller-identity
    expect: { exit: 0, stdout_contains: assumed-role/MyPodRole }
  - recreate: { pods: [aws-cli] }
  - { as: aws-cli, credentials: {}, expect: { role: MyPodRole } }
";

fn file(run: &KindRun, name: &str, text: &str) -> String {
    let file = run.path(name);
    fs::write(&file, text).expect("a scenario");
    file.display().to_string()
}

#[track_caller]
fn all_pass(ended: &Ended, count: usize) {
    let scenarios = ended.report["scenarios"].as_array().expect("scenarios");
    let verdicts: Vec<_> = scenarios.iter().map(|scenario| scenario["verdict"].as_str()).collect();
    assert_eq!(verdicts, vec![Some("passed"); count], "{ended:#?}");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn watches_break_off_and_what_the_api_server_was_asked_is_told() {
    let Some(run) = KindRun::new() else { return };
    let scenarios = ["resilience/watch-breaks-off", "kube2iam/known-by-watching"];
    all_pass(&run.end(run.kind(&scenarios)), 2);
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn a_proxy_that_lists_pods_anew_and_a_fault_that_nobody_meets_often_enough_are_caught() {
    let Some(run) = KindRun::new() else { return };
    let asks = run.reversed(
        "kube2iam/known-by-watching",
        &[("  - name: and for that", "  - restart: proxy\n  - name: and for that")],
    );
    let never = run.reversed("resilience/watch-breaks-off", &[("times: 2", "times: 1000")]);
    let ended = run.end(run.kind(&[&asks, &never]));
    let scenarios = ended.report["scenarios"].as_array().expect("scenarios");
    let [asks, never] = &scenarios[..] else {
        panic!("{ended:#?}");
    };
    assert_eq!(
        (&asks["verdict"], &asks["failure"]["step"]),
        (&"failed".into(), &5.into()),
        "{ended:#?}"
    );
    assert_eq!(never["verdict"], "error", "{ended:#?}");
    assert!(ended.out.contains("more were due by its `times`"), "{ended:#?}");
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn interception_comes_and_goes_between_scenarios_and_within_one() {
    let Some(run) = KindRun::new() else { return };
    let files = [
        file(&run, "a.yaml", WITHIN),
        file(&run, "b.yaml", BARE),
        file(&run, "c.yaml", AGAIN),
    ];
    let arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    all_pass(&run.end(run.kind(&arguments)), 3);
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn pythons_sdk_and_the_pods_of_manifests_get_their_own_keys() {
    let Some(run) = KindRun::new() else { return };
    let files = [file(&run, "a.yaml", BOTOCORE), file(&run, "b.yaml", MANIFEST)];
    let arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    all_pass(&run.end(run.kind(&arguments)), 2);
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn a_start_that_fails_in_the_middle_removes_what_it_made_and_says_so() {
    let Some(run) = KindRun::new() else { return };
    // It runs, and is no front: that is found out when cluster and containers are there.
    let image = "localstack/localstack:4.14.0";
    let ended = run.end(run.rolecall(&[
        "run",
        "--world",
        "kind",
        "--proxy-image",
        image,
        "--tools-image",
        image,
        "kube2iam/no-permission",
    ]));
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    let cluster = format!(
        "kind: removed kind cluster rolecall-{}",
        ended.run().to_ascii_lowercase()
    );
    assert!(
        ended.err.lines().any(|line| line == cluster),
        "no `{cluster}` in {ended:#?}"
    );
    assert_eq!(left_of(&ended.run(), &run.temporary()), Vec::<String>::new());
}
