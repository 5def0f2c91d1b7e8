use serde_json::{Value, json};

use crate::world::{ROOT, World};

#[tokio::test]
async fn a_token_lives_as_long_as_it_is_renewed_up_to_its_maximum() {
    let world = World::start().await;
    let token = world.login().await;
    let ttl = async || world.read("auth/token/lookup-self", &token).await.expect(200)["data"]["ttl"].as_i64();
    assert!(ttl().await >= Some(1199), "{:?}", ttl().await);
    world.advance(1100).await;
    let renewed = world
        .ask("POST", "auth/token/renew-self", &token, json!({"increment": "10m"}))
        .await
        .expect(200);
    assert_eq!(renewed["auth"]["lease_duration"], 600);
    assert_eq!(renewed["auth"]["client_token"], token);
    let cut = world
        .ask("POST", "auth/token/renew-self", &token, json!({"increment": "10h"}))
        .await
        .expect(200);
    let warning = cut["warnings"][0].as_str().expect("a warning");
    assert!(
        warning.starts_with("TTL of \"10h\" exceeded the effective max_ttl of \""),
        "{warning}"
    );
    assert!(cut["auth"]["lease_duration"].as_i64() <= Some(2500));
    world.advance(2600).await;
    let over = world.read("auth/token/lookup-self", &token).await;
    over.refused(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
    // Not only refused: it is gone.
    assert_eq!(world.vault.tokens(), 1);
}

#[tokio::test]
async fn expiry_is_decided_when_it_is_asked_for() {
    let world = World::start().await;
    let token = world.login().await;
    world.around.clock.advance(std::time::Duration::from_secs(1201));
    assert_eq!(world.read("auth/token/lookup-self", &token).await.status, 403);
}

#[tokio::test]
async fn children_end_with_their_parent_and_orphans_do_not() {
    let world = World::start().await;
    let new = async |token: &str, path: &str, body: Value| {
        let answer = world.ask("POST", path, token, body).await.expect(200);
        answer["auth"]["client_token"].as_str().expect("a token").to_owned()
    };
    let policy = r#"path "auth/token/*" { capabilities = ["create", "update", "sudo"] }"#;
    world
        .put("sys/policies/acl/maker", json!({"policy": policy}))
        .await
        .expect(204);
    let parent = new(ROOT, "auth/token/create", json!({"policies": ["maker"], "ttl": "1h"})).await;
    let child = new(&parent, "auth/token/create", json!({"ttl": "1h"})).await;
    let orphan = new(&parent, "auth/token/create-orphan", json!({"ttl": "1h"})).await;
    let shown = world.read("auth/token/lookup-self", &orphan).await.expect(200);
    assert_eq!(shown["data"]["orphan"], true);
    world
        .ask("POST", "auth/token/revoke-self", &parent, Value::Null)
        .await
        .expect(204);
    assert_eq!(world.read("auth/token/lookup-self", &child).await.status, 403);
    assert_eq!(world.read("auth/token/lookup-self", &orphan).await.status, 200);
}

#[tokio::test]
async fn a_token_for_two_uses_is_gone_after_the_second() {
    let world = World::start().await;
    let body = json!({"policies": ["default"], "num_uses": 2});
    let made = world.ask("POST", "auth/token/create", ROOT, body).await.expect(200);
    let token = made["auth"]["client_token"].as_str().expect("a token");
    for _ in 0..2 {
        world.read("auth/token/lookup-self", token).await.expect(200);
    }
    assert_eq!(world.read("auth/token/lookup-self", token).await.status, 403);
}

#[tokio::test]
async fn others_are_looked_up_renewed_and_ended_by_token_and_by_accessor() {
    let world = World::start().await;
    let body = json!({"policies": ["default"], "ttl": "1h", "display_name": "joe doe", "meta": {"a": "b"}});
    let made = world.ask("POST", "auth/token/create", ROOT, body).await.expect(200);
    let auth = &made["auth"];
    let by_token = world
        .put("auth/token/lookup", json!({"token": auth["client_token"]}))
        .await
        .expect(200);
    assert_eq!(by_token["data"]["display_name"], "token-joe-doe");
    assert_eq!(by_token["data"]["meta"], json!({"a": "b"}));
    let accessor = json!({"accessor": auth["accessor"]});
    let by_accessor = world
        .put("auth/token/lookup-accessor", accessor.clone())
        .await
        .expect(200);
    assert_eq!(by_accessor["data"]["id"], "");
    world
        .put(
            "auth/token/renew",
            json!({"token": auth["client_token"], "increment": 60}),
        )
        .await
        .expect(200);
    world
        .put("auth/token/revoke-accessor", accessor.clone())
        .await
        .expect(204);
    let gone = world.put("auth/token/revoke-accessor", accessor).await.expect(200);
    assert_eq!(gone["warnings"], json!(["No token found with this accessor"]));
    world
        .put("auth/token/lookup", json!({"token": auth["client_token"]}))
        .await
        .refused(403, "bad token");
    world
        .put("auth/token/renew", json!({"token": "nope"}))
        .await
        .refused(400, "token not found");
    world
        .put("auth/token/renew-self", json!({}))
        .await
        .refused(400, "lease is not renewable");
}

#[tokio::test]
async fn a_token_cannot_give_what_it_does_not_have() {
    let world = World::start().await;
    let policy = r#"path "auth/token/create" { capabilities = ["update"] }"#;
    world
        .put("sys/policies/acl/maker", json!({"policy": policy}))
        .await
        .expect(204);
    let made = world
        .put("auth/token/create", json!({"policies": ["maker"]}))
        .await
        .expect(200);
    let token = made["auth"]["client_token"].as_str().expect("a token");
    let more = world
        .ask("POST", "auth/token/create", token, json!({"policies": ["reader"]}))
        .await;
    more.refused(400, "child policies must be subset of parent");
    let root = world
        .ask("POST", "auth/token/create", token, json!({"policies": ["root"]}))
        .await;
    root.refused(400, "root tokens may not be created without parent token being root");
}

#[tokio::test]
async fn secrets_are_told_to_whoever_hides_them_and_never_shown() {
    use rolecall_vault::ExposeSecret;
    let world = World::start().await;
    let token = world.login().await;
    let keys = world.read("aws/creds/readonly", &token).await.expect(200);
    let secrets: Vec<String> = world
        .vault
        .secrets()
        .iter()
        .map(|secret| secret.expose_secret().to_owned())
        .collect();
    let held = [
        json!(token),
        json!(ROOT),
        keys["data"]["secret_key"].clone(),
        json!(world.around.key.1),
        json!(world.around.reviewer()),
    ];
    for secret in held {
        assert!(secrets.iter().any(|known| json!(known) == secret));
    }
    let shown = format!(
        "{:?} {:?} {:?}",
        world.vault,
        world.vault.secrets(),
        world.vault.journal_since(0)
    );
    assert!(
        !secrets
            .iter()
            .filter(|secret| secret.len() > 8)
            .any(|secret| shown.contains(secret.as_str()))
    );
}
