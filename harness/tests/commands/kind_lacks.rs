//! `run --world kind` and `doctor --world kind` on a machine that lacks something: exit status 5, and what to do. Where Docker
//! and kind would have to be in some state, programs of the same names stand in PATH that say what theirs say then.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use rstest::rstest;

use crate::{
    scenarios::HOLDS,
    suite::{Ended, TemporarySuite},
};

/// A Docker that answers, and has every image.
const DOCKER: &str = "echo 28.2.2";
const KIND: &str = "echo 'kind v0.33.0 go1.26.8 linux/amd64'";
/// A Docker that has no image, and no room for one.
const FULL: &str = "case \"$1\" in version) echo 28.2.2 ;; image) exit 1 ;; *) echo 'failed to register layer: write \
                    /usr/bin/kubelet: no space left on device' >&2; exit 1 ;; esac";
/// As Docker's command line says it where nobody listens.
const NO_ENGINE: &str = "echo 'Cannot connect to the Docker daemon at unix:///nonexistent.sock. Is the docker daemon running?' >&2; \
                         exit 1";
const NOT_ALLOWED: &str = "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1";
const NO_IMAGE: &str = "case \"$1\" in version) echo 28.2.2 ;; image) exit 1 ;; *) echo 'Error response from daemon: pull access \
                        denied' >&2; exit 1 ;; esac";

/// A folder `bin` with these programs, which is all of PATH.
fn machine(docker: Option<&str>, kind: Option<&str>) -> TemporarySuite {
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    fs::create_dir(suite.path("bin")).expect("a folder");
    for (name, script) in [("docker", docker), ("kind", kind)] {
        let Some(script) = script else { continue };
        let path = suite.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
    }
    suite
}

fn ask(suite: &TemporarySuite, arguments: &[&str]) -> Ended {
    let mut command = suite.rolecall(arguments);
    Ended::of(command.env("PATH", suite.path("bin")).output())
}

#[rstest]
#[case::no_docker(None, Some(KIND), &["`docker` is not installed", "install and start a Docker engine"])]
#[case::no_kind(Some(DOCKER), None, &["`kind` is not installed", "https://kind.sigs.k8s.io"])]
#[case::neither(None, None, &["`docker` is not installed", "`kind` is not installed"])]
#[case::no_engine(Some(NO_ENGINE), Some(KIND), &["Is the docker daemon running?", "start the Docker engine", "DOCKER_HOST"])]
#[case::an_engine_of_others(Some(NOT_ALLOWED), Some(KIND), &["permission denied", "join the group docker"])]
#[case::an_old_kind(
    Some(DOCKER),
    Some("echo 'kind v0.11.1 go1.16.4 linux/amd64'"),
    &["this kind is `kind v0.11.1 go1.16.4 linux/amd64`, and at least v0.20 is needed", "install a newer one"]
)]
#[case::a_kind_that_is_another_program(Some(DOCKER), Some("echo hello"), &["this kind is `hello`", "install a newer one"])]
fn a_machine_that_lacks_docker_or_kind_is_told_so_and_what_to_do(
    #[case] docker: Option<&str>,
    #[case] kind: Option<&str>,
    #[case] says: &[&str],
) {
    let suite = machine(docker, kind);
    let ended = ask(&suite, &["run", "--world", "kind"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    assert!(
        ended.err.starts_with("error: the kind world cannot start here: "),
        "{ended:#?}"
    );
    for says in says.iter().chain(&["\n   = ", "`rolecall doctor --world kind`"]) {
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
    // Nothing was made, so nothing is said of removing it.
    assert!(!ended.err.contains("removed"), "{ended:#?}");
    let doctor = ask(&suite, &["doctor", "--world", "kind"]);
    assert_eq!(doctor.code, Some(5), "{doctor:#?}");
    for says in says {
        assert!(doctor.out.contains(says), "no `{says}` in {doctor:#?}");
    }
}

#[rstest]
#[case::no_room(FULL, &[], &["kindest/node", "no space left on device", "`docker system prune`"])]
#[case::an_absent_image(
    NO_IMAGE,
    &["--node-image", "example.com/absent:1"],
    &["the image example.com/absent:1 is not here and cannot be pulled", "pull access denied", "`docker load`", "--node-image"]
)]
fn an_image_that_cannot_be_had_is_told_with_dockers_own_words(
    #[case] docker: &str,
    #[case] flags: &[&str],
    #[case] says: &[&str],
) {
    let suite = machine(Some(docker), Some(KIND));
    let ended = ask(&suite, &[&["run", "--world", "kind"], flags].concat());
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    for says in says {
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
}

#[test]
fn what_real_docker_says_of_an_engine_that_is_not_there_is_passed_on() {
    if Command::new("docker").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no docker here");
    }
    let suite = TemporarySuite::new(&[("scenarios/a/holds.yaml", HOLDS)]);
    let mut command = suite.rolecall(&["run", "--world", "kind"]);
    let ended = Ended::of(command.env("DOCKER_HOST", "tcp://127.0.0.1:1").output());
    assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{ended:#?}");
    for says in [
        "127.0.0.1:1",
        "= start the Docker engine, or say where it is in DOCKER_HOST",
    ] {
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
}

#[rstest]
#[case::zero("0")]
#[case::a_word("soon")]
#[case::a_day("86400")]
fn a_deadline_that_is_none_is_wrong_usage(#[case] seconds: &str) {
    let suite = machine(Some(DOCKER), Some(KIND));
    let ended = ask(&suite, &["run", "--world", "kind", "--ready-within", seconds]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert!(ended.err.contains("a number of seconds from 1 to 3600"), "{ended:#?}");
}

/// A Docker with a container that a killed run left, and which the engine is removing just now: it is gone at the third look.
const REMOVING: &str = r#"case "$1" in
version) echo 28.2.2 ;;
ps) [ -e gone ] || printf 'goofy_dirac\t20260101t000000z-4709\t4194305\n' ;;
rm)
    if [ -e twice ]; then : >gone; exit 0; fi
    if [ -e once ]; then : >twice; else : >once; fi
    echo 'Error response from daemon: removal of container goofy_dirac is already in progress' >&2
    exit 1 ;;
esac"#;

#[test]
fn a_container_that_the_engine_is_removing_already_is_waited_for() {
    let suite = machine(Some(REMOVING), None);
    let swept = ask(&suite, &["sweep"]);
    assert_eq!(swept.code, Some(0), "{swept:#?}");
    assert!(swept.out.contains("removed container goofy_dirac"), "{swept:#?}");
    assert!(suite.path("gone").exists(), "{swept:#?}");
}
