//! Who gets nothing, and that AWS is never asked for them.

use rolecall_proxy::provider::ProviderError;
use rstest::rstest;

use crate::world::{CREDENTIALS, LISTING, Options, POD, World, pod};

const STRANGER: &str = "127.0.0.99";

#[rstest]
#[case::by_name(Some(r#"["MyPodRole"]"#), 200)]
#[case::by_arn(Some(r#"["arn:aws:iam::123456789012:role/MyPodRole"]"#), 200)]
#[case::absent(None, 403)]
#[case::empty(Some(""), 403)]
#[case::malformed(Some("[MyPodRole]"), 403)]
#[case::mixed(Some(r#"["MyPodRole",1]"#), 403)]
#[case::empty_entry(Some(r#"[""]"#), 403)]
#[case::other(Some(r#"["Other"]"#), 403)]
#[case::node(Some(r#"["{{NodeIamRoleARN}}"]"#), 403)]
#[tokio::test]
async fn a_role_that_the_namespace_does_not_allow_is_never_asked_of_sts(
    #[case] list: Option<&str>,
    #[case] status: u16,
) {
    let world = World::new(Options {
        restricted: true,
        ..Options::default()
    })
    .await;
    world.allow("default", list);
    assert_eq!(world.get(POD, LISTING).await.status, status);
    assert_eq!(world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await.status, status);
    assert_eq!(world.sts.count(), usize::from(status == 200));
}

#[tokio::test]
async fn a_namespace_that_nobody_knows_allows_nothing() {
    let world = World::new(Options {
        restricted: true,
        ..Options::default()
    })
    .await;
    assert_eq!(world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await.status, 403);
    assert_eq!(world.sts.count(), 0);
}

#[rstest]
#[case("Other")]
#[case("MyPodRole/x")]
#[case("mypodrole")]
#[case("/")]
#[tokio::test]
async fn another_role_than_the_pods_own_is_never_asked_of_sts(#[case] role: &str) {
    let world = World::new(Options::default()).await;
    let answer = world.get(POD, &format!("{CREDENTIALS}{role}")).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(world.sts.count(), 0);
}

#[rstest]
#[case(None)]
#[case(Some(""))]
#[case(Some("not a role"))]
#[tokio::test]
async fn a_pod_without_a_role_finds_nothing(#[case] role: Option<&str>) {
    let world = World::new(Options::default()).await;
    world.pods.apply(pod(POD, role));
    assert_eq!(world.get(POD, LISTING).await.status, 404);
    assert_eq!(world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await.status, 404);
    assert_eq!(world.sts.count(), 0);
}

#[tokio::test]
async fn an_unknown_source_finds_nothing_and_nothing_is_asked_for_it() {
    let world = World::new(Options::default()).await;
    world.metadata_answers_everything().await;
    for path in [
        LISTING,
        &format!("{CREDENTIALS}MyPodRole"),
        "/latest/meta-data/instance-id",
    ] {
        assert_eq!(world.get(STRANGER, path).await.status, 404, "{path}");
    }
    assert_eq!(world.sts.count(), 0);
    assert!(world.metadata_was_asked().await.is_empty());
}

#[rstest]
#[case("X-Forwarded-For: 127.0.0.11")]
#[case("X-Real-IP: 127.0.0.11")]
#[case("Forwarded: for=127.0.0.11")]
#[tokio::test]
async fn no_header_makes_somebody_another_pod(#[case] header: &str) {
    let world = World::new(Options::default()).await;
    let head = format!("GET {CREDENTIALS}MyPodRole HTTP/1.1\r\nHost: 169.254.169.254\r\n{header}");
    assert_eq!(world.send(STRANGER, &head).await.status, 404);
    // And a pod that sends one is still itself.
    assert_eq!(world.send(POD, &head.replace("127.0.0.11", STRANGER)).await.status, 200);
}

#[tokio::test]
async fn two_live_pods_on_one_address_get_nothing() {
    let world = World::new(Options::default()).await;
    let mut twin = pod(POD, Some("Other"));
    twin.uid = "twin".to_owned();
    world.pods.apply(twin);
    assert_eq!(world.get(POD, LISTING).await.status, 404);
    assert_eq!(world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await.status, 404);
    assert_eq!(world.sts.count(), 0);
}

#[rstest]
#[case("POST", LISTING)]
#[case("PUT", LISTING)]
#[case("DELETE", "/latest/meta-data/iam/security-credentials/MyPodRole")]
#[case("OPTIONS", "/latest/meta-data/iam/security-credentials/MyPodRole")]
#[case("GET", "/latest/api/token")]
#[tokio::test]
async fn a_method_that_is_not_for_the_path_is_refused(#[case] method: &str, #[case] path: &str) {
    let world = World::new(Options::default()).await;
    let answer = world
        .send(POD, &format!("{method} {path} HTTP/1.1\r\nHost: 169.254.169.254"))
        .await;
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("\r\nallow: "), "{answer:?}");
    assert_eq!(world.sts.count(), 0);
}

#[tokio::test]
async fn a_page_that_points_its_own_name_here_is_refused() {
    let world = World::new(Options::default()).await;
    let head = format!("GET {CREDENTIALS}MyPodRole HTTP/1.1\r\nHost: evil.example");
    assert_eq!(world.send(POD, &head).await.status, 403);
    assert_eq!(world.sts.count(), 0);
}

#[tokio::test]
async fn a_denial_of_sts_is_told_without_the_nodes_role() {
    let world = World::new(Options::default()).await;
    let text = "User: arn:aws:sts::123456789012:assumed-role/node-role/i-0 is not authorized".to_owned();
    world.sts.fail(Some(ProviderError::Denied(text)));
    let answer = world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await;
    assert_eq!(answer.status, 403);
    assert!(
        !answer.body.contains("arn:") && !answer.body.contains("node"),
        "{answer:?}"
    );
    assert!(
        world
            .metrics
            .text()
            .contains(r#"rolecall_denials_total{reason="sts_denied"} 1"#),
        "{}",
        world.metrics.text()
    );
}
