//! Scenarios that end in each way.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::suite::TemporarySuite;

/// All of it holds.
pub(crate) const HOLDS: &str = "\
name: The pod is handed its role
why: A test needs one.
tags: [quick, small]
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - name: its own keys come back
    as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
";

/// The pod gets keys where it should be refused.
pub(crate) const FAILS: &str = "\
name: The pod is refused
why: A test needs one.
tags: [quick]
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: refused
";

/// Its second step is asked of a pod that is gone by then.
pub(crate) const ERRS: &str = "\
name: A pod that is gone says nothing
why: A test needs one.
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - delete: { pods: [aws-cli] }
  - as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
";

/// It needs what the embedded world has not.
pub(crate) const SKIPS: &str = "\
name: Another world is needed
why: A test needs one.
needs: [ipv6]
given:
  roles: { MyPodRole: {} }
  pods:  { aws-cli: { role: MyPodRole } }
steps:
  - as: aws-cli
    credentials: {}
    expect: { role: MyPodRole }
";

/// A scenario whose one step runs a shell in a pod and wants 0 of it.
pub(crate) fn shell(name: &str, script: &str) -> String {
    assert!(!script.contains('\''), "the script stands between quotes");
    format!(
        "name: {name}\nwhy: A test needs one.\ngiven:\n  roles: {{ MyPodRole: {{}} }}\n  pods: {{ aws-cli: {{ role: MyPodRole }} }}\nsteps:\n  \
         - as: aws-cli\n    exec: sh -c '{script}'\n    expect: {{ exit: 0 }}\n    within: 0s\n"
    )
}

/// The folders of runs in the suite's output folder.
pub(crate) fn runs(suite: &TemporarySuite) -> Vec<PathBuf> {
    entries(&suite.path("target/rolecall"))
}

/// What is in a folder, by name; nothing if there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
