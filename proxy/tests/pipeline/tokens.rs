//! IMDSv2 session tokens.

use std::time::Duration;

use rstest::rstest;

use crate::world::{Answer, LISTING, Options, POD, World, pod};

async fn put(world: &World, source: &str, headers: &str) -> Answer {
    world
        .send(
            source,
            &format!("PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254{headers}"),
        )
        .await
}

async fn token(world: &World, source: &str, ttl: u32) -> String {
    put(
        world,
        source,
        &format!("\r\nX-aws-ec2-metadata-token-ttl-seconds: {ttl}"),
    )
    .await
    .body
}

async fn list(world: &World, source: &str, token: &str) -> u16 {
    let head = format!("GET {LISTING} HTTP/1.1\r\nHost: 169.254.169.254\r\nX-aws-ec2-metadata-token: {token}");
    world.send(source, &head).await.status
}

#[rstest]
#[case("\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600", 200)]
#[case("\r\nX-aws-ec2-metadata-token-ttl-seconds: 1", 200)]
#[case("", 400)]
#[case("\r\nX-aws-ec2-metadata-token-ttl-seconds: 0", 400)]
#[case("\r\nX-aws-ec2-metadata-token-ttl-seconds: 21601", 400)]
#[case("\r\nX-aws-ec2-metadata-token-ttl-seconds: many", 400)]
#[case(
    "\r\nX-aws-ec2-metadata-token-ttl-seconds: 1\r\nX-aws-ec2-metadata-token-ttl-seconds: 2",
    400
)]
#[case("\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nX-Forwarded-For: 10.0.0.1", 403)]
#[tokio::test]
async fn a_token_is_given_for_a_life_that_can_be(#[case] headers: &str, #[case] status: u16) {
    let world = World::new(Options::default()).await;
    let answer = put(&world, POD, headers).await;
    assert_eq!(answer.status, status, "{answer:?}");
    if status == 200 {
        assert!(
            answer.head.contains("\r\nx-aws-ec2-metadata-token-ttl-seconds: "),
            "{answer:?}"
        );
        assert!(!answer.body.is_empty() && !answer.body.contains('\n'), "{answer:?}");
    }
}

#[rstest]
#[case::asked_for(true)]
#[case::demanded(false)]
#[tokio::test]
async fn a_token_that_is_no_good_is_refused_whether_or_not_one_is_demanded(#[case] require_token: bool) {
    let world = World::new(Options {
        require_token,
        ..Options::default()
    })
    .await;
    let other = "127.0.0.12";
    world.pods.apply(pod(other, Some("MyPodRole")));
    let good = token(&world, POD, 60).await;
    assert_eq!(list(&world, POD, &good).await, 200);
    assert_eq!(list(&world, POD, "invented").await, 401);
    assert_eq!(list(&world, other, &good).await, 401, "another pod's");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(list(&world, POD, &good).await, 401, "over");
    let without = world.get(POD, LISTING).await.status;
    assert_eq!(without, if require_token { 401 } else { 200 });
}

#[tokio::test]
async fn a_token_ends_with_its_pod_although_the_next_has_its_address() {
    let world = World::new(Options::default()).await;
    let old = token(&world, POD, 21_600).await;
    world.pods.remove(&format!("uid-{POD}"));
    let mut next = pod(POD, Some("MyPodRole"));
    next.uid = "next".to_owned();
    world.pods.apply(next);
    assert_eq!(list(&world, POD, &old).await, 401);
}

#[tokio::test]
async fn a_demanded_token_is_demanded_for_what_is_passed_through_too() {
    let world = World::new(Options {
        require_token: true,
        ..Options::default()
    })
    .await;
    world.metadata_answers_everything().await;
    assert_eq!(world.get(POD, "/latest/meta-data/instance-id").await.status, 401);
    assert!(world.metadata_was_asked().await.is_empty());
}
