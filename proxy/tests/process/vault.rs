//! Vault's keys by way of the API server's own tokens, and what is left when the proxy ends.

use rolecall_clock::Clock;
use rolecall_kubernetes::User;
use serde_json::json;

use crate::{
    fake::{Fake, Fault},
    world::World,
};

const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/readonly";

async fn start(user: User, net: u8, flags: &[&str]) -> (World, Fake) {
    let (fake, address, _) = Fake::start(&Clock::new()).await;
    let vault = format!("--vault-addr=http://{address}");
    let world = World::starting_as(user, net, &[&[vault.as_str()], flags].concat()).await;
    world.until_ready().await;
    (world, fake)
}

fn readonly() -> serde_json::Value {
    json!({ "iam.amazonaws.com/vault-role": "readonly" })
}

#[tokio::test]
async fn tokens_are_revoked_when_their_pods_are_gone_and_when_the_proxy_stops() {
    let (mut world, fake) = start(User::VaultProxy, 41, &["--log-level=trace"]).await;
    let (first, second) = (
        world.pod("first", readonly()).await,
        world.pod("second", readonly()).await,
    );
    for address in [&first, &second] {
        let answer = world.get(address, CREDENTIALS).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(fake.tokens(), 2);
    let metrics = world.admin("GET", "/metrics").await.body;
    assert!(
        metrics.lines().any(|line| line == "rolecall_vault_tokens 2"),
        "{metrics}"
    );
    world.delete_pod("first").await;
    world
        .until("the first token is revoked", async |_| fake.tokens() == 1)
        .await;
    let (status, log) = world.terminate().await;
    assert!(status.success());
    assert_eq!(fake.tokens(), 0);
    assert!(log.contains("Vault tokens revoked"), "{log}");
    for secret in ["lease-secret", "lease-token", "hvs.secret", "eyJ"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn a_vault_that_does_not_answer_keeps_no_proxy_from_ending() {
    let (mut world, fake) = start(User::VaultProxy, 42, &[]).await;
    let address = world.pod("app", readonly()).await;
    assert_eq!(world.get(&address, CREDENTIALS).await.status, 200);
    fake.fault("revoke-self", Fault::Held);
    let (status, log) = world.terminate().await;
    assert!(
        status.success() && log.contains("not all Vault tokens could be revoked"),
        "{log}"
    );
}

#[tokio::test]
async fn a_proxy_that_may_not_create_tokens_says_what_to_grant() {
    let (mut world, fake) = start(User::Proxy, 43, &[]).await;
    let address = world.pod("app", readonly()).await;
    assert_eq!(world.get(&address, CREDENTIALS).await.status, 500);
    assert!(fake.asked("login").is_empty());
    let (_, log) = world.terminate().await;
    assert!(
        log.contains("default/app") && log.contains("grant `create` on `serviceaccounts/token`"),
        "{log}"
    );
}
