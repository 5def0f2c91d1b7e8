//! How services start and end.

use std::{net::TcpListener, os::unix::fs::PermissionsExt};

use nix::sys::signal::Signal;
use rstest::rstest;

use crate::{
    process::{Process, VARIABLES, command},
    suite::{Ended, TemporarySuite},
};

const NODES: &str = r#"[{"name": "node-1", "address": "127.0.0.1", "instance_profile": "nodes"}]"#;

#[rstest]
#[case::aws(&["aws", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])]
#[case::world(&["world", "--listen", "127.0.0.1:0", "--operator", "127.0.0.1:0", "--imds", "127.0.0.1:0",
    "--control", "127.0.0.1:0", "--nodes", "nodes.json"])]
#[case::kubernetes(&["kubernetes", "--listen", "127.0.0.1:0", "--kubeconfig", "kubeconfig",
    "--node", "node-1=172.20.1.1,10.244.1.0/24"])]
#[case::vault(&["vault", "--listen", "127.0.0.1:0"])]
fn a_service_says_that_it_is_ready_and_ends_with_zero(
    #[case] arguments: &[&str],
    #[values(Signal::SIGTERM, Signal::SIGINT)] signal: Signal,
) {
    let suite = TemporarySuite::new(&[("nodes.json", NODES)]);
    let arguments: Vec<_> = std::iter::once("serve").chain(arguments.iter().copied()).collect();
    let process = Process::start(&suite, &arguments);
    let said = process.said.join("\n");
    for (_, secret) in VARIABLES {
        assert!(!said.contains(secret) && !said.contains("a-secret-of"), "{said}");
    }
    assert_eq!(process.end(signal), (Some(0), String::new()), "{said}");
}

#[test]
fn a_metadata_service_gets_its_keys_from_a_front_that_is_up() {
    let suite = TemporarySuite::new(&[("nodes.json", NODES)]);
    let aws = Process::start(
        &suite,
        &["serve", "aws", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"],
    );
    let front = format!("http://{}", aws.address("control"));
    let imds = [
        "serve",
        "imds",
        "--listen",
        "127.0.0.1:0",
        "--nodes",
        "nodes.json",
        "--front",
        &front,
    ];
    assert_eq!(
        Process::start(&suite, &imds).end(Signal::SIGTERM),
        (Some(0), String::new())
    );
    assert_eq!(aws.end(Signal::SIGTERM).0, Some(0));
    let ended = Ended::of(command(&suite, &imds).output());
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(ended.err.contains("nobody answers at"), "{ended:#?}");
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let suite = TemporarySuite::new(&[]);
    let ended = Ended::of(command(&suite, &["serve", "aws", "--listen", &address]).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    assert!(
        ended.err.contains(&address) && ended.err.contains("--listen"),
        "{ended:#?}"
    );
}

#[rstest]
#[case::no_secret(&["aws", "--root-key", "AKIAROLECALLROOT0000"], "no `:`")]
#[case::no_account(&["aws", "--account", "12"], "twelve digits")]
#[case::no_address(&["aws", "--listen", "here"], "here")]
#[case::no_upstream(&["aws", "--upstream", "https://127.0.0.1:1"], "plain HTTP")]
#[case::no_such_file(&["aws", "--root-key-file", "absent"], "absent")]
#[case::no_nodes(&["world", "--nodes", "nodes.json"], "--nodes nodes.json")]
#[case::no_node(&["kubernetes", "--kubeconfig", "kubeconfig", "--node", "node-1"], "NAME=ADDRESS,CIDR")]
fn what_is_malformed_is_refused_before_anything_is_served(#[case] arguments: &[&str], #[case] says: &str) {
    let suite = TemporarySuite::new(&[("nodes.json", r#"[{"name": "node-1"}]"#)]);
    let mut command = suite.rolecall(&[]);
    let arguments: Vec<_> = std::iter::once("serve").chain(arguments.iter().copied()).collect();
    if !arguments.contains(&"--root-key-file") {
        command.envs(VARIABLES);
    }
    let ended = Ended::of(command.args(&arguments).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:#?}");
    assert!(ended.err.contains(says), "{ended:#?}");
}

#[rstest]
#[case::the_root_key("ROLECALL_ROOT_KEY", &["aws", "--listen", "127.0.0.1:0"])]
#[case::the_token("ROLECALL_CONTROL_TOKEN", &["aws", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])]
#[case::the_root_token("VAULT_DEV_ROOT_TOKEN_ID", &["vault", "--listen", "127.0.0.1:0"])]
fn a_secret_that_is_not_given_is_asked_for_by_its_variable(#[case] variable: &str, #[case] arguments: &[&str]) {
    let suite = TemporarySuite::new(&[]);
    let arguments: Vec<_> = std::iter::once("serve").chain(arguments.iter().copied()).collect();
    let ended = Ended::of(command(&suite, &arguments).env_remove(variable).output());
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.err.contains(variable), "{ended:#?}");
}

#[test]
fn an_upstream_that_is_not_there_is_told_before_anything_is_served() {
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let suite = TemporarySuite::new(&[]);
    let url = format!("http://{free}");
    let ended = Ended::of(command(&suite, &["serve", "aws", "--listen", "127.0.0.1:0", "--upstream", &url]).output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    assert!(ended.err.contains(&url), "{ended:#?}");
}

#[test]
fn a_kubeconfig_is_its_owners_alone() {
    let suite = TemporarySuite::new(&[]);
    let arguments = [
        "serve",
        "kubernetes",
        "--listen",
        "127.0.0.1:0",
        "--kubeconfig",
        "kubeconfig",
    ];
    let _process = Process::start(&suite, &arguments);
    let mode = std::fs::metadata(suite.path("kubeconfig"))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[rstest]
#[case::another_scheme("https://127.0.0.1:8200", 2, "not http://HOST:PORT")]
#[case::a_path("http://127.0.0.1:8200/v1/", 2, "not http://HOST:PORT")]
// Nobody listens on the port that TCP keeps for the multiplexer.
#[case::nobody_there("http://127.0.0.1:1", 5, "start it first, or leave --vault-upstream away")]
fn a_vault_that_cannot_be_stood_before_is_told_with_what_to_do(
    #[case] upstream: &str,
    #[case] code: i32,
    #[case] told: &str,
) {
    let suite = TemporarySuite::new(&[]);
    let world = ["serve", "world", "--listen", "127.0.0.1:0", "--imds", "127.0.0.1:0"];
    let vault = ["--vault-listen", "127.0.0.1:0", "--vault-upstream", upstream];
    let ended = Ended::of(command(&suite, &[&world[..], &vault[..]].concat()).output());
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    assert!(ended.err.contains(told), "{ended:#?}");
}

#[test]
fn a_world_stands_before_a_vault_that_is_up() {
    let suite = TemporarySuite::new(&[]);
    let vault = Process::start(&suite, &["serve", "vault", "--listen", "127.0.0.1:0"]);
    let upstream = format!("http://{}", vault.address("Vault"));
    let world = ["serve", "world", "--listen", "127.0.0.1:0", "--imds", "127.0.0.1:0"];
    let before = ["--vault-listen", "127.0.0.1:0", "--vault-operator", "127.0.0.1:0"];
    let behind = ["--vault-upstream", &upstream];
    let world = Process::start(&suite, &[&world[..], &before[..], &behind[..]].concat());
    let said = world.said.join("\n");
    assert!(
        said.contains(&format!("before {upstream}")) && said.contains("Vault for its operator"),
        "{said}"
    );
    assert_eq!(world.end(Signal::SIGTERM), (Some(0), String::new()));
    assert_eq!(vault.end(Signal::SIGTERM).0, Some(0));
}
