//! A conversation with the real server, and the same one with ours.
//!
//! `tests/replay/conversation.json` holds requests, and for each the status and the *shape* of the real server's answer:
//! keys and types, and the words of errors; nothing else of it. Texts such as `${lease}` stand for what differs from run to
//! run. To record it anew, after requests were added or for another version:
//!
//! ```text
//! ROLECALL_VAULT_BINARY=/path/to/vault cargo test -p rolecall-vault --test vault -- --ignored record
//! ```

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::Stdio, sync::Arc};

use rolecall_vault::{Direct, Door, Forwarder};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, process::Command};

use crate::{
    surroundings::Surroundings,
    world::{ROOT, World, ask, try_ask, until},
};

type Variables = BTreeMap<String, String>;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/replay/conversation.json")
}

fn conversation() -> Vec<Value> {
    let text = std::fs::read_to_string(file()).expect("the conversation");
    serde_json::from_str(&text).expect("JSON")
}

async fn variables(around: &Surroundings) -> Variables {
    let pairs = [
        ("root", ROOT.to_owned()),
        ("aws", around.aws.to_string()),
        ("kubernetes", around.kubernetes.to_string()),
        ("ca", around.cluster.ca_pem().to_owned()),
        ("reviewer", around.reviewer()),
        ("access_key", around.key.0.clone()),
        ("secret_key", around.key.1.clone()),
        ("jwt", around.jwt("reader", "vault").await),
        ("other_jwt", around.jwt("reader", "other").await),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Puts the variables in.
fn filled(value: &Value, variables: &Variables) -> Value {
    match value {
        Value::String(text) => {
            let fill = |text: String, (name, value): (&String, &String)| text.replace(&format!("${{{name}}}"), value);
            Value::String(variables.iter().fold(text.clone(), fill))
        }
        Value::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (key.clone(), filled(item, variables)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Keys and types.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(key, item)| (key.clone(), shape(item))).collect();
            json!(sorted)
        }
    }
}

/// The shape of an answer, with the words of its errors. What AWS said in them differs from run to run at its end.
fn shape_of_answer(body: &Value) -> Value {
    let mut shown = shape(body);
    if let Some(errors) = body.get("errors").and_then(Value::as_array) {
        let masked = errors.iter().map(|error| {
            let text = error.as_str().unwrap_or_default();
            let text = text
                .split_once("request id: ")
                .map_or(text.to_owned(), |(before, _)| format!("{before}request id: …"));
            // Ids of leases.
            let words = text.split('/').map(|word| {
                if word.len() > 24 && !word.contains(' ') {
                    "…"
                } else {
                    word
                }
            });
            json!(words.collect::<Vec<_>>().join("/"))
        });
        shown["errors"] = masked.collect();
    }
    shown
}

/// Holds the conversation with a server, and gives each request with the status and the shape of its answer.
async fn hold(with: SocketAddr, mut variables: Variables) -> Vec<Value> {
    let mut held = Vec::new();
    for step in conversation() {
        let text = |name: &str| filled(&step[name], &variables).as_str().unwrap_or_default().to_owned();
        let (method, path, token) = (text("method"), text("path"), text("token"));
        let answer = ask(with, &method, &path, &token, filled(&step["body"], &variables)).await;
        let body = answer.json();
        for (name, pointer) in step["save"].as_object().into_iter().flatten() {
            let pointer = pointer.as_str().expect("a pointer");
            let value = body.pointer(pointer).and_then(Value::as_str);
            let value =
                value.unwrap_or_else(|| panic!("no {pointer} in the answer to {method} {path}: {}", answer.text));
            variables.insert(name.clone(), value.to_owned());
        }
        let mut told = step.clone();
        told["status"] = json!(answer.status);
        told["shape"] = if body.is_null() {
            Value::Null
        } else {
            shape_of_answer(&body)
        };
        held.push(told);
    }
    held
}

#[tokio::test]
async fn statuses_and_shapes_are_those_of_the_real_server() {
    let world = World::bare().await;
    let recorded = conversation();
    let held = hold(world.address, variables(&world.around).await).await;
    let mut different = Vec::new();
    for (number, (real, ours)) in recorded.iter().zip(&held).enumerate() {
        let of = |step: &Value| (step["status"].clone(), step["shape"].clone());
        if of(real) != of(ours) {
            different.push(format!(
                "step {number}, {} {} {}:\n  real {} {}\n  ours {} {}",
                real["method"],
                real["path"],
                real["body"],
                real["status"],
                real["shape"],
                ours["status"],
                ours["shape"]
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} differ:\n{}",
        different.len(),
        different.join("\n")
    );
    assert!(recorded.len() > 200 && recorded.iter().all(|step| step["status"].is_u64()));
}

#[tokio::test]
#[ignore = "records the conversation anew with a real server: needs ROLECALL_VAULT_BINARY"]
async fn record_the_conversation_with_a_real_server() {
    let binary = std::env::var("ROLECALL_VAULT_BINARY").expect("ROLECALL_VAULT_BINARY names a vault binary");
    let around = Surroundings::start().await;
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("an address")
        .port();
    let home = tempfile::tempdir().expect("a folder");
    let listen = format!("-dev-listen-address=127.0.0.1:{port}");
    let mut server = Command::new(binary)
        .args(["server", "-dev", "-dev-root-token-id=root", &listen])
        .env_clear()
        .env("HOME", home.path())
        // Nothing is asked of this machine's own network for credentials.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a server");
    let upstream = format!("http://127.0.0.1:{port}");
    let forwarder = Forwarder::new(&upstream, around.clock.clone(), Arc::new(Direct)).expect("an upstream");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (served, ended) = (forwarder.clone(), around.stop.clone());
    tokio::spawn(async move { served.serve(listener, Door::World, ended).await });
    until("the server is up", async || {
        let up = try_ask(address, "GET", "sys/health", "", "").await;
        up.is_ok_and(|answer| answer.status == 200)
            && try_ask(address, "GET", "sys/mounts/secret", ROOT, "")
                .await
                .is_ok_and(|a| a.status == 200)
    })
    .await;
    let mark = forwarder.journal_mark();
    let held = hold(address, variables(&around).await).await;
    assert_eq!(forwarder.journal_since(mark).len(), held.len());
    let lines: Vec<String> = held.iter().map(|step| format!("  {step}")).collect();
    std::fs::write(file(), format!("[\n{}\n]\n", lines.join(",\n"))).expect("written");
    server.kill().await.expect("ended");
}
