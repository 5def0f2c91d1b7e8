use std::time::Duration;

use http::StatusCode;
use rolecall_imds::Fault;

use crate::world::{POD, STRANGER, World};

#[tokio::test]
async fn requests_are_written_down_as_they_were_sent() {
    let world = World::start().await;
    let odd = "//latest/%6Deta-data/./instance-id;x?y=%2F";
    world
        .ask_from(POD, &format!("GET {odd}"), &[("X-Forwarded-For", "10.0.0.1")])
        .await;
    world.clock.advance(Duration::from_secs(900));
    world.ask_from(STRANGER, "POST http://example.com/latest/", &[]).await;
    let requests = world.imds.requests();
    let [first, second] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!((first.method.as_str(), first.target.as_str()), ("GET", odd));
    assert_eq!(
        (second.method.as_str(), second.target.as_str()),
        ("POST", "http://example.com/latest/")
    );
    assert_eq!((first.node.as_deref(), second.node.as_deref()), (Some("node-1"), None));
    assert_eq!((first.from.ip(), second.from.ip()), (POD.into(), STRANGER.into()));
    assert_eq!((first.status, second.status), (Some(200), Some(404)));
    assert_eq!(first.header("x-forwarded-for"), Some("10.0.0.1"));
    assert!(second.at.duration_since(first.at).as_secs() >= 900);
}

#[tokio::test]
async fn a_token_is_not_in_debug_output() {
    let world = World::start().await;
    let token = world.token("60").await;
    world
        .ask("GET /latest/user-data", &[("X-aws-ec2-metadata-token", &token)])
        .await;
    let requests = world.imds.requests();
    assert_eq!(requests[1].header("x-aws-ec2-metadata-token"), Some(token.as_str()));
    assert!(!format!("{requests:?}").contains(&token));
    let debug = format!("{:?}", crate::world::instance("n", POD));
    assert!(!debug.contains("secret"), "{debug}");
}

#[tokio::test]
async fn an_injected_error_is_answered_as_often_as_was_said() {
    let world = World::start().await;
    world
        .imds
        .inject(Fault::Error(StatusCode::SERVICE_UNAVAILABLE), Some(2));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.get("/latest/user-data").await.status);
    }
    assert_eq!(statuses, [503, 503, 200]);
    world.imds.inject(Fault::Delay(Duration::from_secs(3600)), None);
    let late = world
        .ask_within(POD, "GET /latest/user-data", &[], Duration::from_millis(200))
        .await;
    assert!(late.is_none());
    assert_eq!(world.imds.requests().last().unwrap().status, None);
    let healed: Vec<_> = world
        .imds
        .heal()
        .iter()
        .map(|record| (record.met, record.left))
        .collect();
    assert_eq!(healed, [(2, Some(0)), (1, None)]);
    assert_eq!(world.get("/latest/user-data").await.status, 200);
}

#[tokio::test]
async fn a_service_that_is_down_closes_the_connection_and_records_no_answer() {
    let world = World::start().await;
    world.imds.inject(Fault::Down, Some(1));
    let asked = world
        .ask_within(POD, "GET /latest/user-data", &[], Duration::from_secs(5))
        .await;
    assert!(asked.is_none());
    assert_eq!(world.imds.requests().last().unwrap().status, None);
    assert_eq!(world.get("/latest/user-data").await.status, 200);
}
