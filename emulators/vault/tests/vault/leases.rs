use rolecall_aws::Fault;
use serde_json::{Value, json};

use crate::world::{ROOT, World, until};

async fn new_lease(world: &World, path: &str, token: &str) -> String {
    let answer = world.read(path, token).await.expect(200);
    answer["lease_id"].as_str().expect("a lease").to_owned()
}

#[tokio::test]
async fn a_lease_is_looked_up_renewed_and_ended() {
    let world = World::start().await;
    let id = new_lease(&world, "aws/creds/readonly", ROOT).await;
    let lease = json!({"lease_id": id});
    let shown = world.put("sys/leases/lookup", lease.clone()).await.expect(200);
    assert_eq!(
        (&shown["data"]["id"], &shown["data"]["last_renewal"]),
        (&json!(id), &Value::Null)
    );
    assert!(shown["data"]["ttl"].as_i64() >= Some(118));
    let renewed = world
        .put("sys/leases/renew", json!({"lease_id": id, "increment": 60}))
        .await
        .expect(200);
    assert_eq!(
        (&renewed["lease_duration"], &renewed["data"]),
        (&json!(60), &Value::Null)
    );
    let cut = world
        .put("sys/leases/renew", json!({"lease_id": id, "increment": "10m"}))
        .await
        .expect(200);
    let warning = cut["warnings"][0].as_str().expect("a warning");
    assert!(
        warning.starts_with("TTL of \"10m\" exceeded the effective max_ttl of \""),
        "{warning}"
    );
    let listed = world
        .ask("LIST", "sys/leases/lookup/aws/creds/readonly/", ROOT, Value::Null)
        .await
        .expect(200);
    assert_eq!(
        listed["data"]["keys"],
        json!([id.trim_start_matches("aws/creds/readonly/")])
    );
    let since = world.around.mark();
    world.put("sys/leases/revoke", lease.clone()).await.expect(204);
    let calls = [
        "ListGroupsForUser",
        "ListUserPolicies",
        "ListAttachedUserPolicies",
        "ListAccessKeys",
        "DeleteAccessKey",
        "DetachUserPolicy",
        "DeleteUser",
    ];
    assert_eq!(world.around.asked(since), calls);
    world.put("sys/leases/revoke", lease.clone()).await.expect(204);
    world
        .put("sys/leases/lookup", lease.clone())
        .await
        .refused(400, "invalid lease");
    world
        .put("sys/leases/renew", lease)
        .await
        .refused(400, "lease not found");
    world
        .put("sys/leases/revoke", json!({}))
        .await
        .refused(400, "lease_id must be specified");
}

#[tokio::test]
async fn a_lease_ends_on_the_worlds_clock_and_its_user_with_it() {
    let world = World::start().await;
    new_lease(&world, "aws/creds/readonly", ROOT).await;
    world.advance(118).await;
    assert_eq!(world.around.vault_users().await.len(), 1);
    // Nobody tells the server that the clock has moved.
    world.around.clock.advance(std::time::Duration::from_secs(3));
    until("the user is deleted", async || {
        world.around.vault_users().await.is_empty()
    })
    .await;
    until("the lease is gone", async || world.vault.leases().is_empty()).await;
}

#[tokio::test]
async fn leases_end_with_their_token() {
    let world = World::start().await;
    let token = world.login().await;
    new_lease(&world, "aws/creds/readonly", &token).await;
    new_lease(&world, "aws/sts/assume", &token).await;
    let kept = new_lease(&world, "aws/creds/readonly", ROOT).await;
    world
        .ask("POST", "auth/token/revoke-self", &token, Value::Null)
        .await
        .expect(204);
    world.vault.settle().await;
    until("the user is deleted", async || {
        world.around.vault_users().await.len() == 1
    })
    .await;
    until("the leases are gone", async || world.vault.leases() == [kept.clone()]).await;
}

#[tokio::test]
async fn a_token_that_expires_ends_its_leases_too() {
    let world = World::start().await;
    let token = world.login().await;
    world
        .put("aws/config/lease", json!({"lease": "10h", "lease_max": "20h"}))
        .await
        .expect(204);
    new_lease(&world, "aws/creds/readonly", &token).await;
    world.advance(1201).await;
    until("the user is deleted", async || {
        world.around.vault_users().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn the_lease_of_sts_keys_is_not_renewed_and_asks_aws_for_nothing_at_its_end() {
    let world = World::start().await;
    let id = new_lease(&world, "aws/sts/assume", ROOT).await;
    world
        .put("sys/leases/renew", json!({"lease_id": id}))
        .await
        .refused(400, "lease is not renewable");
    let since = world.around.mark();
    world
        .put("sys/leases/revoke", json!({"lease_id": id}))
        .await
        .expect(204);
    assert_eq!(world.around.asked(since), Vec::<String>::new());
    assert!(world.vault.leases().is_empty());
}

#[tokio::test]
async fn a_lease_that_iam_will_not_end_stays_and_is_tried_again() {
    let world = World::start().await;
    let id = new_lease(&world, "aws/creds/readonly", ROOT).await;
    world
        .around
        .front
        .inject("iam", Fault::Error("AccessDenied".to_owned()), None);
    let refused = world.put("sys/leases/revoke", json!({"lease_id": id})).await;
    assert_eq!(refused.status, 400);
    let error = refused.errors();
    assert!(
        error.starts_with("failed to revoke entry: resp: (*logical.Response)(nil) err: AccessDenied: "),
        "{error}"
    );
    world.advance(121).await;
    world.around.front.heal("iam");
    assert_eq!(world.vault.leases(), [id]);
    // Ten seconds after the first failure.
    world.advance(11).await;
    until("the lease is gone", async || world.vault.leases().is_empty()).await;
    assert!(world.around.vault_users().await.is_empty());
}

#[tokio::test]
async fn all_leases_below_a_prefix_end_at_once_and_by_force_also_against_iam() {
    let world = World::start().await;
    for _ in 0..3 {
        new_lease(&world, "aws/creds/readonly", ROOT).await;
    }
    world
        .put("sys/leases/revoke-prefix/aws/creds/readonly", Value::Null)
        .await
        .expect(204);
    assert!(world.vault.leases().is_empty() && world.around.vault_users().await.is_empty());
    new_lease(&world, "aws/creds/readonly", ROOT).await;
    let later = world.put("sys/leases/revoke-prefix/aws", json!({"sync": false})).await;
    assert_eq!(later.status, 202);
    until("the lease is gone", async || world.vault.leases().is_empty()).await;
    new_lease(&world, "aws/creds/readonly", ROOT).await;
    world
        .around
        .front
        .inject("iam", Fault::Error("AccessDenied".to_owned()), None);
    world.put("sys/leases/revoke-force/aws", Value::Null).await.expect(204);
    world.around.front.heal("iam");
    assert!(world.vault.leases().is_empty());
    assert_eq!(world.around.vault_users().await.len(), 1);
}

#[tokio::test]
async fn unmounting_the_engine_ends_its_leases() {
    let world = World::start().await;
    new_lease(&world, "aws/creds/readonly", ROOT).await;
    world
        .ask("DELETE", "sys/mounts/aws", ROOT, Value::Null)
        .await
        .expect(204);
    assert!(world.vault.leases().is_empty() && world.around.vault_users().await.is_empty());
    assert_eq!(world.read("aws/creds/readonly", ROOT).await.status, 404);
}

#[tokio::test]
async fn many_tokens_and_leases_through_a_virtual_day_leave_nothing_behind() {
    let world = World::start().await;
    for _hour in 0..24 {
        for _ in 0..4 {
            let token = world.login().await;
            new_lease(&world, "aws/sts/assume?ttl=15m", &token).await;
            new_lease(&world, "aws/creds/readonly", &token).await;
        }
        world.advance(3600).await;
    }
    until("all leases are gone", async || world.vault.leases().is_empty()).await;
    assert!(world.around.vault_users().await.is_empty());
    assert_eq!(world.vault.tokens(), 1);
}

#[tokio::test]
#[ignore = "measures, and takes a while: run it by name with --release --nocapture"]
async fn a_thousand_pods_through_a_quarter_of_an_hour() {
    const PODS: usize = 1000;
    let world = World::start().await;
    let role = json!({"token_ttl": "60s", "token_max_ttl": "25h"});
    world.put("auth/kubernetes/role/reader", role).await.expect(204);
    let start = rolecall_clock::monotonic();
    let mark = world.vault.journal_mark();
    let mut tokens = Vec::new();
    for _ in 0..PODS {
        tokens.push(world.login().await);
    }
    let logins = rolecall_clock::since(start);
    println!("{PODS} logins (and JWTs) one after another: {logins:?}");
    let start = rolecall_clock::monotonic();
    let mut asked = 0_u32;
    // Every 50 s of a quarter of an hour each token is renewed; once in it, each pod has new keys.
    for round in 0..18 {
        for token in &tokens {
            if round == 0 {
                new_lease(&world, "aws/sts/assume?ttl=15m", token).await;
                asked += 1;
            }
            world
                .ask("POST", "auth/token/renew-self", token, json!({"increment": "60s"}))
                .await
                .expect(200);
            asked += 1;
        }
        world.advance(50).await;
    }
    let took = rolecall_clock::since(start);
    println!(
        "{asked} requests, a connection each, in {took:?}: {:.0} a second",
        f64::from(asked) / took.as_secs_f64()
    );
    println!("journal: {} entries", world.vault.journal_mark() - mark);
    world.advance(3600).await;
    until("all leases are gone", async || world.vault.leases().is_empty()).await;
    assert_eq!(world.vault.tokens(), 1);
}
