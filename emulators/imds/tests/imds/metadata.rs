use rstest::rstest;

use crate::world::{OTHER_NODE, POD, STRANGER, World};

#[rstest]
#[case("/latest", "dynamic\nmeta-data\nuser-data")]
#[case("/latest/meta-data/instance-id", "i-node-1")]
#[case("/latest/meta-data/ami-id", "ami-0abc")]
#[case("/latest/meta-data/hostname", "node-1.eu-central-1.compute.internal")]
#[case("/latest/meta-data/local-hostname", "node-1.eu-central-1.compute.internal")]
#[case("/latest/meta-data/local-ipv4", "127.0.0.1")]
#[case("/latest/meta-data/instance-type", "m5.large")]
#[case("/latest/meta-data/placement/", "availability-zone\nregion")]
#[case("/latest/meta-data/placement/availability-zone", "eu-central-1b")]
#[case("/latest/meta-data/placement/region", "eu-central-1")]
#[case("/latest/meta-data/services/domain", "amazonaws.com")]
#[case("/latest/meta-data/services/partition", "aws")]
#[case("/latest/meta-data/iam/", "info\nsecurity-credentials/")]
#[case("/latest/meta-data/identity-credentials/ec2/", "info\nsecurity-credentials/")]
#[case("/latest/meta-data/identity-credentials/ec2/security-credentials/", "ec2-instance")]
#[case("/latest/user-data", "some-secret")]
#[case("/latest/dynamic/instance-identity/", "document")]
#[tokio::test]
async fn a_path_is_answered_in_plain_text_without_a_newline(#[case] path: &str, #[case] body: &str) {
    let world = World::start().await;
    let reply = world.get(path).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, body));
    assert_eq!(
        (reply.header("content-type"), reply.header("server")),
        (Some("text/plain"), Some("EC2ws"))
    );
}

#[tokio::test]
async fn the_root_lists_versions() {
    let world = World::start().await;
    let body = world.get("/").await.body;
    assert!(
        body.starts_with("1.0\n2007-01-19\n") && body.ends_with("\nlatest"),
        "{body}"
    );
}

#[tokio::test]
async fn the_partition_follows_the_region() {
    let world = World::with(|instance| instance.region = "cn-north-1".to_owned()).await;
    assert_eq!(
        world.get("/latest/meta-data/services/domain").await.body,
        "amazonaws.com.cn"
    );
    assert_eq!(world.get("/latest/meta-data/services/partition").await.body, "aws-cn");
}

#[tokio::test]
async fn documents_say_whose_they_are() {
    let world = World::start().await;
    let identity = world.get("/latest/dynamic/instance-identity/document").await.json();
    assert_eq!(identity["accountId"], "111122223333");
    assert_eq!(identity["instanceId"], "i-node-1");
    assert_eq!(identity["privateIp"], "127.0.0.1");
    let info = world.get("/latest/meta-data/iam/info").await.json();
    assert_eq!(
        info["InstanceProfileArn"],
        "arn:aws:iam::111122223333:instance-profile/nodes"
    );
    let keys = world
        .get("/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance")
        .await
        .json();
    assert_eq!(keys["SecretAccessKey"], "identity-secret");
}

#[tokio::test]
async fn the_instance_is_that_of_the_address_that_asks() {
    let world = World::start().await;
    for (from, id) in [(POD, "i-node-1"), (OTHER_NODE, "i-node-2")] {
        // What a header claims changes nothing.
        let headers = [("X-Forwarded-For", "127.0.0.1"), ("Host", "127.0.1.1")];
        let reply = world
            .ask_from(from, "GET /latest/meta-data/instance-id", &headers)
            .await;
        assert_eq!(reply.body, id);
    }
    assert_eq!(
        world
            .ask_from(STRANGER, "GET /latest/meta-data/instance-id", &[])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn an_instance_without_profile_or_user_data_has_neither() {
    let world = World::with(|instance| {
        instance.role = None;
        instance.user_data.clear();
    })
    .await;
    for path in [
        "/latest/meta-data/iam/info",
        "/latest/meta-data/iam/security-credentials/",
        "/latest/user-data",
    ] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    assert!(!world.get("/latest/meta-data/").await.body.contains("iam"));
}

#[tokio::test]
async fn a_head_request_has_no_body() {
    let world = World::start().await;
    let reply = world.ask("HEAD /latest/meta-data/instance-id", &[]).await;
    assert_eq!(
        (reply.status, reply.body.as_str(), reply.header("content-length")),
        (200, "", Some("8"))
    );
}
