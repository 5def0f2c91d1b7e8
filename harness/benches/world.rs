//! How long a world takes, by the real program as a person runs it, and beside it in the same call what of that is not
//! ours: a process that does nothing, the program's own start, and the kernel's time for namespaces and wires alone.
//!
//! Every round measures each line once, so that whatever else this machine does touches all lines alike. The kernel
//! takes namespaces down in the background, and making new ones waits for that: before each line with namespaces one is
//! made that is not measured, so that no line pays for the line before. A run of one scenario has the machine for
//! itself; the suite's scenarios share it. `cargo bench -p rolecall` measures for about a minute.

use std::{
    error::Error,
    ffi::OsStr,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use rolecall_clock::{monotonic, since};
use rolecall_namespaces::{Namespace, PidNamespace, Wire, enter_user_namespace};
use serde_json::Value;

const ROUNDS: usize = 20;
/// The smallest scenario with a pod.
const SCENARIO: &str = "kube2iam/no-permission";
/// With this word the program is its own control: it makes what a world is made of, and tells how long that took.
const KERNEL: &str = "--namespaces-alone";
/// With this word it makes one namespace, which is done when those of others are taken down.
const SETTLE: &str = "--one-namespace";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let done = if words.iter().any(|word| word == KERNEL) {
        namespaces_alone().map(|seconds| println!("{seconds}"))
    } else if words.iter().any(|word| word == SETTLE) {
        one_namespace()
    } else if words.iter().any(|word| word == "--bench") {
        measure()
    } else {
        // `cargo test --all-targets` starts benches too; there is nothing to test here.
        Ok(())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One line of the table: what it is, and the seconds of each round.
struct Line {
    what: &'static str,
    seconds: Vec<f64>,
}

fn measure() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.json");
    let flag = format!("json={}", report.display());
    let own = std::env::current_exe()?;
    let mut lines = [
        "a world is ready for its first step, its proxies serve",
        "the run of that one scenario, from start to end",
        "the whole suite, from start to end",
        "  the slowest world of the suite to be ready",
        "control: a process that does nothing (/bin/true)",
        "control: rolecall list (start, read, check)",
        "control: 6 namespaces and 5 veth pairs, made",
        "control: the same, from start to end of a process",
    ]
    .map(|what| Line {
        what,
        seconds: Vec::new(),
    });
    let mut scenarios = 0;
    let settle = || timed(Command::new(&own).arg(SETTLE));
    for _ in 0..ROUNDS {
        settle()?;
        let one = timed(&mut rolecall(&["run", SCENARIO, "--report", &flag]))?.0;
        let ready = worlds_ready(&report)?;
        settle()?;
        let suite = timed(&mut rolecall(&["run", "--report", &flag]))?.0;
        let all_ready = worlds_ready(&report)?;
        scenarios = all_ready.len();
        let nothing = timed(&mut Command::new("/bin/true"))?.0;
        let list = timed(&mut rolecall(&["list"]))?.0;
        settle()?;
        let (process, made) = timed(Command::new(&own).arg(KERNEL))?;
        let slowest = all_ready.into_iter().fold(0.0, f64::max);
        let made = made.trim().parse()?;
        let round = [
            ready.into_iter().sum(),
            one,
            suite,
            slowest,
            nothing,
            list,
            made,
            process,
        ];
        for (line, seconds) in lines.iter_mut().zip(round) {
            line.seconds.push(seconds);
        }
    }
    let processors = std::thread::available_parallelism()?;
    println!("\n{ROUNDS} rounds, {processors} processors, {scenarios} scenarios in the suite; milliseconds\n");
    println!("{:56}{:>8}{:>8}{:>8}", "", "min", "median", "max");
    for line in &mut lines {
        line.seconds.sort_by(f64::total_cmp);
        let at = |index: usize| line.seconds.get(index).copied().unwrap_or_default() * 1000.0;
        let (min, median, max) = (at(0), at(ROUNDS / 2), at(ROUNDS - 1));
        println!("{:56}{min:>8.1}{median:>8.1}{max:>8.1}", line.what);
    }
    Ok(())
}

fn rolecall(arguments: &[&str]) -> Command {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command.args(arguments).current_dir(&root).env("ROLECALL_SUITE", ".");
    command
}

/// Runs a program to its end: the seconds it took and its standard output.
///
/// # Errors
/// It did not succeed; a run that fails fast must not look like a fast one.
fn timed(command: &mut Command) -> Result<(f64, String), Box<dyn Error>> {
    let start = monotonic();
    let output = command.stdin(Stdio::null()).output()?;
    let seconds = since(start).as_secs_f64();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        let err = String::from_utf8_lossy(&output.stderr);
        let program = command.get_program().to_string_lossy();
        return Err(format!("{program} {} ended with {}\n{out}{err}", words.join(" "), output.status).into());
    }
    Ok((seconds, out))
}

/// How long each world of a report took until it was ready, in seconds.
fn worlds_ready(report: &Path) -> Result<Vec<f64>, Box<dyn Error>> {
    let report: Value = serde_json::from_slice(&fs::read(report)?)?;
    let scenarios = report["scenarios"].as_array().ok_or("a report without scenarios")?;
    Ok(scenarios
        .iter()
        .filter_map(|scenario| scenario["world_ready_seconds"].as_f64())
        .collect())
}

fn one_namespace() -> Result<(), Box<dyn Error>> {
    enter_user_namespace()?;
    let processes = PidNamespace::fork()?;
    Namespace::new("alone", &processes)?;
    Ok(())
}

/// What a world with two pods consists of for the kernel: a vpc, three nodes on its bridge, two pods on a node's.
fn namespaces_alone() -> Result<f64, Box<dyn Error>> {
    enter_user_namespace()?;
    let processes = PidNamespace::fork()?;
    let start = monotonic();
    let bridge = |host: &Namespace, name: &'static str, address: Ipv4Addr, prefix| {
        host.run(move |inside| inside.bridge(name, address.into(), prefix))
    };
    let (vpc_address, pods_address) = (Ipv4Addr::new(172, 20, 0, 1), Ipv4Addr::new(10, 244, 1, 1));
    let vpc = Namespace::new("vpc", &processes)?;
    bridge(&vpc, "vpc0", vpc_address, 16)??;
    let mut hosts = Vec::new();
    for index in 1..=3 {
        let node = Namespace::new("node", &processes)?;
        let address = Ipv4Addr::new(172, 20, 1, index);
        vpc.wire_blocking(&node, wire(index, "vpc0", address.into(), 16, vpc_address.into()))?;
        hosts.push(node);
    }
    let node = hosts.first().ok_or("no node")?;
    bridge(node, "cbr0", pods_address, 24)??;
    let mut pods = Vec::new();
    for index in 2..=3 {
        let pod = Namespace::new("pod", &processes)?;
        let address = Ipv4Addr::new(10, 244, 1, index);
        node.wire_blocking(&pod, wire(index, "cbr0", address.into(), 24, pods_address.into()))?;
        pods.push(pod);
    }
    Ok(since(start).as_secs_f64())
}

fn wire(index: u8, bridge: &str, address: IpAddr, prefix: u8, gateway: IpAddr) -> Wire {
    Wire {
        name: format!("w{index}"),
        bridge: bridge.to_owned(),
        far_name: "eth0".to_owned(),
        address,
        prefix,
        gateway,
    }
}
