//! `rolecall run --world kind`: its flags, and the one cluster that all its scenarios share.

use std::{sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use rolecall_scenario::model::Scenario;

use super::{args::RunArgs, interrupt::Interrupt, main::complain, suite::Suite};
use crate::{
    image::{Contents, Image, build_static, find_checkout, load_into_docker},
    plan::Plan,
    report::ExitStatus,
    subject::Subject,
    world::{
        WorldError,
        kind::{
            Images, KindGround, KindOptions, KindWorlds, LOCALSTACK_IMAGE, Left, Marks, NODE_IMAGE, NODES_READY,
            Wanted, of_run, remove_scratch, require, unable, wants_programs, wants_vault,
        },
    },
};

/// Where scenarios are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorldArg {
    /// A network of namespaces in this process: no Docker, no cluster, seconds
    #[default]
    Embedded,
    /// A kind cluster with LocalStack behind the AWS front, and Vault where it is wanted; needs Docker and kind
    Kind,
}

/// Flags of the kind world.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "With --world kind")]
pub(crate) struct KindArgs {
    /// Use this cluster of an earlier run, or make it, and leave it; without this one is made for the run and deleted
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(crate) cluster: Option<String>,
    /// Image of the nodes; names the version of Kubernetes
    #[arg(long, value_name = "IMAGE", default_value = NODE_IMAGE)]
    pub(crate) node_image: String,
    /// How long the nodes may take to be ready once they are made
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(crate) ready_within: Duration,
    /// Image of the proxy, instead of one that is built; its entry point must take the bundled proxy's flags
    #[arg(long, value_name = "IMAGE")]
    pub(crate) proxy_image: Option<String>,
    /// Image of the AWS front, the metadata service and the probe, instead of one that is built
    #[arg(long, value_name = "IMAGE")]
    pub(crate) tools_image: Option<String>,
    /// Image with the program `aws`, for `exec: aws …` and for the pods of manifests
    #[arg(long, value_name = "IMAGE", default_value = LOCALSTACK_IMAGE)]
    pub(crate) aws_cli_image: String,
    /// Let pods and proxies reach LocalStack without the front: a test of the canary, which then must stop the run
    #[arg(long, hide = true)]
    pub(crate) without_front: bool,
}

impl Default for KindArgs {
    fn default() -> Self {
        Self {
            cluster: None,
            node_image: NODE_IMAGE.to_owned(),
            ready_within: NODES_READY,
            proxy_image: None,
            tools_image: None,
            aws_cli_image: LOCALSTACK_IMAGE.to_owned(),
            without_front: false,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("write a number of seconds from 1 to 3600".to_owned()),
    }
}

/// What kind takes for a cluster's name, short enough for the host names that it makes of it.
fn cluster_name(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if text.len() <= 48 && text.chars().all(legal) && ends(text.chars().next()) && ends(text.chars().last()) {
        Ok(text.to_owned())
    } else {
        Err("write at most 48 lower-case letters, digits, `-` and `.`, a letter or digit first and last".to_owned())
    }
}

/// Skips what kind cannot run, and puts scenarios with equal settings of the subject together.
pub(crate) fn plans(plans: Vec<Plan>) -> Vec<Plan> {
    let mut groups: Vec<Vec<Plan>> = Vec::new();
    for plan in plans {
        let Plan::Run { scenario, settings } = plan else {
            groups.push(vec![plan]);
            continue;
        };
        if let Some(reason) = unable(&scenario) {
            groups.push(vec![Plan::Skip { scenario, reason }]);
            continue;
        }
        let same = groups
            .iter_mut()
            .find(|group| matches!(group.first(), Some(Plan::Run { settings: other, .. }) if *other == settings));
        let plan = Plan::Run { scenario, settings };
        match same {
            Some(group) => group.push(plan),
            None => groups.push(vec![plan]),
        }
    }
    groups.into_iter().flatten().collect()
}

/// Skips what the cluster that is there now cannot run.
pub(crate) fn plans_there(plans: Vec<Plan>, worlds: &KindWorlds) -> Vec<Plan> {
    let each = plans.into_iter().map(|plan| match plan {
        Plan::Run { scenario, settings } => match worlds.ground.unable(&scenario) {
            Some(reason) => Plan::Skip { scenario, reason },
            None => Plan::Run { scenario, settings },
        },
        skipped => skipped,
    });
    each.collect()
}

/// What the run stands on, brought up; Ctrl-C ends that too. What was made by then is removed.
///
/// # Errors
/// [`ExitStatus::NoWorld`] after saying what is wrong, or [`ExitStatus::Interrupted`].
pub(crate) async fn bring_up(
    suite: &Suite,
    args: &RunArgs,
    subject: Subject,
    scenarios: &[Arc<Scenario>],
    run: &str,
    interrupt: &Interrupt,
) -> Result<KindWorlds, ExitStatus> {
    let marks = Marks::of(run);
    let options = KindOptions {
        cluster: args.kind.cluster.clone(),
        keep: args.keep,
        node_image: args.kind.node_image.clone(),
        ready_within: args.kind.ready_within,
        proxy_image: args.kind.proxy_image.clone(),
        tools_image: args.kind.tools_image.clone(),
        aws_cli_image: args.kind.aws_cli_image.clone(),
        suite: suite.root().map(ToOwned::to_owned),
        without_front: args.kind.without_front,
    };
    let wanted = Wanted {
        programs: scenarios.iter().any(|scenario| wants_programs(scenario)),
        vault: scenarios.iter().any(|scenario| wants_vault(scenario)),
    };
    let say = |what: &str, took: Duration| {
        anstream::eprintln!("kind: {what} ({:.1} s)", took.as_secs_f64());
    };
    tokio::select! {
        biased;
        () = interrupt.stop.cancelled() => return Err(ExitStatus::Interrupted),
        required = require(&options, wanted) => required.map_err(|error| no_world(&error))?,
    }
    anstream::eprintln!("kind: run {run}; if it is killed, `rolecall sweep --run {run}` removes what it leaves");
    let kept = options.keep;
    let named = options.cluster.clone();
    let images = images(options.clone());
    let preparing = KindGround::prepare(options, subject, images, wanted, marks.clone(), &say);
    let prepared = tokio::select! {
        biased;
        () = interrupt.stop.cancelled() => Err(None),
        prepared = preparing => prepared.map_err(Some),
    };
    match prepared {
        Ok(ground) => Ok(KindWorlds {
            ground,
            fixtures: suite.fixtures(),
            enforcement: !args.no_enforcement,
            real_time: args.real_time,
        }),
        Err(why) => {
            let status = why.map_or(ExitStatus::Interrupted, |error| no_world(&error));
            if kept {
                complain("with --keep, what was made by then stays until `rolecall sweep`");
            } else {
                abandon(&marks, named.as_deref()).await;
            }
            Err(status)
        }
    }
}

fn no_world(error: &WorldError) -> ExitStatus {
    complain(format_args!(
        "the kind world cannot start here: {error}\n   = `rolecall doctor --world kind` tells what this machine can do"
    ));
    ExitStatus::NoWorld
}

/// Removes what a run made that did not come to its scenarios. A cluster that was named stays: it may be an earlier run's.
async fn abandon(marks: &Marks, named: Option<&str>) {
    // The engine may still make what it was asked for when the run was ended.
    let (mut quiet, mut failures) = (0, 0);
    while quiet < QUIET {
        match remove_of(marks, named.is_some()).await {
            Ok(0) => quiet += 1,
            Ok(_) => quiet = 0,
            Err(error) => {
                failures += 1;
                if failures == FAILURES {
                    return complain(format_args!(
                        "what was made cannot be removed, `rolecall sweep --run {}` will: {error}",
                        marks.run()
                    ));
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    if let Some(cluster) = named {
        remove_scratch(cluster);
    }
}

/// In how many looks in a row nothing may be there.
const QUIET: u32 = 4;
/// How often an engine that is busy, as when it still makes a cluster, may fail.
const FAILURES: u32 = 3;

/// Removes what there is of a run; how many things that were.
async fn remove_of(marks: &Marks, keeps_cluster: bool) -> Result<usize, WorldError> {
    let left = of_run(marks).await?.into_iter();
    let left: Vec<Left> = left
        .filter(|left| !keeps_cluster || !matches!(left, Left::Cluster(_)))
        .collect();
    for left in &left {
        left.remove().await?;
        anstream::eprintln!("kind: removed {left}");
    }
    Ok(left.len())
}

/// Ends what the run stood on.
pub(crate) async fn end(worlds: &KindWorlds) {
    if let Err(error) = worlds.ground.end().await {
        complain(format_args!(
            "not all that was made could be removed, `rolecall sweep` will: {error}"
        ));
    }
}

/// The images of the proxy and of the tools: those that were named, and for the others, built from the checkout.
async fn images(options: KindOptions) -> Result<Images, WorldError> {
    // One after the other: cargo builds what both have in common once.
    Ok(Images {
        proxy: named_or_built(options.proxy_image, Contents::Proxy).await?,
        tools: named_or_built(options.tools_image, Contents::Tools).await?,
    })
}

async fn named_or_built(name: Option<String>, contents: Contents) -> Result<String, WorldError> {
    if let Some(name) = name {
        return Ok(name);
    }
    let unable = |error: crate::image::ImageError| WorldError::Unable {
        reason: format!(
            "the image of the {contents} cannot be built: {error}\n   = name one that is there with --{contents}-image IMAGE"
        ),
    };
    let here = std::env::current_dir().unwrap_or_default();
    let checkout = find_checkout(&here).map_err(unable)?;
    anstream::eprintln!("kind: building the {contents} image's program (minutes, if it was never built)");
    let mut line = |line: &str| anstream::eprintln!("  {line}");
    let program = build_static(contents, &checkout, &mut line).await.map_err(unable)?;
    let image = Image::of(contents, &program).map_err(unable)?;
    load_into_docker(&image).await.map_err(unable)?;
    Ok(image.name())
}
