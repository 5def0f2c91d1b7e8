//! Where Vault is: behind TLS, at a standby, or nowhere.

use std::time::Duration;

use rolecall_accept::Transport;
use rolecall_certificates::Certificates;
use rolecall_clock::Clock;
use tokio::net::TcpListener;

use crate::{
    fake::{Fake, Fault},
    log,
    world::{Options, World},
};

#[tokio::test]
async fn a_standby_that_knows_its_leader_is_followed_there() {
    let (standby, standby_at, stop) = Fake::start(&Clock::stopped()).await;
    let world = World::new(Options {
        address: Some(format!("http://{standby_at}")),
        ..Options::default()
    })
    .await;
    // The leader is the Vault that shares the API server's address.
    let leader = world.leader();
    standby.fault("", Fault::Led(leader));
    world.key(&world.pod("reader", "readonly")).await;
    assert_eq!(standby.asked("-> 307").len(), 2);
    assert_eq!(world.fake.asked("-> 200").len(), 2);
    stop.cancel();
}

#[tokio::test]
async fn two_standbys_that_lead_to_each_other_are_not_followed_for_ever() {
    let world = World::new(Options::default()).await;
    world.fake.fault("login", Fault::Led(world.leader()));
    let pod = world.pod("reader", "readonly");
    assert_eq!(world.keys(&pod).await.status, 503);
    assert_eq!(world.fake.asked("login").len(), 2);
    assert!(
        log::of(&pod.name)
            .iter()
            .any(|line| line.contains("leads elsewhere again"))
    );
}

#[tokio::test]
async fn a_vault_that_is_down_refuses_at_once_and_serves_when_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let world = World::new(Options {
        address: Some(format!("http://{address}")),
        ..Options::default()
    })
    .await;
    let pod = world.pod("reader", "readonly");
    let answer = world.keys(&pod).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let lines = log::of(&pod.name);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("onnection refused") && line.contains("auth/kubernetes/login")),
        "{lines:?}"
    );
    let (_, stop) = world
        .fake
        .serve(TcpListener::bind(address).await.unwrap(), Transport::Plain);
    world.clock.advance(Duration::from_secs(1));
    world.key(&pod).await;
    stop.cancel();
}

#[tokio::test]
async fn vaults_certificate_is_verified_with_the_authority_that_is_given() {
    let files = tempfile::TempDir::new().unwrap();
    let names = ["127.0.0.1".to_owned()];
    let ours = Certificates::issue("ours", "vault", &names).unwrap();
    let other = Certificates::issue("other", "vault", &names).unwrap();
    for (authority, status) in [(&ours, 200), (&other, 503)] {
        let ca = files.path().join(status.to_string());
        std::fs::write(&ca, &authority.ca_pem).unwrap();
        let fake = Fake::new(&Clock::stopped());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = fake.serve(listener, Transport::Tls(ours.server.clone()));
        let world = World::new(Options {
            address: Some(format!("https://{address}")),
            ca_cert: Some(ca),
            ..Options::default()
        })
        .await;
        let pod = world.pod("reader", "readonly");
        assert_eq!(world.keys(&pod).await.status, status);
        if status != 200 {
            let lines = log::of(&pod.name);
            assert!(lines.iter().any(|line| line.contains("certificate")), "{lines:?}");
        }
        stop.cancel();
    }
}

#[tokio::test]
async fn a_server_with_a_certificate_never_leads_to_one_without() {
    let files = tempfile::TempDir::new().unwrap();
    let ours = Certificates::issue("ours", "vault", &["127.0.0.1".to_owned()]).unwrap();
    let ca = files.path().join("ca");
    std::fs::write(&ca, &ours.ca_pem).unwrap();
    let secure = Fake::new(&Clock::stopped());
    let (address, stop) = secure.serve(
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        Transport::Tls(ours.server),
    );
    let world = World::new(Options {
        address: Some(format!("https://{address}")),
        ca_cert: Some(ca),
        ..Options::default()
    })
    .await;
    secure.fault("", Fault::Led(world.leader()));
    assert_eq!(world.keys(&world.pod("reader", "readonly")).await.status, 503);
    assert!(world.fake.asked("login").is_empty());
    stop.cancel();
}
