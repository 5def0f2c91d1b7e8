use std::{sync::atomic::Ordering, time::Duration};

use futures::future::join_all;

use crate::world::{POD, World};

const DOCUMENT: &str = "/latest/meta-data/iam/security-credentials/nodes.example.cluster.k8s.local";

#[tokio::test]
async fn the_document_has_the_seven_keys_in_order() {
    let world = World::start().await;
    let document = world.get(DOCUMENT).await.json();
    let keys: Vec<_> = document.as_object().unwrap().keys().cloned().collect();
    let wanted = [
        "Code",
        "LastUpdated",
        "Type",
        "AccessKeyId",
        "SecretAccessKey",
        "Token",
        "Expiration",
    ];
    assert_eq!(keys, wanted);
    assert_eq!(document["Type"], "AWS-HMAC");
    for time in ["LastUpdated", "Expiration"] {
        let text = document[time].as_str().unwrap();
        assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
    }
}

#[tokio::test]
async fn keys_are_kept_until_five_minutes_before_they_expire() {
    let world = World::start().await;
    let first = world.get(DOCUMENT).await.json();
    world.clock.advance(Duration::from_secs(54 * 60));
    assert_eq!(world.get(DOCUMENT).await.json(), first);
    world.clock.advance(Duration::from_secs(60));
    let second = world.get(DOCUMENT).await.json();
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    assert_eq!(world.source.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn requests_at_once_get_the_same_keys() {
    let world = World::start().await;
    let request = format!("GET {DOCUMENT}");
    let replies = join_all((0..20).map(|_| world.ask_from(POD, &request, &[]))).await;
    for reply in &replies {
        assert_eq!(reply.body, replies[0].body);
    }
    assert_eq!(world.source.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refusal_is_told_and_not_kept() {
    let world = World::start().await;
    world.source.refuses.store(true, Ordering::SeqCst);
    let refused = world.get(DOCUMENT).await;
    assert_eq!(
        (refused.status, refused.json()["Code"].as_str()),
        (200, Some("AssumeRoleUnauthorizedAccess"))
    );
    assert_eq!(refused.json()["Message"], "EC2 cannot assume the role");
    world.source.refuses.store(false, Ordering::SeqCst);
    assert_eq!(world.get(DOCUMENT).await.json()["Code"], "Success");
}
