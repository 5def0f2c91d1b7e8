//! No secret of a key that came back is in anything that a run says or writes.

use std::{fs, path::Path};

use rstest::rstest;
use serde_json::Value;

use crate::suite::{Ended, TemporarySuite};

const DOCUMENT: &str = "imds: GET /latest/meta-data/iam/security-credentials/MyPodRole";

/// A scenario in which a program of the pod first keeps the pod's keys in `seen.json`, and whose second step fails
/// where those same keys (they are cached on the node) are in the answer.
fn scenario(suite: &TemporarySuite, action: &str, expect: &str) -> String {
    let program = suite.rolecall(&[]).get_program().to_string_lossy().into_owned();
    let (task, seen) = (suite.path("task.json"), suite.path("seen.json"));
    format!(
        "name: Keys come back where none should\nwhy: Reports are shown to others.\n\
         given:\n  roles: {{ MyPodRole: {{}} }}\n  pods:  {{ aws-cli: {{ role: MyPodRole }} }}\n\
         steps:\n  - as: aws-cli\n    exec: sh -c '{program} probe < {task} > {seen}; grep -q \
         secret_access_key {seen}'\n    expect: {{ exit: 0 }}\n  - as: aws-cli\n    {action}\n    expect: {expect}\n",
        task = task.display(),
        seen = seen.display(),
    )
}

#[rstest]
#[case::a_walk_that_should_be_refused("credentials: {}", "refused", "the keys of role MyPodRole")]
#[case::a_secret_that_should_be_another(
    DOCUMENT,
    "{ json: { SecretAccessKey: another } }",
    "SecretAccessKey is \"[secret]\""
)]
#[case::a_token_that_should_be_another(DOCUMENT, "{ json: { Token: another } }", "Token is \"[secret]\"")]
#[case::a_document_that_should_be_another(DOCUMENT, "{ body: another }", "the body is ")]
#[case::a_program_that_shows_its_keys(
    "exec: sh -c 'sed \"s/.*secret_access_key.:.\\([^,]*\\).,.*/\\1/\" FOLDER/seen.json >&2; exit 1'",
    "{ exit: 0 }\n    within: 0s",
    "exit status 1: [secret]"
)]
fn a_failed_scenario_tells_no_secret(#[case] action: &str, #[case] expect: &str, #[case] found: &str) {
    let suite = TemporarySuite::new(&[("task.json", r#"{"credentials":{}}"#)]);
    let action = action.replace("FOLDER", &suite.path("").display().to_string());
    fs::write(suite.path("case.yaml"), scenario(&suite, &action, expect)).expect("a scenario");
    let ended = Ended::of(
        suite
            .rolecall(&["run", "case.yaml", "--report", "json=report.json"])
            .output(),
    );
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.out.contains("  step 2: "), "{ended:#?}");

    let seen: Value =
        serde_json::from_slice(&fs::read(suite.path("seen.json")).expect("what the pod saw")).expect("JSON");
    let document = &seen["walks"][0]["document"];
    let secret = document["secret_access_key"].as_str().expect("a secret");
    let token = document["token"].as_str().expect("a token");
    let key_id = document["access_key_id"].as_str().expect("an access key id");
    assert!(ended.out.contains(found), "{ended:#?}");
    let mut told = written_below(&suite.path(""));
    assert!(
        told.iter().any(|(name, _)| name == "report.json"),
        "no report was written"
    );
    told.retain(|(name, _)| name != "seen.json");
    told.extend([
        ("the output".to_owned(), ended.out),
        ("the errors".to_owned(), ended.err),
    ]);
    for (what, text) in told {
        assert!(
            !holds_a_part_of(secret, &text),
            "a secret access key is in {what}:\n{text}"
        );
        assert!(!holds_a_part_of(token, &text), "a session token is in {what}:\n{text}");
        assert!(!text.contains(key_id), "a whole access key id is in {what}:\n{text}");
    }
}

/// Every file below a folder, by name, with its text.
fn written_below(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(written_below(&path));
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read(&path).expect("a file");
            found.push((name, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    found
}

/// Whether twelve characters in a row of what nobody may read are in the text.
fn holds_a_part_of(secret: &str, text: &str) -> bool {
    assert!(secret.len() >= 40 && secret.is_ascii(), "this is no secret");
    (0..=secret.len() - 12).any(|from| text.contains(&secret[from..from + 12]))
}
