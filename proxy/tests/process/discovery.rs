//! Asking the node's metadata service for the account.

use serde_json::json;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path},
};

use crate::world::World;

const LISTING: &str = "/latest/meta-data/iam/security-credentials/";

#[tokio::test]
async fn the_base_arn_is_asked_for_until_it_is_known() {
    let mut world = World::starting(41, &["--auto-discover-base-arn", "--insecure"]).await;
    let token = ResponseTemplate::new(200)
        .insert_header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        .set_body_string("node-token");
    Mock::given(method("PUT"))
        .respond_with(token)
        .mount(&world.metadata)
        .await;
    // The metadata service has no profile yet, which the proxy says, and no pod gets anything.
    world
        .until("it says what is missing", async |world| {
            let answer = world.admin("GET", "/readyz").await;
            answer.status == 503 && answer.body.contains("the instance has no instance profile")
        })
        .await;
    let address = world.pod("app", json!({ "iam.amazonaws.com/role": "MyPodRole" })).await;
    world
        .until("pods are told to come again", async |world| {
            world.get(&address, LISTING).await.status == 503
        })
        .await;
    let metrics = world.admin("GET", "/metrics").await.body;
    assert!(metrics.contains("\nkube2iam_healthcheck_status 0\n"), "{metrics}");

    let info = json!({
        "Code": "Success",
        "LastUpdated": "2026-01-01T00:00:00Z",
        "InstanceProfileArn": "arn:aws-cn:iam::210987654321:instance-profile/node",
        "InstanceProfileId": "AIPAEXAMPLE",
    });
    Mock::given(path("/latest/meta-data/iam/info"))
        .respond_with(ResponseTemplate::new(200).set_body_json(info))
        .mount(&world.metadata)
        .await;
    world.until_ready().await;
    assert_eq!(world.get(&address, LISTING).await.body, "MyPodRole");
    let elsewhere = json!({ "iam.amazonaws.com/role": "arn:aws-cn:iam::210987654321:role/Whole" });
    let whole = world.pod("whole", elsewhere).await;
    assert_eq!(world.get(&whole, LISTING).await.body, "Whole");
    let metrics = world.admin("GET", "/metrics").await.body;
    assert!(metrics.contains("\nkube2iam_healthcheck_status 1\n"), "{metrics}");
    let (status, log) = world.terminate().await;
    assert!(status.success(), "{log}");
    assert!(log.contains("arn:aws-cn:iam::210987654321:role/"), "{log}");
    assert!(log.contains("--insecure has no effect"), "{log}");
}
