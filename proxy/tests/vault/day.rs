//! Pods with short Vault tokens and leases, through virtual hours and days.

use std::{sync::Arc, time::Duration};

use rolecall_clock::{monotonic, since};
use rolecall_proxy::{which::VaultRole, who::PodRecord};
use rstest::rstest;

use crate::world::{Options, World, until};

/// How far the clock is moved at once, in seconds.
const STEP: u64 = 15;

/// Every pod asks once in so many steps.
const ASKS: u64 = 4;

/// Lets `count` pods ask once a minute for `hours`, with tokens of 60 seconds and leases of 15 minutes.
async fn through(hours: u64, count: u64) {
    let world = World::new(Options::default()).await;
    {
        let mut state = world.fake.state();
        (state.token_ttl, state.count_only) = (60, true);
    }
    let role = VaultRole::new("readonly").unwrap();
    let mut pods: Vec<Arc<PodRecord>> = Vec::new();
    for _ in 0..count {
        pods.push(Arc::new(world.pod("reader", "readonly")));
    }
    let began = monotonic();
    let (mut served, mut most) = (0_u64, 0);
    for step in 0..hours * 3600 / STEP {
        let asked = world.clock.wall();
        let asking = pods.iter().zip(0..).filter(|(_, number)| number % ASKS == step % ASKS);
        let gets = asking.map(|(pod, _)| {
            let (vault, pod, role) = (world.vault().clone(), pod.clone(), role.clone());
            async move { vault.get(&pod, &role).await.expect("keys") }
        });
        let all = futures::future::join_all(gets).await;
        {
            let state = world.fake.state();
            for credentials in all {
                served += 1;
                // Not past its end, and not one that Vault had revoked with its token.
                assert!(asked < credentials.expiration);
                let number = credentials.access_key_id.trim_start_matches("ASIA");
                let lease = format!("aws/sts/readonly/{number}");
                let lived =
                    state.leases.contains_key(&lease) || state.ended.get(&lease).is_some_and(|end| asked < *end);
                assert!(lived, "step {step}: {lease} had ended");
            }
            most = most.max(state.leases.len());
        }
        world.clock.advance(Duration::from_secs(STEP));
        world.vault().tend();
        until("what is due is done", || world.vault().under_way() == 0).await;
    }
    let requests = world.fake.state().requests;
    #[expect(clippy::print_stdout, reason = "the numbers are what this is for")]
    {
        #[expect(clippy::cast_precision_loss, reason = "few enough")]
        let rate = requests as f64 / (hours * 3600) as f64;
        println!(
            "{count} pods, {hours} h: {served} answers, {requests} requests, {rate:.2} a second of the day, at most \
             {most} leases; took {:?}",
            since(began)
        );
    }
    // Renewals every 40 s, a lease and its login every 7 minutes; three leases of one pod never live at once.
    assert!(most <= usize::try_from(count * 3).unwrap());
    world.pods.replace(Vec::new());
    until("no token is left", || world.fake.tokens() == 0).await;
    assert!(world.fake.state().leases.is_empty());
    assert_eq!(world.vault().tokens(), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_served_past_its_end_through_some_hours_and_nothing_is_left_behind() {
    through(3, 10).await;
}

#[rstest]
#[case::an_hour(1)]
#[case::a_day(24)]
#[ignore = "takes minutes: the day of a thousand pods is more than two million requests"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_served_past_its_end_by_a_thousand_pods(#[case] hours: u64) {
    through(hours, 1000).await;
}
