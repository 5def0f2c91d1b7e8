use rolecall_vault::{Door, ExposeSecret, Settings, Start, Vault};
use serde_json::{Value, json};

use crate::{
    surroundings::Surroundings,
    world::{ROOT, World, ask, serve},
};

#[tokio::test]
async fn a_sealed_server_answers_503_and_goes_on_after_unseal_where_it_was() {
    let world = World::start().await;
    let token = world.login().await;
    world
        .ask("PUT", "sys/seal", "", Value::Null)
        .await
        .refused(403, "permission denied");
    world.put("sys/seal", Value::Null).await.expect(204);
    let health = world.read("sys/health", "").await.expect(503);
    assert_eq!((&health["sealed"], &health["standby"]), (&json!(true), &json!(true)));
    assert!(health.get("cluster_name").is_none());
    world.read("sys/health?sealedcode=200", "").await.expect(200);
    world
        .read("aws/creds/readonly", &token)
        .await
        .refused(503, "Vault is sealed");
    let login = json!({"role": "reader", "jwt": "x"});
    world
        .ask("POST", "auth/kubernetes/login", "", login)
        .await
        .refused(503, "Vault is sealed");
    let status = world.read("sys/seal-status", "").await.expect(200);
    assert_eq!(
        (&status["sealed"], &status["t"], &status["n"]),
        (&json!(true), &json!(1), &json!(1))
    );
    let short = world.put("sys/unseal", json!({"key": "abcd"})).await;
    short.refused(400, "invalid key: key is shorter than minimum 16 bytes");
    assert_eq!(
        world.put("sys/unseal", json!({"key": "ab".repeat(32)})).await.status,
        400
    );
    let key = world.vault.unseal_key().expect("one key");
    let status = world
        .put("sys/unseal", json!({"key": key.expose_secret()}))
        .await
        .expect(200);
    assert_eq!(status["sealed"], false);
    world.read("auth/token/lookup-self", &token).await.expect(200);
    world.read("sys/health", "").await.expect(200);
}

#[tokio::test]
async fn what_ends_while_the_server_is_sealed_ends_at_unseal() {
    let world = World::start().await;
    let token = world.login().await;
    world.read("aws/creds/readonly", &token).await.expect(200);
    world.put("sys/seal", Value::Null).await.expect(204);
    world.advance(600).await;
    assert_eq!(world.around.vault_users().await.len(), 1);
    let key = world.vault.unseal_key().expect("one key");
    world
        .put("sys/unseal", json!({"key": key.expose_secret()}))
        .await
        .expect(200);
    world.vault.settle().await;
    assert_eq!(world.around.vault_users().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_new_server_is_initialised_and_unsealed_by_its_shares() {
    let around = Surroundings::start().await;
    let vault = Vault::new(Settings {
        start: Start::Uninitialised,
        ..Settings::dev(around.clock.clone(), ROOT)
    });
    let address = serve(&vault, Door::World, &around).await;
    let read = async |path: &str| ask(address, "GET", path, "", Value::Null).await;
    let put = async |path: &str, body: Value| ask(address, "PUT", path, "", body).await;
    let health = read("sys/health").await.expect(501);
    assert_eq!(
        (&health["initialized"], &health["sealed"]),
        (&json!(false), &json!(true))
    );
    read("sys/health?uninitcode=299").await.expect(299);
    read("sys/mounts").await.refused(503, "Vault is sealed");
    assert_eq!(
        put("sys/init", json!({"secret_shares": 3, "secret_threshold": 4}))
            .await
            .status,
        400
    );
    let made = put("sys/init", json!({"secret_shares": 3, "secret_threshold": 2}))
        .await
        .expect(200);
    let keys = made["keys"].as_array().expect("keys");
    assert_eq!((keys.len(), made["keys_base64"].as_array().map(Vec::len)), (3, Some(3)));
    let again = put("sys/init", json!({"secret_shares": 1, "secret_threshold": 1})).await;
    again.refused(400, "Vault is already initialized");
    let first = put("sys/unseal", json!({"key": keys[0]})).await.expect(200);
    assert_eq!((&first["sealed"], &first["progress"]), (&json!(true), &json!(1)));
    let second = put("sys/unseal", json!({"key": keys[2]})).await.expect(200);
    assert_eq!((&second["sealed"], &second["progress"]), (&json!(false), &json!(0)));
    let root = made["root_token"].as_str().expect("a token");
    ask(address, "GET", "sys/mounts", root, Value::Null).await.expect(200);
}
