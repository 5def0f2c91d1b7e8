use std::{
    fs,
    io::BufRead,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use libtest_mimic::{Failed, Trial};
use rolecall_namespaces::{Error, Namespace, PidNamespace, enter_user_namespace};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Child,
    runtime::Runtime,
    time::timeout,
};

use crate::{
    copies::Part,
    scene::{self, METADATA, Scene, VPC},
};

const PATIENCE: Duration = Duration::from_secs(10);

struct Stage {
    runtime: Runtime,
    processes: PidNamespace,
}

type Outcome = Result<(), Failed>;
type Body = fn(&Stage) -> Outcome;

pub(crate) fn all(processes: PidNamespace, ordinary: Option<Output>) -> Vec<Trial> {
    let runtime = Runtime::new().expect("a runtime");
    let stage = Arc::new(Stage { runtime, processes });
    let trials: [(&str, Body); 13] = [
        ("pods_and_nodes_reach_the_vpc_with_their_own_addresses", reach),
        ("a_program_in_a_pod_has_its_network_processes_and_mounts", program),
        ("a_file_in_run_is_seen_in_its_pod_alone", private_run),
        ("a_host_network_pod_shares_the_network_and_not_the_mounts", host_network),
        ("an_address_is_free_again_when_its_wire_is_removed", reuse),
        ("neighbours_are_known_and_never_learned", neighbours),
        ("an_ipv6_address_is_usable_at_once", ipv6),
        ("dropping_a_child_kills_it", kill_on_drop),
        ("a_killed_harness_leaves_nothing_running", killed),
        ("dropping_the_pid_namespace_kills_what_is_in_it", dropped),
        ("nothing_is_entered_once_there_are_threads", threads),
        ("a_job_that_panics_leaves_the_namespace_alive", panics),
        ("the_hosts_loopback_is_still_reached", loopback),
    ];
    let mut trials: Vec<_> = trials
        .into_iter()
        .map(|(name, trial)| {
            let stage = stage.clone();
            Trial::test(name, move || trial(&stage))
        })
        .collect();
    if let Some(output) = ordinary {
        trials.push(Trial::test("everything_works_as_an_ordinary_user", move || {
            let (out, err) = (
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            );
            if output.status.success() {
                Ok(())
            } else {
                Err(format!("{out}{err}").into())
            }
        }));
    }
    trials
}

/// A listener in `host` that tells each peer its address.
async fn mirror(host: &Namespace, at: SocketAddr) -> Result<(), Error> {
    let listener: TcpListener = host.listen_tcp(at).await?;
    tokio::spawn(async move {
        while let Ok((mut stream, peer)) = listener.accept().await {
            let _ = stream.write_all(peer.ip().to_string().as_bytes()).await;
        }
    });
    Ok(())
}

/// What the mirror at `at` tells `host`.
async fn seen_as(host: &Namespace, at: SocketAddr) -> Result<String, Failed> {
    let mut stream = timeout(PATIENCE, host.connect(at)).await??;
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
    Ok(answer)
}

async fn output(host: &Namespace, command: std::process::Command) -> Result<String, Failed> {
    let mut command: tokio::process::Command = command.into();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child: Child = host.spawn(command).await?;
    let output = timeout(PATIENCE, child.wait_with_output()).await??;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn equal<T: PartialEq + std::fmt::Debug>(found: T, wanted: T) -> Outcome {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("found {found:?}, wanted {wanted:?}").into())
    }
}

fn reach(stage: &Stage) -> Outcome {
    let scene = Scene::build(&stage.processes)?;
    stage.runtime.block_on(async {
        for at in [(VPC, 4566).into(), (METADATA, 80).into()] {
            mirror(&scene.vpc, at).await?;
            for (host, address) in [
                (&scene.pods[0], scene::pod(2, 5)),
                (&scene.pods[1], scene::pod(3, 5)),
                (&scene.nodes[0], scene::node(1)),
            ] {
                equal(seen_as(host, at).await?, address.to_string())?;
            }
        }
        Ok(())
    })
}

fn program(stage: &Stage) -> Outcome {
    let scene = Scene::build(&stage.processes)?;
    stage.runtime.block_on(async {
        let at = (VPC, 4566).into();
        mirror(&scene.vpc, at).await?;
        let pod = &scene.pods[0];
        pod.run_async(|inside| inside.mount_run_tmpfs()).await??;
        equal(output(pod, Part::ask(at)).await?, scene::pod(2, 5).to_string())?;
        let look = output(pod, Part::Look.command()).await?;
        let (id, run) = look.trim().split_once(' ').ok_or("no answer")?;
        equal(run, "home,secrets,tmp")?;
        // Few processes were ever started in that namespace; the host has given out far higher ids.
        let id: u32 = id.parse()?;
        if id >= 200 {
            return Err(format!("process id {id} is not one of a small PID namespace").into());
        }
        Ok(())
    })
}

fn private_run(stage: &Stage) -> Outcome {
    let scene = Scene::build(&stage.processes)?;
    let (ours, theirs) = (&scene.pods[0], &scene.pods[1]);
    for pod in [ours, theirs] {
        pod.run(|inside| inside.mount_run_tmpfs())??;
    }
    let path = "/run/secrets/rolecall-test";
    ours.run(move |_| fs::write(path, "x"))??;
    equal(
        ours.run(move |_| fs::read_to_string("/var/run/secrets/rolecall-test").ok())?
            .as_deref(),
        Some("x"),
    )?;
    equal(theirs.run(move |_| fs::exists(path))??, false)?;
    equal(fs::exists(path)?, false)
}

fn host_network(stage: &Stage) -> Outcome {
    let scene = Scene::build(&stage.processes)?;
    let node = &scene.nodes[1];
    let pod = Namespace::sharing_network("agent", node, &stage.processes)?;
    pod.run(|inside| inside.mount_run_tmpfs())??;
    equal(node.run(|_| fs::exists("/run/secrets/"))??, false)?;
    stage.runtime.block_on(async {
        let at = (METADATA, 80).into();
        mirror(&scene.vpc, at).await?;
        equal(seen_as(&pod, at).await?, scene::node(2).to_string())
    })
}

fn reuse(stage: &Stage) -> Outcome {
    let scene = Scene::build(&stage.processes)?;
    let node = &scene.nodes[0];
    let at = (VPC, 4566).into();
    stage.runtime.block_on(mirror(&scene.vpc, at))?;
    for _ in 0..2 {
        let pod = Scene::add_pod(node, 1, 9, &stage.processes)?;
        stage
            .runtime
            .block_on(async { equal(seen_as(&pod, at).await?, scene::pod(1, 9).to_string()) })?;
        // The pod's namespace still lives: it is the wire that goes.
        node.run(|inside| inside.remove("p9"))??;
        let gone = pod.run(|inside| inside.up("eth0"))?;
        if gone.is_ok() {
            return Err("the far end is still there".into());
        }
        std::mem::forget(pod);
    }
    Ok(())
}

/// The kernel has one table for what all namespaces learn, and some dozens of worlds would fill it.
fn neighbours(stage: &Stage) -> Outcome {
    let scene = Scene::build(&stage.processes)?;
    let at = (VPC, 4566).into();
    stage.runtime.block_on(async {
        mirror(&scene.vpc, at).await?;
        seen_as(&scene.pods[0], at).await
    })?;
    let hosts = [(&scene.vpc, 3), (&scene.nodes[1], 2), (&scene.pods[0], 1)];
    for (host, count) in hosts {
        let table = host.run(|_| fs::read_to_string("/proc/thread-self/net/arp"))??;
        // Address, hardware type, flags: complete (2) and permanent (4).
        let flags: Vec<_> = table
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().nth(2))
            .collect();
        if flags != vec![Some("0x6"); count] {
            return Err(format!("{} has learned of neighbours:\n{table}", host.name()).into());
        }
    }
    Ok(())
}

fn ipv6(stage: &Stage) -> Outcome {
    let scene = Scene::build(&stage.processes)?;
    let [gateway, node, metadata]: [IpAddr; 3] =
        ["fd00:20::1".parse()?, "fd00:20::2".parse()?, "fd00:ec2::254".parse()?];
    scene.vpc.run(move |inside| {
        inside.address("vpc0", gateway, 64)?;
        inside.address("vpc0", metadata, 128)
    })??;
    scene.nodes[0].run(move |inside| {
        inside.address("eth0", node, 64)?;
        inside.route(metadata, 128, gateway)
    })??;
    stage.runtime.block_on(async {
        let at = (metadata, 80).into();
        mirror(&scene.vpc, at).await?;
        equal(seen_as(&scene.nodes[0], at).await?, node.to_string())
    })
}

fn kill_on_drop(stage: &Stage) -> Outcome {
    let host = Namespace::new("alone", &stage.processes)?;
    stage.runtime.block_on(async {
        let child = host.spawn(Part::Wait.command().into()).await?;
        let id = child.id().ok_or("ended early")?;
        equal(alive(id), true)?;
        drop(child);
        all_dead(&[id], PATIENCE).await
    })
}

fn killed(stage: &Stage) -> Outcome {
    let (mut harness, ids) = world()?;
    // SIGKILL: the harness can tidy up nothing.
    harness.kill()?;
    harness.wait()?;
    stage.runtime.block_on(all_dead(&ids, Duration::from_secs(1)))
}

fn dropped(stage: &Stage) -> Outcome {
    let (mut harness, ids) = world()?;
    drop(harness.stdin.take());
    let dead = stage.runtime.block_on(all_dead(&ids, Duration::from_secs(1)));
    let survived = harness.try_wait()?.is_none();
    harness.kill()?;
    harness.wait()?;
    dead?;
    equal(survived, true)
}

/// A copy of this program that has built a world, and the ids of the init and of a program in a pod.
fn world() -> Result<(std::process::Child, Vec<u32>), Failed> {
    let mut harness = Part::World
        .command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = harness.stdout.take().ok_or("no output")?;
    let mut line = String::new();
    std::io::BufReader::new(stdout).read_line(&mut line)?;
    let ids: Vec<u32> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    equal(ids.len(), 2)?;
    equal(ids.iter().all(|id| alive(*id)), true)?;
    Ok((harness, ids))
}

fn threads(_: &Stage) -> Outcome {
    for refused in [enter_user_namespace().err(), PidNamespace::fork().err()] {
        match refused {
            Some(Error::Threads { threads: 2.., .. }) => {}
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(())
}

fn panics(stage: &Stage) -> Outcome {
    let host = Namespace::new("alone", &stage.processes)?;
    let result = host.run(|_| -> () { panic!("this panic is part of the trial") });
    equal(matches!(result, Err(Error::Panicked { .. })), true)?;
    equal(host.run(|inside| inside.name().to_owned())?, "alone".to_owned())
}

fn loopback(stage: &Stage) -> Outcome {
    stage.runtime.block_on(async {
        let here: IpAddr = Ipv4Addr::LOCALHOST.into();
        let listener = TcpListener::bind((here, 0)).await?;
        let at = listener.local_addr()?;
        timeout(PATIENCE, tokio::net::TcpStream::connect(at)).await??;
        // ... and not from a namespace, whose loopback is its own.
        let host = Namespace::new_async("alone", &stage.processes).await?;
        let sharing = Namespace::sharing_network_async("sharing", &host, &stage.processes).await?;
        equal(timeout(PATIENCE, sharing.connect(at)).await?.is_err(), true)?;
        equal(timeout(PATIENCE, host.connect(at)).await?.is_err(), true)
    })
}

/// Whether the process still runs. One that waits to be reaped does not, nor does an init that has ended but for the
/// reaping of its namespace's dead, which is up to the system's own init.
fn alive(id: u32) -> bool {
    const EXITING: u32 = 4;
    let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
        return false;
    };
    // After the name in brackets: state, parent, group, session, terminal, its group, flags (proc_pid_stat(5)).
    let fields: Vec<_> = stat
        .rsplit_once(") ")
        .map(|(_, rest)| rest.split(' ').collect())
        .unwrap_or_default();
    let exiting = fields
        .get(6)
        .and_then(|flags| flags.parse::<u32>().ok())
        .is_some_and(|flags| flags & EXITING != 0);
    !exiting && !matches!(fields.first(), None | Some(&"Z" | &"X"))
}

async fn all_dead(ids: &[u32], within: Duration) -> Outcome {
    let poll = async {
        while ids.iter().any(|id| alive(*id)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(within, poll)
        .await
        .map_err(|_| format!("{ids:?} still run after {within:?}").into())
}
