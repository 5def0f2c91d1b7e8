//! Who gets the default role, and that no role means anything before the base ARN is known.

use rstest::rstest;

use crate::world::{BASE, CREDENTIALS, LISTING, Options, POD, World, pod};

async fn with_default(restricted: bool) -> World {
    World::new(Options {
        restricted,
        default_role: Some("fallback"),
        ..Options::default()
    })
    .await
}

#[rstest]
#[case::none(None, 200, "fallback")]
#[case::own(Some("MyPodRole"), 200, "MyPodRole")]
#[case::empty(Some(""), 404, "this pod has no role\n")]
#[case::malformed(Some("not a role"), 404, "this pod has no role\n")]
#[tokio::test]
async fn only_a_pod_without_an_annotation_has_the_default_role(
    #[case] annotation: Option<&str>,
    #[case] status: u16,
    #[case] body: &str,
) {
    let world = with_default(false).await;
    world.pods.apply(pod(POD, annotation));
    let answer = world.get(POD, LISTING).await;
    assert_eq!((answer.status, answer.body.as_str()), (status, body));
    let keys = world.get(POD, &format!("{CREDENTIALS}fallback")).await;
    assert_eq!(keys.status == 200, body == "fallback", "{keys:?}");
}

#[tokio::test]
async fn whoever_is_not_known_has_no_default_role() {
    let world = with_default(false).await;
    let mut finished = pod("127.0.0.12", None);
    finished.live = false;
    world.pods.apply(finished);
    let mut twin = pod(POD, None);
    twin.uid = "twin".to_owned();
    world.pods.apply(twin);
    for source in ["127.0.0.12", "127.0.0.99", POD] {
        assert_eq!(world.get(source, LISTING).await.status, 404, "{source}");
        let keys = world.get(source, &format!("{CREDENTIALS}fallback")).await;
        assert_eq!(keys.status, 404, "{source}");
    }
    assert_eq!(world.sts.count(), 0);
}

#[rstest]
#[case(Some(r#"["fallback"]"#), 200)]
#[case(Some(r#"["MyPodRole"]"#), 403)]
#[case(None, 403)]
#[tokio::test]
async fn a_namespace_limits_the_default_role_as_any_other(#[case] list: Option<&str>, #[case] status: u16) {
    let world = with_default(true).await;
    world.pods.apply(pod(POD, None));
    world.allow("default", list);
    assert_eq!(world.get(POD, LISTING).await.status, status);
    let keys = world.get(POD, &format!("{CREDENTIALS}fallback")).await;
    assert_eq!(keys.status, status);
    assert_eq!(world.sts.count(), usize::from(status == 200));
}

#[rstest]
#[case("MyPodRole")]
#[case("arn:aws:iam::123456789012:role/MyPodRole")]
#[tokio::test]
async fn no_role_is_given_before_the_base_arn_is_found(#[case] annotation: &str) {
    let world = World::new(Options {
        restricted: true,
        discovers: true,
        ..Options::default()
    })
    .await;
    world.pods.apply(pod(POD, Some(annotation)));
    // Without a base ARN this would allow every role of every account.
    world.allow("default", Some(r#"["*"]"#));
    assert_eq!(world.get(POD, LISTING).await.status, 503);
    let keys = world.get(POD, &format!("{CREDENTIALS}MyPodRole")).await;
    assert_eq!(keys.status, 503);
    assert_eq!(world.sts.count(), 0);
    world.discovery.found(BASE.parse().unwrap());
    assert_eq!(world.get(POD, LISTING).await.body, "MyPodRole");
    assert_eq!(world.key(POD, "MyPodRole").await, "ASIA1");
}
