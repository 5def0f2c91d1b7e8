//! What keeps the kind world from starting on a machine that has Docker and kind: exit status 5, what to do, and nothing left.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use rstest::rstest;

use crate::{
    kind_left::left_of,
    kind_run::{Ended, KindRun},
};

const SCENARIO: &str = "name: A pod has its role\ngiven:\n  roles: { R: {} }\n  pods: { p: { role: R } }\nsteps:\n  - { as: p, \
                        credentials: {}, expect: { role: R } }\n";

const NODES: &str = "nodes: [{ role: control-plane }, { role: worker }, { role: worker }]\n";

/// A suite of one scenario whose clusters are made so.
fn suite(run: &KindRun, config: &str) -> PathBuf {
    let suite = run.path("suite");
    fs::create_dir_all(suite.join("scenarios/a")).expect("a folder");
    fs::write(suite.join("scenarios/a/holds.yaml"), SCENARIO).expect("a scenario");
    let text = format!("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n{NODES}{config}");
    fs::write(suite.join("kind-config.yaml"), text).expect("a config");
    suite
}

/// It ended with 5, said all this, and left nothing.
fn cannot_start(run: &KindRun, ended: &Ended, says: &[&str]) {
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(!ended.err.contains("panicked"), "{ended:#?}");
    for says in says.iter().chain(&["the kind world cannot start here: "]) {
        assert!(ended.err.contains(says), "no `{says}` in {ended:#?}");
    }
    assert_eq!(left_of(&ended.run(), &run.temporary()), Vec::<String>::new());
}

#[rstest]
#[case::of_the_nodes("--node-image")]
#[case::of_the_proxy("--proxy-image")]
#[case::of_the_tools("--tools-image")]
#[ignore = "takes Docker and kind"]
fn an_absent_image_is_told_before_anything_is_made(#[case] flag: &str) {
    let Some(run) = KindRun::new() else { return };
    let mut command = run.rolecall(&["run", "--world", "kind", "kube2iam/no-permission"]);
    command.args([flag, "127.0.0.1:1/rolecall/absent:1"]);
    let ended = run.end(command);
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    let says =
        "the image 127.0.0.1:1/rolecall/absent:1 is not here and cannot be pulled; bring it here with `docker load`";
    assert!(ended.err.contains(says), "{ended:#?}");
    assert!(!ended.err.contains("kind: "), "something was made: {ended:#?}");
}

#[test]
#[ignore = "takes Docker and kind"]
fn a_port_that_is_taken_is_told() {
    let Some(run) = KindRun::new() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let suite = suite(&run, &format!("networking: {{ apiServerPort: {port} }}\n"));
    let ended = run.end(run.kind_of(&suite, &["a/holds"]));
    cannot_start(
        &run,
        &ended,
        &[&port.to_string(), "another program has that", "`docker ps` shows"],
    );
}

#[test]
#[ignore = "takes a kind cluster and a minute"]
fn nodes_that_never_get_ready_are_told_after_the_deadline() {
    let Some(run) = KindRun::new() else { return };
    // Without a network for pods no node gets ready.
    let suite = suite(&run, "networking: { disableDefaultCNI: true }\n");
    let ended = run.end(run.kind_of(&suite, &["a/holds", "--ready-within", "8"]));
    cannot_start(
        &run,
        &ended,
        &[
            "is not ready after 8 s: node ",
            "cni plugin not initialized",
            "--ready-within SECONDS",
        ],
    );
}

#[test]
#[ignore = "takes a kind cluster and a minute"]
fn a_node_of_a_kept_cluster_that_was_stopped_is_told_with_how_to_start_it() {
    let Some(run) = KindRun::new() else { return };
    let cluster = format!("rolecall-still-{}", std::process::id());
    let arguments = ["kube2iam/no-permission", "--cluster", &cluster];
    let first = run.end(run.kind(&arguments));
    assert_eq!(first.code, Some(0), "{first:#?}");
    let node = format!("{cluster}-worker2");
    let stopped = Command::new("docker").args(["stop", "--time", "0", &node]).output();
    assert!(stopped.expect("docker").status.success());
    let ended = run.end(run.kind(&arguments));
    let swept = run.end(run.rolecall(&["sweep", "--run", &first.run()]));
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    for says in [format!("{node} is exited"), format!("`docker start {node}`")] {
        assert!(ended.err.contains(&says), "no `{says}` in {ended:#?}");
    }
    assert!(
        swept.out.contains(&format!("removed kind cluster {cluster}")),
        "{swept:#?}"
    );
}

#[test]
#[ignore = "takes a kind cluster and a minute"]
fn a_disk_that_is_full_when_images_go_to_the_nodes_is_told() {
    let Some(run) = KindRun::new() else { return };
    // As the real one, but for what a full disk does to it.
    let bin = run.path("bin");
    fs::create_dir(&bin).expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = load ]; then\n  echo 'ERROR: failed to save image: write images.tar: no space left on device' >&2\n  \
         exit 1\nfi\nPATH='{path}' exec kind \"$@\"\n"
    );
    fs::write(bin.join("kind"), script).expect("a program");
    fs::set_permissions(bin.join("kind"), fs::Permissions::from_mode(0o755)).expect("a program");
    let mut command = run.kind(&["kube2iam/no-permission"]);
    command.env("PATH", format!("{}:{path}", bin.display()));
    let ended = run.end(command);
    cannot_start(
        &run,
        &ended,
        &[
            "`kind load docker-image ",
            "no space left on device",
            "`docker system prune`",
        ],
    );
}
