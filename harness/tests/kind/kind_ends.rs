//! How a run in kind ends, and what it leaves.

use std::{process::Command, time::Duration};

use nix::sys::signal::Signal;

use crate::{
    kind_heard::Heard,
    kind_left::left_of,
    kind_run::{Ended, KindRun, run_said_by},
};

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn a_second_run_on_a_kept_cluster_makes_nothing_twice() {
    let Some(run) = KindRun::new() else { return };
    let cluster = format!("rolecall-2nd-{}", std::process::id());
    let arguments = ["kube2iam/no-permission", "--cluster", &cluster];
    let first = run.end(run.kind(&arguments));
    assert_eq!(first.code, Some(0), "{first:#?}");
    let ledger = |of: &Ended| {
        vec![format!(
            "volume rolecall-ledger-{cluster}-{}-made",
            of.run().to_lowercase()
        )]
    };
    assert_eq!(left_of(&first.run(), &run.temporary()), ledger(&first));
    let nodes = nodes_of(&cluster);
    assert_eq!(nodes.len(), 3, "{nodes:?}");
    let second = run.end(run.kind(&arguments));
    assert_eq!(second.code, Some(0), "{second:#?}");
    assert_eq!(nodes_of(&cluster), nodes);
    // The cluster is now the second run's.
    assert_eq!(left_of(&first.run(), &run.temporary()), Vec::<String>::new());
    assert_eq!(left_of(&second.run(), &run.temporary()), ledger(&second));
    // No process uses it any more.
    let swept = run.end(run.rolecall(&["sweep", "--run", &second.run()]));
    assert!(
        swept.out.contains(&format!("removed kind cluster {cluster}")),
        "{swept:#?}"
    );
    assert_eq!(nodes_of(&cluster), Vec::<String>::new());
    assert_eq!(left_of(&second.run(), &run.temporary()), Vec::<String>::new());
}

#[test]
#[ignore = "takes a kind cluster and minutes"]
fn a_run_that_was_killed_on_a_kept_cluster_is_no_hindrance_to_the_next() {
    let Some(run) = KindRun::new() else { return };
    let cluster = format!("rolecall-killed-{}", std::process::id());
    let arguments = ["kube2iam/no-permission", "kube2iam/role-change", "--cluster", &cluster];
    let mut killed = Vec::new();
    // While it is made; before its first scenario; in its second one.
    for (word, after) in [
        ("kind: run ", 6_000),
        ("kind: ways between pods and containers ", 100),
        ("PASS ", 1_500),
    ] {
        let mut heard = Heard::start(run.kind(&arguments));
        assert!(heard.until(word).is_some(), "{}", heard.all());
        heard.during(Duration::from_millis(after));
        heard.signal(Signal::SIGKILL);
        assert_eq!(heard.end(), None, "{}", heard.all());
        killed.extend(run_said_by(&heard.all()));
    }
    let next = run.end(run.kind(&arguments));
    let swept = run.end(run.rolecall(&["sweep", "--run", &next.run()]));
    assert_eq!(next.code, Some(0), "{next:#?}");
    assert!(next.out.contains("2 passed in "), "{next:#?}");
    assert!(
        swept.out.contains(&format!("removed kind cluster {cluster}")),
        "{swept:#?}"
    );
    // The containers of the killed runs, which were beside the cluster, are theirs to be swept.
    assert_eq!(killed.len(), 3);
    for killed in killed {
        let swept = run.end(run.rolecall(&["sweep", "--run", &killed]));
        assert_eq!(swept.code, Some(0), "{swept:#?}");
        assert_eq!(left_of(&killed, &run.temporary()), Vec::<String>::new());
    }
}

/// The containers of a cluster's nodes, by their ids.
fn nodes_of(cluster: &str) -> Vec<String> {
    let filter = format!("label=io.x-k8s.kind.cluster={cluster}");
    let listed = Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter", &filter])
        .output();
    let listed = String::from_utf8_lossy(&listed.expect("docker").stdout).into_owned();
    let mut nodes: Vec<_> = listed.lines().map(str::to_owned).collect();
    nodes.sort();
    nodes
}

#[test]
#[ignore = "takes Docker and kind"]
fn a_kind_cluster_of_somebody_else_is_refused() {
    let Some(run) = KindRun::new() else { return };
    // kind takes whatever has its label for a cluster.
    let name = "rolecall-foreign-cluster";
    let words = [
        "run",
        "--detach",
        "--rm",
        "--name",
        name,
        "--label",
        "io.x-k8s.kind.cluster=rolecall-foreign",
        "--label",
        "io.x-k8s.kind.role=control-plane",
        "--entrypoint",
        "sleep",
        "kindest/node:v1.36.3",
        "600",
    ];
    let made = Command::new("docker").args(words).output().expect("docker");
    assert!(made.status.success(), "{made:#?}");
    let ended = run.end(run.kind(&["kube2iam/no-permission", "--cluster", "rolecall-foreign"]));
    let removed = Command::new("docker")
        .args(["rm", "--force", name])
        .output()
        .expect("docker");
    assert!(removed.status.success(), "{removed:#?}");
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(ended.err.contains("that rolecall did not make"), "{ended:#?}");
}
