//! Keys that are kept are served as fast whether they are Vault's or those of STS.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use rolecall_clock::{Clock, monotonic, since};
use rolecall_proxy::{
    credentials::{Cache, Credentials, Key},
    metrics::Metrics,
    provider::{Fetching, Provider},
    which::VaultRole,
};

use crate::world::{LONG, Options, World};

/// Answers that are timed at once, and how often.
const ROUND: u32 = 2_000;
const ROUNDS: usize = 11;

struct Sts(Clock);

impl Provider for Sts {
    fn fetch(&self, _: Key) -> Fetching {
        let now = self.0.wall();
        Box::pin(async move {
            Ok(Credentials {
                access_key_id: "ASIA".to_owned(),
                secret_access_key: "secret".to_owned(),
                session_token: "token".to_owned(),
                expiration: now + SignedDuration::from_hours(1),
                obtained: now,
            })
        })
    }
}

/// The quickest round: what else the machine does only makes one slower.
fn quickest(rounds: &[Duration]) -> Duration {
    rounds.iter().min().copied().unwrap_or_default() / ROUND
}

#[tokio::test]
async fn kept_keys_are_served_about_as_fast_as_those_of_sts() {
    let world = World::new(Options::default()).await;
    let cache = Cache::new(
        Arc::new(Sts(world.clock.clone())),
        world.clock.clone(),
        LONG,
        Metrics::new(),
    );
    let key = Key {
        role_arn: "arn:aws:iam::123456789012:role/readonly".to_owned(),
        external_id: None,
    };
    let (pod, role) = (
        Arc::new(world.pod("reader", "readonly")),
        VaultRole::new("readonly").unwrap(),
    );
    world.vault().get(&pod, &role).await.unwrap();
    cache.get(&key).await.unwrap();
    let (mut of_sts, mut of_vault) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = monotonic();
        for _ in 0..ROUND {
            cache.get(&key).await.unwrap();
        }
        of_sts.push(since(began));
        let began = monotonic();
        for _ in 0..ROUND {
            world.vault().get(&pod, &role).await.unwrap();
        }
        of_vault.push(since(began));
    }
    let (of_sts, of_vault) = (quickest(&of_sts), quickest(&of_vault));
    #[expect(clippy::print_stdout, reason = "the numbers are what this is for")]
    {
        println!("from the cache: {of_sts:?} for keys of STS, {of_vault:?} for keys of Vault");
    }
    // Both are lost in the time of a request; what must not be is a walk over all pods, or a call.
    assert!(of_vault < of_sts * 5, "{of_vault:?}, {of_sts:?}");
    assert_eq!(world.fake.asked("").len(), 3);
}
