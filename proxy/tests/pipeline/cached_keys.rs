//! The same keys for their time, one fetch for all who wait, nothing past its expiration.

use std::{sync::Arc, time::Duration};

use rolecall_proxy::provider::ProviderError;
use tokio::io::AsyncWriteExt as _;

use crate::world::{CREDENTIALS, Options, POD, World, pod};

fn unavailable() -> ProviderError {
    ProviderError::Unavailable("arn:aws:sts::123456789012:assumed-role/node/i-0 timed out".to_owned())
}

#[tokio::test]
async fn a_hundred_pods_that_miss_at_once_cost_one_call() {
    let world = Arc::new(World::new(Options::default()).await);
    world.sts.gate.forget_permits(usize::MAX);
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.key(POD, "MyPodRole").await })
        })
        .collect();
    world.sts.until_asked(1).await;
    world.sts.gate.add_permits(100);
    for asked in asking {
        assert_eq!(asked.await.unwrap(), "ASIA1");
    }
    assert_eq!(world.sts.count(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_cancel_the_fetch() {
    let world = World::new(Options::default()).await;
    world.sts.gate.forget_permits(usize::MAX);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(format!("{POD}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(world.address).await.unwrap();
    let request = format!("GET {CREDENTIALS}MyPodRole HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    world.sts.until_asked(1).await;
    drop(stream);
    world.sts.gate.add_permits(2);
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    assert_eq!(world.sts.count(), 1);
}

#[tokio::test]
async fn keys_stay_the_same_for_their_time_and_are_new_after_it() {
    let world = World::new(Options::default()).await;
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.clock.advance(Duration::from_secs(860));
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    assert_eq!(world.sts.count(), 1);
    world.clock.advance(Duration::from_secs(41));
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA2");
    assert_eq!(world.sts.count(), 2);
}

#[tokio::test]
async fn keys_are_fetched_ahead_in_their_last_half_minute_and_served_to_the_end() {
    let world = World::new(Options::default()).await;
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.clock.advance(Duration::from_secs(880));
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.sts.until_asked(2).await;
    // Those fetched ahead wait for their turn.
    for _ in 0..20 {
        assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    }
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA2");
    assert_eq!(world.sts.count(), 2);
}

#[tokio::test]
async fn pods_with_one_role_share_its_keys_and_an_external_id_parts_them() {
    let world = World::new(Options::default()).await;
    let (second, third) = ("127.0.0.12", "127.0.0.13");
    world.pods.apply(pod(second, Some("MyPodRole")));
    let mut with_id = pod(third, Some("MyPodRole"));
    with_id.external_id = Some("right".to_owned());
    world.pods.apply(with_id);
    assert_eq!(world.key(third, "MyPodRole").await, "ASIA1");
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA2");
    assert_eq!(world.key(second, "MyPodRole").await, "ASIA2");
    let ids: Vec<_> = world.sts.asked().into_iter().map(|key| key.external_id).collect();
    assert_eq!(ids, [Some("right".to_owned()), None]);
}

#[tokio::test]
async fn keys_that_are_still_valid_are_served_while_sts_is_down_and_never_past_their_expiration() {
    let world = World::new(Options::default()).await;
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.sts.fail(Some(unavailable()));
    world.clock.advance(Duration::from_secs(1790));
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.clock.advance(Duration::from_secs(10));
    let answer = world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(!answer.body.contains("node"), "{answer:?}");
}

#[tokio::test]
async fn keys_that_are_still_valid_are_served_while_sts_does_not_answer() {
    let world = World::new(Options::default()).await;
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.sts.gate.forget_permits(usize::MAX);
    world.clock.advance(Duration::from_secs(1000));
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    assert_eq!(world.sts.count(), 2);
}

#[tokio::test]
async fn a_denial_ends_keys_whose_time_is_over() {
    let world = World::new(Options::default()).await;
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.sts.fail(Some(ProviderError::Denied("no more".to_owned())));
    world.clock.advance(Duration::from_secs(1000));
    assert_eq!(world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await.status, 403);
}

#[tokio::test]
async fn a_failure_is_shared_and_the_answer_for_a_second() {
    let world = World::new(Options::default()).await;
    world.sts.fail(Some(unavailable()));
    let path = format!("{CREDENTIALS}MyPodRole");
    for _ in 0..5 {
        assert_eq!(world.get(POD, &path).await.status, 500);
    }
    // The world's clock goes on with the real one: five answers may take more than the second.
    let calls = world.sts.count();
    assert!(calls < 5, "{calls} calls");
    world.sts.fail(None);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.get(POD, &path).await.status, 200);
}

#[tokio::test]
async fn a_new_annotation_counts_from_the_next_request_on() {
    let world = World::new(Options::default()).await;
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
    world.pods.apply(pod(POD, Some("Other")));
    assert_eq!(world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await.status, 403);
    assert_eq!(world.key(POD, "Other").await, "ASIA2");
}
