//! A client that speaks IMDSv2 only and takes the listing's body as it is: the Rust SDK's own.

use aws_config::{imds, provider_config::ProviderConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use rstest::rstest;

use crate::world::{LISTING, Options, World, pod};

/// The SDK does not let its source address be chosen, so this pod has the address that it connects from.
const POD: &str = "127.0.0.1";

fn client(world: &World) -> imds::Client {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = ProviderConfig::without_region()
        .with_http_client(http)
        .with_sleep_impl(TokioSleep::new());
    imds::Client::builder()
        .configure(&config)
        .endpoint(format!("http://{}", world.address))
        .expect("an endpoint")
        .build()
}

#[rstest]
#[case(false)]
#[case(true)]
#[tokio::test]
async fn the_rust_sdk_gets_the_pods_keys(#[case] require_token: bool) {
    let world = World::new(Options {
        require_token,
        ..Options::default()
    })
    .await;
    world.pods.apply(pod(POD, Some("MyPodRole")));
    let client = client(&world);
    let role: String = client.get(LISTING).await.expect("the listing").into();
    assert_eq!(role, "MyPodRole");
    let document: String = client
        .get(format!("{LISTING}{role}"))
        .await
        .expect("the document")
        .into();
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["Code"], "Success");
    assert_eq!(document["AccessKeyId"], "ASIA1");
}
