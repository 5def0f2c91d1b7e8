//! What was decided, line by line and by its id.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use rstest::rstest;

use crate::{
    process::{Process, command},
    suite::{Ended, TemporarySuite},
};

/// The pod is handed its role, and S3 denies it: which is not what the scenario says.
const FAILS: &str = "\
name: The pod may list buckets
why: A test needs one.
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    call: s3:ListBuckets
    within: 200ms
    expect: allowed
";

/// A request that nobody has signed; the id of its answer.
fn unsigned(front: SocketAddr) -> String {
    let mut stream = TcpStream::connect(front).expect("a connection");
    let request = "POST / HTTP/1.1\r\nhost: sts\r\nconnection: close\r\ncontent-type: \
                   application/x-www-form-urlencoded\r\ncontent-length: 43\r\n\r\n\
                   Action=GetCallerIdentity&Version=2011-06-15";
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let answer = answer.to_lowercase();
    let (_, rest) = answer.split_once("x-amzn-requestid: ").expect("an id");
    rest.lines().next().expect("an id").trim().to_owned()
}

#[test]
fn each_decision_is_a_line_and_can_be_asked_for_by_its_id() {
    let suite = TemporarySuite::new(&[]);
    let arguments = [
        "serve",
        "aws",
        "--listen",
        "127.0.0.1:0",
        "--control",
        "127.0.0.1:0",
        "--why",
    ];
    let mut process = Process::start(&suite, &arguments);
    let id = unsigned(process.address("AWS account"));
    let line = process.line();
    assert!(
        line.contains("MissingAuthenticationToken") && line.ends_with(&format!("[{id}]")),
        "{line}"
    );

    let control = format!("http://{}", process.address("control"));
    let ended = Ended::of(command(&suite, &["why", &id[..8], "--control", &control]).output());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    for words in [
        id.as_str(),
        "sts:GetCallerIdentity",
        "nobody known",
        "MissingAuthenticationToken",
    ] {
        assert!(ended.out.contains(words), "{words}: {ended:#?}");
    }
    let ended = Ended::of(command(&suite, &["why", "ffffffff-0000", "--control", &control]).output());
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    let wrong = command(&suite, &["why", &id, "--control", &control])
        .env("ROLECALL_CONTROL_TOKEN", "another-token-of-16")
        .output();
    let ended = Ended::of(wrong);
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(ended.err.contains("401"), "{ended:#?}");
}

#[test]
fn after_a_failed_run_its_refusals_are_listed_and_each_is_explained() {
    let suite = TemporarySuite::new(&[("scenarios/a/fails.yaml", FAILS)]);
    let ran = Ended::of(suite.rolecall(&["run"]).output());
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let listed = Ended::of(suite.rolecall(&["why"]).output());
    assert_eq!(listed.code, Some(0), "{listed:#?}");
    let line = listed
        .out
        .lines()
        .find(|line| line.contains("s3:ListAllMyBuckets"))
        .expect("the refusal");
    let id = line.split(' ').next().expect("an id");
    let told = Ended::of(suite.rolecall(&["why", id]).output());
    assert_eq!(told.code, Some(0), "{told:#?}");
    for words in [
        "role/MyPodRole",
        "denied: no identity-based policy",
        "fails/decisions.json",
    ] {
        assert!(
            told.out.contains(words) || words == "role/MyPodRole" && told.out.contains("assumed-role/MyPodRole"),
            "{words}: {told:#?}"
        );
    }
    let json = Ended::of(suite.rolecall(&["why", id, "--json"]).output());
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json[0]["request_id"], id);
}

#[rstest]
#[case::nothing_was_kept(&["why"], 4, "--control URL")]
#[case::no_such_id(&["why", "0a1b2c3d"], 4, "0a1b2c3d")]
#[case::too_short(&["why", "0a"], 2, "too short")]
fn what_is_not_known_is_told_with_what_to_do(#[case] arguments: &[&str], #[case] code: i32, #[case] says: &str) {
    let suite = TemporarySuite::new(&[]);
    let ended = Ended::of(command(&suite, arguments).output());
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    assert!(ended.err.contains(says), "{ended:#?}");
}
