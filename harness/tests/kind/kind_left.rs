//! What of one run is on the engine, among this machine's processes, and in its folder for temporary files.

use std::{fs, path::Path, process::Command};

/// What a run left, each a line that says what it is: containers and volumes with its label, nodes of its cluster, processes
/// that were told its name, and files in `temporary`. Other runs on the same engine are none of a test's business.
pub(crate) fn left_of(run: &str, temporary: &Path) -> Vec<String> {
    // As labels have it.
    let run = run.to_ascii_lowercase();
    let label = format!("label=rolecall.dev/run={run}");
    let cluster = format!("label=io.x-k8s.kind.cluster=rolecall-{run}");
    let mut left = Vec::new();
    for (what, list, filter, name) in [
        ("container", "ps", &label, "{{.Names}}"),
        ("node", "ps", &cluster, "{{.Names}}"),
        ("volume", "volume ls", &label, "{{.Name}}"),
    ] {
        let mut command = Command::new("docker");
        command.args(list.split(' '));
        if list == "ps" {
            command.arg("--all");
        }
        let listed = command
            .args(["--filter", filter, "--format", name])
            .output()
            .expect("docker");
        assert!(listed.status.success(), "{listed:#?}");
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        left.extend(text.lines().map(|name| format!("{what} {name}")));
    }
    left.extend(processes(&run));
    let files = fs::read_dir(temporary).into_iter().flatten().flatten();
    left.extend(files.map(|file| format!("file {}", file.path().display())));
    left
}

/// Processes whose words name the run's cluster or its containers.
fn processes(run: &str) -> Vec<String> {
    let name = format!("rolecall-{run}");
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let words = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let is_program = ["kind", "docker"].iter().any(|program| {
            words
                .split(' ')
                .next()
                .is_some_and(|first| first.rsplit('/').next() == Some(program))
        });
        if is_program && words.contains(&name) {
            found.push(format!("process {words}"));
        }
    }
    found
}
