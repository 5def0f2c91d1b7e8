use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use http::StatusCode;
use rolecall_vault::{Dial, Door, Fault, Settings, Vault};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::world::{ROOT, World, ask, serve, try_ask, until};

#[tokio::test]
async fn an_error_is_met_as_often_as_it_was_injected_and_by_the_world_alone() {
    let world = World::start().await;
    let operator = serve(&world.vault, Door::Operator, &world.around).await;
    world.vault.inject(
        Fault::Error(StatusCode::INTERNAL_SERVER_ERROR, "boom".to_owned()),
        Some(1),
    );
    ask(operator, "GET", "sys/mounts", ROOT, Value::Null).await.expect(200);
    world.read("sys/mounts", ROOT).await.refused(500, "boom");
    world.read("sys/mounts", ROOT).await.expect(200);
    let healed = world.vault.heal();
    assert_eq!((healed.len(), healed[0].met, healed[0].left), (1, 1, Some(0)));
}

#[tokio::test]
async fn a_server_that_is_down_cuts_connections_and_is_back_when_healed() {
    let world = World::start().await;
    let operator = serve(&world.vault, Door::Operator, &world.around).await;
    world.vault.inject(Fault::Down, None);
    until("connections are cut", async || {
        try_ask(world.address, "GET", "sys/health", "", "").await.is_err()
    })
    .await;
    ask(operator, "GET", "sys/health", "", Value::Null).await.expect(200);
    assert!(world.vault.heal()[0].met > 0);
    until("it is back", async || {
        try_ask(world.address, "GET", "sys/health", "", "").await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn sealed_and_standby_servers_answer_as_such() {
    let world = World::start().await;
    world.vault.inject(Fault::Sealed, None);
    assert_eq!(world.read("sys/health", "").await.expect(503)["sealed"], true);
    world.read("aws/sts/assume", ROOT).await.refused(503, "Vault is sealed");
    let operator = serve(&world.vault, Door::Operator, &world.around).await;
    ask(operator, "GET", "sys/mounts", ROOT, Value::Null).await.expect(200);
    world.vault.heal();
    world.read("aws/sts/assume", ROOT).await.expect(200);
    let leader = "http://172.20.0.9:8200".to_owned();
    world.vault.inject(Fault::Standby { leader }, None);
    let health = world.read("sys/health", "").await.expect(429);
    assert_eq!((&health["sealed"], &health["standby"]), (&json!(false), &json!(true)));
    world.read("sys/health?standbyok=true", "").await.expect(200);
    let moved = world.read("aws/sts/assume?ttl=15m", ROOT).await;
    assert_eq!((moved.status, moved.text.as_str()), (307, ""));
    assert_eq!(
        moved.headers["location"],
        "http://172.20.0.9:8200/v1/aws/sts/assume?ttl=15m"
    );
}

#[tokio::test]
async fn an_answer_is_late_by_the_delay() {
    let world = World::start().await;
    world.vault.inject(Fault::Delay(Duration::from_millis(150)), Some(1));
    let start = rolecall_clock::monotonic();
    world.read("sys/health", "").await.expect(200);
    assert!(rolecall_clock::since(start) >= Duration::from_millis(150));
}

#[tokio::test]
async fn the_journal_says_who_asked_for_what_and_never_tells_a_token() {
    let world = World::start().await;
    let mark = world.vault.journal_mark();
    let token = world.login().await;
    world
        .ask("POST", "aws/sts/assume?x=y", &token, json!({"ttl": "15m"}))
        .await
        .expect(200);
    world.read("aws/roles/x", &token).await;
    world.read("sys/health", "").await;
    let entries = world.vault.journal_since(mark);
    let seen: Vec<_> = entries
        .iter()
        .map(|e| {
            (
                e.method.as_str(),
                e.path.as_str(),
                e.role.as_deref(),
                e.by.as_deref(),
                e.status,
            )
        })
        .collect();
    let by = Some("kubernetes-jobs-reader");
    assert_eq!(
        seen,
        [
            ("POST", "auth/kubernetes/login", Some("reader"), None, 200),
            ("POST", "aws/sts/assume", Some("assume"), by, 200),
            ("GET", "aws/roles/x", None, by, 403),
            ("GET", "sys/health", None, None, 200),
        ]
    );
    assert!(
        entries
            .iter()
            .all(|entry| entry.from.ip().is_loopback() && entry.door == Door::World)
    );
    assert!(!format!("{entries:?}").contains(&token));
    assert_eq!(world.vault.journal_since(entries[3].number), entries[3..]);
}

/// Leads all names to one address.
struct Fixed(std::net::SocketAddr, std::sync::Mutex<Vec<String>>);

impl Dial for Fixed {
    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, std::io::Result<TcpStream>> {
        self.1.lock().expect("no panic").push(authority.to_owned());
        Box::pin(TcpStream::connect(self.0))
    }
}

#[tokio::test]
async fn every_connection_of_the_servers_own_goes_through_the_dialer() {
    let world = World::bare().await;
    let dial = Arc::new(Fixed(world.around.aws, std::sync::Mutex::default()));
    let vault = Vault::new(Settings {
        dial: dial.clone(),
        ..Settings::dev(world.around.clock.clone(), ROOT)
    });
    let address = serve(&vault, Door::World, &world.around).await;
    ask(address, "PUT", "sys/mounts/aws", ROOT, json!({"type": "aws"}))
        .await
        .expect(204);
    let mut config = world.config();
    config["iam_endpoint"] = json!("http://iam.world:4566");
    ask(address, "PUT", "aws/config/root", ROOT, config).await.expect(204);
    let role = json!({"credential_type": "iam_user", "policy_arns": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    ask(address, "PUT", "aws/roles/r", ROOT, role).await.expect(204);
    ask(address, "GET", "aws/creds/r", ROOT, Value::Null).await;
    assert_eq!(
        dial.1.lock().expect("no panic").first().map(String::as_str),
        Some("iam.world:4566")
    );
    assert_eq!(world.around.vault_users().await.len(), 1);
}
