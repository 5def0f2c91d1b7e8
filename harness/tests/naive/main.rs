//! The suite against a proxy that gives every pod the node's role, the mistake that all of this is about. It is this
//! very program, started once more by the harness as it would start kube2iam.

mod proxy;

use std::{collections::BTreeMap, error::Error, fs, path::Path, process::Command};

use Said::{Failed, Passed, Skipped};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

/// What the suite says of a scenario with such a proxy.
#[derive(Debug)]
enum Said {
    /// The step at which it fails, and a part of what was found there.
    Failed(u64, &'static str),
    /// A part of the reason.
    Skipped(&'static str),
    /// It passes, and may: it has to do with the chapter or with a pod's own agent, and not with the proxy.
    Passed,
}

const NODES_KEYS: &str = "the keys of role nodes.example.cluster.k8s.local";
const NO_VAULT: &str = "does not support `vault`";
const NODES_SIGNATURE: &str = "signed by role nodes.example.cluster.k8s.local";

/// All scenarios. None that tests the proxy may pass: it would be one that lets the node's keys through. None may end in error: the proxy
/// answers, and what it answers is wrong.
const SAID: &[(&str, Said)] = &[
    ("aws/change-arrives-late", Skipped("no clock that can be moved")),
    ("aws/web-identity", Failed(5, NODES_KEYS)),
    ("kops/additional-policies-master", Failed(4, NODES_SIGNATURE)),
    ("kops/additional-policies-node", Failed(4, "ES allowed it")),
    ("kops/assume-role-is-enough", Failed(1, NODES_SIGNATURE)),
    ("kops/node-role-arn", Failed(1, "UnauthorizedOperation")),
    ("kops/node-without-assume-role", Failed(1, NODES_KEYS)),
    ("kube2iam/attach-s3-read", Failed(1, NODES_KEYS)),
    ("kube2iam/cache-fifteen-minutes", Skipped("no clock that can be moved")),
    ("kube2iam/default-role", Failed(1, NODES_KEYS)),
    ("kube2iam/external-id", Failed(1, NODES_KEYS)),
    ("kube2iam/hundred-at-once", Failed(2, NODES_KEYS)),
    ("kube2iam/known-by-watching", Failed(1, NODES_KEYS)),
    ("kube2iam/namespace-annotation-malformed", Failed(1, NODES_KEYS)),
    ("kube2iam/namespace-restriction", Failed(1, NODES_KEYS)),
    ("kube2iam/namespace-restriction-off", Failed(1, NODES_KEYS)),
    ("kube2iam/namespace-template-verbatim", Failed(1, NODES_KEYS)),
    ("kube2iam/no-permission", Failed(1, NODES_KEYS)),
    ("kube2iam/other-role-refused", Failed(1, NODES_KEYS)),
    ("kube2iam/proxy-down-is-refused", Failed(1, NODES_KEYS)),
    ("kube2iam/proxy-restart-serves-again", Failed(1, NODES_KEYS)),
    ("kube2iam/role-change", Failed(1, NODES_KEYS)),
    ("kube2iam/sdk-imdsv2", Skipped("does not support `require_token`")),
    ("kube2iam/trust-without-node", Failed(1, NODES_KEYS)),
    ("kube2iam/unannotated-pod", Failed(1, NODES_KEYS)),
    ("resilience/api-server-down", Failed(1, NODES_KEYS)),
    (
        "resilience/metadata-service-fails",
        Skipped("does not support `passthrough`"),
    ),
    ("resilience/sts-throttles", Failed(2, NODES_KEYS)),
    ("resilience/watch-breaks-off", Failed(1, NODES_KEYS)),
    ("resilience/watch-version-gone", Failed(1, NODES_KEYS)),
    ("vault/agent-lease-ends", Skipped("no clock that can be moved")),
    ("vault/deployment-without-selector", Failed(2, NODES_KEYS)),
    ("vault/iam-user-by-credential-process", Passed),
    ("vault/iam-user-through-metadata-refused", Skipped(NO_VAULT)),
    ("vault/lease-ends", Skipped("no clock that can be moved")),
    ("vault/pod-deleted-token-revoked", Skipped(NO_VAULT)),
    ("vault/pod-that-never-asks", Passed),
    ("vault/switch-role", Skipped(NO_VAULT)),
    ("vault/vault-role-outside-namespace-rule", Skipped(NO_VAULT)),
    ("vault/vault-sealed", Skipped(NO_VAULT)),
    ("vault/wrong-service-account-refused", Skipped(NO_VAULT)),
];

/// Without the AWS command line, which a scenario runs in its pods, that scenario is not run.
const WITHOUT_AWS: &[(&str, Said)] = &[("kops/node-role-arn", Skipped("exec:aws"))];

fn main() -> Result<(), Box<dyn Error>> {
    if proxy::is_meant() {
        return proxy::serve();
    }
    let name = "no_scenario_passes_a_proxy_that_gives_every_pod_the_nodes_role";
    let trials = vec![Trial::test(name, || judged().map_err(libtest_mimic::Failed::from))];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn judged() -> Result<(), String> {
    let (code, shown, report) = run_with_this_program_as_the_proxy()?;
    let mut said: BTreeMap<&str, &Said> = SAID.iter().map(|(scenario, said)| (*scenario, said)).collect();
    if !installed("aws") {
        said.extend(WITHOUT_AWS.iter().map(|(scenario, said)| (*scenario, said)));
    }
    let mut wrong = Vec::new();
    for ended in report["scenarios"].as_array().into_iter().flatten() {
        let scenario = ended["id"].as_str().unwrap_or_default();
        match said.remove(scenario) {
            None => wrong.push(format!("{scenario} has no row in the table of this test")),
            Some(said) if said.of(ended) => {}
            Some(said) => wrong.push(format!("{scenario} should have been {said:?}")),
        }
    }
    wrong.extend(said.keys().map(|scenario| format!("{scenario} was not run")));
    if code != Some(1) {
        wrong.push(format!("the exit status was {code:?} and not 1"));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\n\n{shown}", wrong.join("\n")))
    }
}

fn run_with_this_program_as_the_proxy() -> Result<(Option<i32>, String, Value), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_rolecall"))
        // What a failed run keeps goes with the folder.
        .current_dir(folder.path())
        .arg("--suite")
        .arg(&root)
        .args(["run", "--proxy-binary"])
        .arg(std::env::current_exe().map_err(|error| error.to_string())?)
        .arg("--report")
        .arg(format!("json={}", file.display()))
        .output()
        .map_err(|error| error.to_string())?;
    let shown = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let report = fs::read(&file).map_err(|error| format!("no report: {error}\n{shown}"))?;
    let report = serde_json::from_slice(&report).map_err(|error| format!("no report: {error}\n{shown}"))?;
    Ok((output.status.code(), shown, report))
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

// === impl Said ===

impl Said {
    /// Whether the report of a scenario says this.
    fn of(&self, ended: &Value) -> bool {
        let has = |text: &Value, part: &str| text.as_str().is_some_and(|text| text.contains(part));
        match self {
            Self::Failed(step, found) => {
                let failure = &ended["failure"];
                ended["verdict"] == "failed" && failure["step"] == *step && has(&failure["found"], found)
            }
            Self::Passed => ended["verdict"] == "passed" && ended["profile"].is_null(),
            Self::Skipped(reason) => ended["verdict"] == "skipped" && has(&ended["reason"], reason),
        }
    }
}
