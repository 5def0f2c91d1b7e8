use rstest::rstest;

use crate::world::World;

const ROLE: &str = "nodes.example.cluster.k8s.local";

#[rstest]
#[case::as_documented("/latest/meta-data/iam/security-credentials/")]
#[case::dated("/2021-07-15/meta-data/iam/security-credentials/")]
#[case::another_date("/2099-01-01/meta-data/iam/security-credentials/")]
#[case::oldest("/1.0/meta-data/iam/security-credentials/")]
#[case::query("/latest/meta-data/iam/security-credentials/?x=/y")]
#[case::upper_case("/latest/META-DATA/IAM/Security-Credentials/")]
#[case::doubled_slashes("//latest//meta-data///iam/security-credentials//")]
#[case::dot("/latest/./meta-data/iam/security-credentials/.")]
#[case::dot_dot("/latest/dynamic/../meta-data/iam/security-credentials/")]
#[case::above_the_root("/../latest/meta-data/iam/security-credentials/")]
#[case::encoded("/latest/meta%2Ddata/iam/security-credentials/")]
#[case::encoded_slash("/latest/meta-data%2fiam/security-credentials%2F")]
#[case::encoded_twice("/latest/meta%252Ddata/iam/security-credentials/")]
#[case::encoded_dots("/latest/x/%2e%2E/meta-data/iam/security-credentials/")]
#[case::parameter("/latest/meta-data;x=y/iam/security-credentials/;z")]
#[case::parameter_on_dots("/latest/x/..;/meta-data/iam/security-credentials/")]
#[case::backslash("/latest/meta-data%5Ciam/security-credentials/")]
#[case::white_space("/latest/meta-data%20/iam/security-credentials/%09")]
#[case::absolute_form("http://169.254.169.254/latest/meta-data/iam/security-credentials/")]
#[case::absolute_form_of_another("http://example.com:80//latest/meta-data/iam/security-credentials/")]
#[tokio::test]
async fn every_spelling_of_the_listing_is_served(#[case] target: &str) {
    let world = World::start().await;
    let reply = world.get(target).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ROLE));
}

#[rstest]
#[case::as_documented("/latest/meta-data/iam/security-credentials/nodes.example.cluster.k8s.local")]
#[case::trailing_slash("/latest/meta-data/iam/security-credentials/nodes.example.cluster.k8s.local/")]
#[case::another_case("/latest/meta-data/iam/security-credentials/NODES.example.cluster.K8S.local")]
#[case::encoded("/latest/meta-data/iam/security-credentials/nodes%2Eexample%2ecluster.k8s.local")]
#[case::parameter("/latest/meta-data/iam/security-credentials/nodes.example.cluster.k8s.local;x")]
#[case::by_way_of_another("/latest/meta-data/iam/security-credentials/other/../nodes.example.cluster.k8s.local")]
#[tokio::test]
async fn every_spelling_of_the_document_is_served(#[case] target: &str) {
    let world = World::start().await;
    let reply = world.get(target).await;
    assert_eq!((reply.status, reply.json()["Code"].as_str()), (200, Some("Success")));
}

#[rstest]
#[case::as_documented("/latest/meta-data/iam/security-credentials", "latest")]
#[case::dated("/2021-07-15/meta-data/iam/security-credentials", "2021-07-15")]
#[case::spelled_oddly("//LATEST/meta%2ddata/iam/security-credentials?x", "latest")]
#[tokio::test]
async fn the_listing_without_a_slash_is_a_redirect(#[case] target: &str, #[case] version: &str) {
    let world = World::start().await;
    let reply = world.get(target).await;
    assert_eq!(reply.status, 301);
    let location = format!("http://169.254.169.254/{version}/meta-data/iam/security-credentials/");
    assert_eq!(reply.header("location"), Some(location.as_str()));
    assert!(!reply.body.contains(ROLE), "{reply:?}");
}

#[rstest]
#[case("/newest/meta-data/")]
#[case("/meta-data/instance-id")]
#[case("/latest/meta-data/instance-id/more")]
#[case("/latest/meta-data/iam/security-credentials/another-role")]
#[case("/latest/meta-data/%zz")]
#[case("/20210715/meta-data/")]
#[tokio::test]
async fn what_is_not_there_is_not_found(#[case] target: &str) {
    let world = World::start().await;
    let reply = world.get(target).await;
    assert_eq!((reply.status, reply.header("content-type")), (404, Some("text/html")));
    assert!(reply.body.contains("<h1>404 - Not Found</h1>"), "{}", reply.body);
}
