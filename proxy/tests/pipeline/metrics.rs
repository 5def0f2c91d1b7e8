//! What is counted, under our names and kube2iam's.

use crate::world::{CREDENTIALS, LISTING, Options, POD, World};

#[tokio::test]
async fn kube2iams_names_mean_what_they_mean_there() {
    let world = World::new(Options::default()).await;
    assert_eq!(world.get(POD, LISTING).await.status, 200);
    for _ in 0..3 {
        world.key(POD, "MyPodRole").await;
    }
    let other = world.get(POD, &format!("{CREDENTIALS}Other")).await;
    assert_eq!(other.status, 403);
    let text = world.metrics.text();
    for line in [
        r#"kube2iam_iam_cache_hits_total{role_arn="arn:aws:iam::123456789012:role/MyPodRole"} 2"#,
        r#"kube2iam_http_request_duration_seconds_count{code="200",method="GET",handler="securityCredentialsHandler"} 1"#,
        r#"kube2iam_http_request_duration_seconds_count{code="200",method="GET",handler="roleHandler"} 3"#,
        r#"kube2iam_http_request_duration_seconds_count{code="403",method="GET",handler="roleHandler"} 1"#,
        r#"kube2iam_info{version="rolecall-proxy 0.1.0"} 1"#,
        r#"rolecall_requests_total{route="credentials",code="200"} 3"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}
