use std::{net::SocketAddr, sync::Arc};

use http::StatusCode;
use rolecall_vault::{Direct, Door, ExposeSecret, Fault, Forwarder};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{ROOT, World, ask, try_ask, until};

async fn before(world: &World) -> (Forwarder, SocketAddr) {
    let upstream = format!("http://{}", world.address);
    let forwarder = Forwarder::new(&upstream, world.around.clock.clone(), Arc::new(Direct)).expect("an upstream");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (served, ended) = (forwarder.clone(), world.around.stop.clone());
    tokio::spawn(async move { served.serve(listener, Door::World, ended).await });
    (forwarder, address)
}

#[tokio::test]
async fn answers_pass_untouched_and_the_journal_is_that_of_the_server() {
    let world = World::start().await;
    let (forwarder, address) = before(&world).await;
    let mark = world.vault.journal_mark();
    let jwt = world.around.jwt("reader", "vault").await;
    let login = ask(
        address,
        "POST",
        "auth/kubernetes/login",
        "",
        json!({"role": "reader", "jwt": jwt}),
    )
    .await
    .expect(200);
    let token = login["auth"]["client_token"].as_str().expect("a token");
    ask(address, "GET", "aws/sts/assume?ttl=15m", token, Value::Null)
        .await
        .expect(200);
    ask(address, "LIST", "aws/roles", token, Value::Null)
        .await
        .refused(403, "1 error occurred:\n\t* permission denied\n\n");
    ask(address, "PUT", "sys/policies/acl/x", ROOT, json!({}))
        .await
        .refused(400, "'policy' parameter not supplied or empty");
    let through = ask(address, "GET", "sys/policies/acl/default", ROOT, Value::Null).await;
    let direct = world.read("sys/policies/acl/default", ROOT).await;
    assert_eq!(through.json()["data"], direct.json()["data"]);
    assert_eq!(
        through.headers["strict-transport-security"],
        direct.headers["strict-transport-security"]
    );
    let told = |entries: Vec<rolecall_vault::Entry>| -> Vec<_> {
        let told = entries
            .into_iter()
            .map(|e| (e.method, e.path, e.role, e.status, e.error));
        told.collect()
    };
    let mut of_server = world.vault.journal_since(mark);
    of_server.truncate(5);
    let of_forwarder = forwarder.journal_since(0);
    assert_eq!(of_forwarder[1].by.as_deref(), Some("kubernetes-jobs-reader"));
    assert_eq!(told(of_forwarder), told(of_server));
}

#[tokio::test]
async fn faults_are_met_at_the_forwarder() {
    let world = World::start().await;
    let (forwarder, address) = before(&world).await;
    let health = async || ask(address, "GET", "sys/health", "", Value::Null).await;
    forwarder.inject(Fault::Error(StatusCode::BAD_GATEWAY, "broken".to_owned()), Some(1));
    health().await.refused(502, "broken");
    forwarder.inject(Fault::Sealed, None);
    health().await.expect(503);
    ask(address, "GET", "aws/creds/x", ROOT, Value::Null)
        .await
        .refused(503, "Vault is sealed");
    forwarder.heal();
    forwarder.inject(Fault::Down, None);
    until("connections are cut", async || {
        try_ask(address, "GET", "sys/health", "", "").await.is_err()
    })
    .await;
    forwarder.heal();
    until("it is back", async || {
        try_ask(address, "GET", "sys/health", "", "").await.is_ok()
    })
    .await;
    health().await.expect(200);
}

#[tokio::test]
async fn the_server_itself_is_sealed_and_unsealed_through_its_api() {
    let world = World::start().await;
    let (forwarder, address) = before(&world).await;
    assert!(forwarder.seal("bad").await.is_err());
    forwarder.seal(ROOT).await.expect("sealed");
    ask(address, "GET", "sys/health", "", Value::Null).await.expect(503);
    assert_eq!(world.read("sys/health", "").await.status, 503);
    let key = world.vault.unseal_key().expect("one key");
    assert!(!forwarder.unseal(key.expose_secret()).await.expect("an answer"));
    ask(address, "GET", "sys/health", "", Value::Null).await.expect(200);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_502_that_says_so() {
    let world = World::bare().await;
    assert!(Forwarder::new("127.0.0.1:1", world.around.clock.clone(), Arc::new(Direct)).is_err());
    let forwarder =
        Forwarder::new("http://127.0.0.1:1", world.around.clock.clone(), Arc::new(Direct)).expect("an upstream");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = world.around.stop.clone();
    tokio::spawn(async move { forwarder.serve(listener, Door::World, stop).await });
    let error = "the recording forwarder: dial tcp 127.0.0.1:1: connect: connection refused";
    ask(address, "GET", "sys/health", "", Value::Null)
        .await
        .refused(502, error);
}
