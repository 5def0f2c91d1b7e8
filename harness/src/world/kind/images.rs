//! Images: there before anything is started, and on the nodes that run them. Nothing is pulled that is there.

use std::time::Duration;

use super::{
    cluster::{ClusterNode, KindCluster},
    command::Program,
    scratch,
};
use crate::world::WorldError;

/// Images of hundreds of megabytes.
const PULL: Duration = Duration::from_secs(600);
const LOAD: Duration = Duration::from_secs(180);

/// Makes sure that the engine has an image.
///
/// # Errors
/// It is neither there nor to be had.
pub(super) async fn ensure(image: &str) -> Result<(), WorldError> {
    if Program::docker(["image", "inspect", "--format", "{{.Id}}", image])
        .ask()
        .await?
        .exit
        == Some(0)
    {
        return Ok(());
    }
    let pulled = Program::docker(["pull", "--quiet", image]).within(PULL).run().await;
    pulled.map(drop).map_err(|error| WorldError::Unable {
        reason: format!(
            "the image {image} is not here and cannot be pulled; bring it here with `docker load`\n   = {error}"
        ),
    })
}

/// Puts an image on those of these nodes that lack it.
///
/// # Errors
/// What kind says.
pub(super) async fn load(cluster: &KindCluster, nodes: &[&ClusterNode], image: &str) -> Result<(), WorldError> {
    let id = Program::docker(["image", "inspect", "--format", "{{.Id}}", image])
        .run()
        .await?;
    let there = nodes.iter().map(|node| async {
        let list = format!("ctr -n k8s.io images ls name=={}", canonical(image));
        let listed = Program::docker(["exec", &node.host, "sh", "-c", &list]).run().await?;
        // A node's containerd tells another digest than the engine for the same image, so what was loaded is remembered.
        let mark = Program::docker(["exec", &node.host, "cat", &mark(image)]).ask().await?;
        let same = listed.lines().count() > 1 && mark.stdout.trim() == id.trim();
        Ok::<_, WorldError>((!same).then(|| node.host.clone()))
    });
    let lacking: Vec<String> = futures::future::try_join_all(there)
        .await?
        .into_iter()
        .flatten()
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let nodes = lacking.join(",");
    Program::kind([
        "load",
        "docker-image",
        image,
        "--name",
        &cluster.name,
        "--nodes",
        &nodes,
    ])
    .within(LOAD)
    .temporary(scratch::folder(&cluster.name)?)
    .run()
    .await?;
    scratch::remove(&cluster.name);
    for host in &lacking {
        let write = format!("mkdir -p /run/rolecall && cat > {}", mark(image));
        let exec = ["exec", "--interactive", host, "sh", "-c", &write];
        Program::docker(exec).input(id.trim()).run().await?;
    }
    Ok(())
}

fn mark(image: &str) -> String {
    let name: String = image
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    format!("/run/rolecall/{name}")
}

/// The name that containerd has for what Docker calls so.
fn canonical(image: &str) -> String {
    let tagged = match image.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => image.to_owned(),
        _ => format!("{image}:latest"),
    };
    let first = tagged.split('/').next().unwrap_or_default();
    match tagged.split('/').count() {
        1 => format!("docker.io/library/{tagged}"),
        _ if first.contains(['.', ':']) || first == "localhost" => tagged,
        _ => format!("docker.io/{tagged}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("kube2iam", "docker.io/library/kube2iam:latest")]
    #[case("rolecall/tools:1f", "docker.io/rolecall/tools:1f")]
    #[case("registry:5000/tools", "registry:5000/tools:latest")]
    fn an_image_has_its_whole_name_on_a_node(#[case] image: &str, #[case] name: &str) {
        assert_eq!(canonical(image), name);
    }
}
