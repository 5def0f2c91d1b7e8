//! Vault behind the services: asked through the forwarder over real sockets, steered by the client.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rolecall_accept::CancellationToken;
use rolecall_aws::Enforcement;
use rolecall_clock::Clock;
use rolecall_vault::{Door, Settings, Vault};
use rstest::rstest;
use tokio::sync::mpsc;

use super::*;
use crate::serve::{
    listen::Listening,
    root_key::root_key,
    services::{FrontSettings, Services, Sockets},
};

const TOKEN: &str = "0123456789abcdef";
const ROOT_TOKEN: &str = "a-root-token";

/// A Vault that is emulated stands for the real one: what is tried here is what stands before it.
struct Served {
    world: SocketAddr,
    operator: SocketAddr,
    client: ControlClient,
    stop: CancellationToken,
    _services: Arc<Services>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Served {
    async fn new(with_vault: bool) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let stop = CancellationToken::new();
        let behind = Listening::on(any, "--listen").await.expect("a port");
        let upstream = format!("http://{}", behind.address());
        let vault = Vault::new(Settings::dev(Clock::new(), ROOT_TOKEN));
        let (listener, stopped) = (behind.listener().expect("a listener"), stop.clone());
        tokio::spawn(async move { vault.serve(listener, Door::World, stopped).await });
        let world = Listening::on(any, "--vault-listen").await.expect("a port");
        let operator = Listening::on(any, "--vault-operator").await.expect("a port");
        let control = Listening::on(any, "--control").await.expect("a port");
        let (at_world, at_operator, steer) = (world.address(), operator.address(), control.address());
        let settings = FrontSettings {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            root: root_key("AKIAROLECALLROOT0000:a-secret-of-the-root-user").expect("a key"),
            accounts: Vec::new(),
            enforcement: Enforcement::On,
            upstream: None,
            vault: with_vault.then_some(upstream),
        };
        let sockets = Sockets {
            front: Vec::new(),
            imds: None,
            vault: vec![(world, Door::World), (operator, Door::Operator)],
            kubernetes: None,
        };
        let (ended, _) = mpsc::unbounded_channel();
        let services = Services::start(sockets, settings, Vec::new(), ended).expect("services");
        let server = ControlServer::new(services.clone(), TOKEN.to_owned().into());
        let (listener, stopped) = (control.listener().expect("a listener"), stop.clone());
        tokio::spawn(server.serve(listener, stopped));
        Self {
            world: at_world,
            operator: at_operator,
            client: ControlClient::new(&format!("http://{steer}"), TOKEN.to_owned().into()).expect("a URL"),
            stop,
            _services: services,
        }
    }

    /// The status of an answer; none if the connection was cut.
    async fn ask(&self, at: SocketAddr, path: &str) -> Option<StatusCode> {
        let http: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::get(format!("http://{at}/v1/{path}"))
            .header("x-vault-token", ROOT_TOKEN)
            .body(Full::default())
            .expect("a request");
        let answer = http.request(request).await.ok()?;
        let status = answer.status();
        answer.into_body().collect().await.ok()?;
        Some(status)
    }

    async fn paths(&self) -> Vec<(String, u16)> {
        let entries = self.client.vault_journal(0).await.expect("a journal");
        entries.into_iter().map(|entry| (entry.path, entry.status)).collect()
    }
}

#[tokio::test]
async fn the_journal_of_vault_has_what_the_world_asked_and_not_what_the_operator_did() {
    let served = Served::new(true).await;
    assert_eq!(served.ask(served.operator, "sys/mounts").await, Some(StatusCode::OK));
    assert_eq!(
        served.ask(served.world, "sys/policies/acl/default").await,
        Some(StatusCode::OK)
    );
    assert_eq!(
        served.ask(served.world, "aws/creds/readonly").await,
        Some(StatusCode::NOT_FOUND)
    );
    let asked = [("sys/policies/acl/default", 200), ("aws/creds/readonly", 404)];
    assert_eq!(
        served.paths().await,
        asked.map(|(path, status)| (path.to_owned(), status))
    );
    let entries = served.client.vault_journal(0).await.expect("a journal");
    let last = entries.last().expect("an entry");
    assert_eq!(
        (last.role.as_deref(), last.from.ip()),
        (Some("readonly"), served.world.ip())
    );
    let rest = served.client.vault_journal(last.number + 1).await.expect("a journal");
    assert_eq!(rest, []);
}

#[rstest]
#[case::sealed(Fault::Sealed { times: None }, Some(StatusCode::SERVICE_UNAVAILABLE))]
#[case::a_status(Fault::Status { status: 418, times: None }, Some(StatusCode::IM_A_TEAPOT))]
#[case::down(Fault::Down { times: None }, None)]
#[tokio::test]
async fn a_fault_of_vault_meets_the_world_alone_until_it_is_healed(
    #[case] fault: Fault,
    #[case] met: Option<StatusCode>,
) {
    let served = Served::new(true).await;
    served.client.inject("vault", &fault).await.expect("a fault");
    assert_eq!(served.ask(served.world, "sys/mounts").await, met);
    assert_eq!(served.ask(served.operator, "sys/mounts").await, Some(StatusCode::OK));
    let healed = served.client.heal("vault").await.expect("an end").expect("a fault");
    assert_eq!((healed.met >= Some(1), healed.left), (true, None), "{healed:?}");
    assert_eq!(served.ask(served.world, "sys/mounts").await, Some(StatusCode::OK));
    assert_eq!(served.client.heal("vault").await.expect("an answer"), None);
}

#[tokio::test]
async fn a_reset_forgets_the_journal_and_the_faults_of_vault_and_the_ports_stay() {
    let served = Served::new(true).await;
    assert_eq!(served.ask(served.world, "sys/mounts").await, Some(StatusCode::OK));
    let sealed = Fault::Sealed { times: None };
    served.client.inject("vault", &sealed).await.expect("a fault");
    served.client.reset(&Reset::default()).await.expect("a reset");
    assert_eq!(served.paths().await, []);
    assert_eq!(served.ask(served.world, "sys/mounts").await, Some(StatusCode::OK));
}

#[tokio::test]
async fn without_vault_its_journal_and_its_faults_are_refused_with_what_to_do() {
    let served = Served::new(false).await;
    let errors = [
        served.client.vault_journal(0).await.expect_err("there is none"),
        served
            .client
            .inject("vault", &Fault::Down { times: None })
            .await
            .expect_err("there is none"),
    ];
    for error in errors {
        assert!(error.to_string().contains("--vault-upstream"), "{error}");
    }
}

#[rstest]
#[case::codes_are_of_aws("vault", Fault::Error { code: "Throttling".to_owned(), times: None }, "give a `status`")]
#[case::aws_has_no_seal("sts", Fault::Sealed { times: None }, "only vault can be sealed")]
#[case::nor_has_the_metadata_service("imds", Fault::Sealed { times: None }, "only vault can be sealed")]
#[tokio::test]
async fn a_fault_that_a_service_cannot_have_is_refused(
    #[case] service: &str,
    #[case] fault: Fault,
    #[case] told: &str,
) {
    let served = Served::new(true).await;
    let error = served
        .client
        .inject(service, &fault)
        .await
        .expect_err("it cannot have it");
    assert!(error.to_string().contains(told), "{error}");
}
