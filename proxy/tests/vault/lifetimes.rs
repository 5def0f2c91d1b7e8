//! What is kept alive, what is let go, and that nothing is served past its end.

use std::time::Duration;

use rolecall_proxy::who::PodRecord;
use rstest::rstest;

use crate::{
    fake::Fault,
    world::{Options, World, until},
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_token_is_renewed_while_its_lease_lives_though_nobody_asks() {
    let world = World::new(Options::default()).await;
    world.fake.state().token_ttl = 60;
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    for renewals in 1..=5 {
        world.clock.advance(seconds(45));
        until("the renewal", || {
            world.fake.asked("renew-self -> 200").len() == renewals
        })
        .await;
        until("it has landed", || world.vault().under_way() == 0).await;
    }
    assert_eq!(world.key(&pod).await, key);
    assert_eq!(world.fake.asked("login").len(), 1);
    assert_eq!(world.fake.asked("renew-self").len(), 5);
}

/// A pod with a token whose renewal is done and not answered, while the end passes that the token had before.
async fn with_a_renewal_on_its_way() -> (World, PodRecord, String) {
    let world = World::new(Options::default()).await;
    world.fake.state().token_ttl = 60;
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    world.fake.fault("renew-self", Fault::AnsweredLate);
    world.clock.advance(seconds(45));
    let renewed = world.clock.wall();
    until("the renewal", || {
        world.fake.ends().iter().all(|end| *end > renewed + seconds(50))
    })
    .await;
    world.clock.advance(seconds(16));
    world.vault().tend();
    (world, pod, key)
}

#[tokio::test]
async fn a_token_whose_renewal_is_answered_after_its_former_end_is_kept() {
    let (world, pod, key) = with_a_renewal_on_its_way().await;
    world.fake.gate.add_permits(1);
    until("it has landed", || world.vault().under_way() == 0).await;
    assert_eq!(world.key(&pod).await, key);
    assert_eq!((world.fake.tokens(), world.vault().tokens()), (1, (1, 0)));
}

#[tokio::test]
async fn a_token_that_was_renewed_after_it_had_been_replaced_is_revoked() {
    let (world, pod, key) = with_a_renewal_on_its_way().await;
    assert_ne!(
        world.key(&pod).await,
        key,
        "it was past its end, for all that the proxy knew"
    );
    assert_eq!(world.fake.tokens(), 2);
    world.fake.gate.add_permits(1);
    until("it has landed", || world.vault().under_way() == 0).await;
    assert_eq!((world.fake.tokens(), world.vault().tokens()), (1, (1, 0)));
}

#[tokio::test]
async fn keys_are_not_served_once_their_token_has_ended() {
    let world = World::new(Options::default()).await;
    world.fake.state().token_ttl = 60;
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    // Too far for any renewal: Vault has revoked the lease.
    world.clock.advance(seconds(61));
    assert_ne!(world.key(&pod).await, key);
    assert_eq!(world.fake.asked("login").len(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_replaced_with_its_keys_ahead_of_its_end() {
    let world = World::new(Options::default()).await;
    (world.fake.state().token_ttl, world.fake.state().token_renewable) = (60, false);
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    world.clock.advance(seconds(45));
    assert_eq!(world.key(&pod).await, key);
    until("the second login", || world.fake.asked("login").len() == 2).await;
    until("the first token is revoked", || world.fake.tokens() == 1).await;
    assert_ne!(world.key(&pod).await, key);
    assert!(world.fake.asked("renew-self").is_empty());
}

#[tokio::test]
async fn a_token_that_reaches_its_maximum_is_replaced_before() {
    let world = World::new(Options::default()).await;
    (world.fake.state().token_ttl, world.fake.state().token_max) = (60, 100);
    let pod = world.pod("reader", "readonly");
    let first = world.key(&pod).await;
    world.clock.advance(seconds(45));
    until("the renewal", || world.fake.asked("renew-self -> 200").len() == 1).await;
    until("it has landed", || world.vault().under_way() == 0).await;
    // It gave 60 seconds; the next one cannot.
    world.clock.advance(seconds(42));
    until("the second renewal", || {
        world.fake.asked("renew-self -> 200").len() == 2
    })
    .await;
    until("it has landed", || world.vault().under_way() == 0).await;
    assert_eq!(world.key(&pod).await, first);
    until("the second login", || world.fake.asked("login").len() == 2).await;
    until("it has landed", || world.vault().under_way() == 0).await;
    assert_ne!(world.key(&pod).await, first);
}

#[tokio::test]
async fn a_token_whose_policies_lack_renewal_is_replaced_before_its_end() {
    let world = World::new(Options::default()).await;
    world.fake.state().token_ttl = 60;
    let denied = "1 error occurred:\n\t* permission denied\n\n";
    world.fake.fault("auth/token/", Fault::Answer(403, denied));
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    world.clock.advance(seconds(45));
    until("the renewal", || world.fake.asked("renew-self -> 403").len() == 1).await;
    until("it has landed", || world.vault().under_way() == 0).await;
    assert_eq!(world.key(&pod).await, key);
    until("the second login", || world.fake.asked("login").len() == 2).await;
    until("it has landed", || world.vault().under_way() == 0).await;
    assert_ne!(world.key(&pod).await, key);
    let log = crate::log::of(&pod.name);
    assert!(
        log.iter()
            .any(|line| line.contains("cannot renew") && line.contains("renew-self")),
        "{log:?}"
    );
    assert!(log.iter().any(|line| line.contains("it ends by itself")), "{log:?}");
}

#[rstest]
#[case::deleted(|world: &World, pod: &PodRecord| world.pods.remove(&pod.uid))]
#[case::finished(|world: &World, pod: &PodRecord| world.pods.apply(PodRecord { live: false, ..pod.clone() }))]
#[case::renamed(|world: &World, pod: &PodRecord| {
    world.pods.apply(PodRecord { vault_role: Some("user".to_owned()), ..pod.clone() });
})]
#[case::missed(|world: &World, _: &PodRecord| world.pods.replace(Vec::new()))]
#[tokio::test]
async fn the_token_of_a_pod_that_needs_it_no_more_is_revoked(#[case] end: fn(&World, &PodRecord)) {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    world.key(&pod).await;
    assert_eq!((world.fake.tokens(), world.vault().tokens().0), (1, 1));
    end(&world, &pod);
    until("it is revoked", || world.fake.tokens() == 0).await;
    assert!(world.fake.state().leases.is_empty());
    assert_eq!(world.vault().tokens(), (0, 0));
    assert_eq!(world.fake.asked("revoke-self -> 204").len(), 1);
}

#[tokio::test]
async fn a_pod_that_goes_while_its_keys_are_fetched_leaves_no_token_behind() {
    let world = std::sync::Arc::new(World::new(Options::default()).await);
    world.fake.fault("aws/sts", Fault::Held);
    let pod = world.pod("reader", "readonly");
    let asking = tokio::spawn({
        let (world, pod) = (world.clone(), pod.clone());
        async move { world.keys(&pod).await }
    });
    until("the login", || world.fake.asked("login").len() == 1).await;
    world.pods.remove(&pod.uid);
    world.fake.gate.add_permits(1);
    assert_eq!(asking.await.unwrap().status, 500);
    until("it is revoked", || world.fake.tokens() == 0).await;
}

#[tokio::test]
async fn a_pod_that_does_not_ask_any_more_keeps_no_token_beyond_its_lease() {
    let world = World::new(Options::default()).await;
    world.fake.state().token_ttl = 3600;
    let pod = world.pod("reader", "readonly");
    world.key(&pod).await;
    world.clock.advance(seconds(901));
    until("it is revoked", || world.fake.tokens() == 0).await;
    assert_eq!(world.fake.asked("aws/sts").len(), 1);
    world.key(&pod).await;
}

#[tokio::test]
async fn keys_whose_token_somebody_revoked_are_served_no_more() {
    let world = World::new(Options::default()).await;
    world.fake.state().token_ttl = 60;
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    world.fake.state().forget_tokens();
    world.clock.advance(seconds(45));
    until("the renewal", || world.fake.asked("renew-self -> 403").len() == 1).await;
    until("it has landed", || world.vault().under_way() == 0).await;
    assert_ne!(world.key(&pod).await, key);
}

#[tokio::test]
async fn a_revocation_that_fails_is_made_good_when_vault_answers_again() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    world.key(&pod).await;
    world.fake.fault("", Fault::Answer(503, "Vault is sealed"));
    world.pods.remove(&pod.uid);
    until("the revocation is owed", || world.vault().tokens() == (0, 1)).await;
    world.fake.heal();
    world.clock.advance(seconds(5));
    until("it is made good", || world.fake.tokens() == 0).await;
    until("nothing is owed", || world.vault().tokens() == (0, 0)).await;
}

#[tokio::test]
async fn every_token_is_revoked_at_the_end_and_none_is_got_after_it() {
    let world = World::new(Options::default()).await;
    let pods: Vec<_> = (0..20).map(|_| world.pod("reader", "readonly")).collect();
    for pod in &pods {
        world.key(pod).await;
    }
    assert_eq!(world.fake.tokens(), 20);
    world.vault().close(crate::world::LONG).await;
    assert_eq!(world.fake.tokens(), 0);
    assert_eq!(world.keys(&pods[0]).await.status, 500);
    assert_eq!(world.fake.tokens(), 0);
}

#[tokio::test]
async fn the_end_is_not_kept_waiting_by_a_vault_that_does_not_answer() {
    let world = World::new(Options::default()).await;
    world.key(&world.pod("reader", "readonly")).await;
    world.fake.fault("revoke-self", Fault::Held);
    let began = rolecall_clock::monotonic();
    world.vault().close(Duration::from_millis(100)).await;
    assert!(rolecall_clock::since(began) < seconds(5));
}
