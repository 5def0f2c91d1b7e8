use http::Method;

use crate::{localstack::local, world::Ask};

#[tokio::test]
async fn a_bucket_policy_lets_in_whom_it_names_until_it_is_deleted() {
    let Some(local) = local().await else { return };
    let bucket = local.bucket("shared");
    let (root, partner) = (local.world.root.clone(), local.partner.clone());
    let (path, object, policy) = (
        format!("/{bucket}"),
        format!("/{bucket}/report"),
        format!("/{bucket}?policy"),
    );
    local.put(&root, &path, "").await;
    local.put(&root, &object, "revenue,42").await;
    assert_eq!(local.world.get(&partner, &object).await.error(), (403, "AccessDenied"));
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{}"}},
            "Action":"s3:GetObject","Resource":"arn:aws:s3:::{bucket}/*"}}]}}"#,
        local.partner_account
    );
    let put = local.put(&root, &policy, &document).await;
    assert!(put.status < 300, "{}", put.body);
    let read = local.world.get(&partner, &object).await;
    assert_eq!((read.status, read.body.as_str()), (200, "revenue,42"));
    assert_eq!(
        local.put(&partner, &object, "mine").await.error(),
        (403, "AccessDenied")
    );
    // Who may not list does not learn what is absent.
    let absent = format!("/{bucket}/absent");
    assert_eq!(local.world.get(&partner, &absent).await.error(), (403, "AccessDenied"));
    assert_eq!(local.world.get(&root, &absent).await.error(), (404, "NoSuchKey"));
    let deleted = local.world.ask(&root, Ask::s3(Method::DELETE, &policy)).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(local.world.get(&partner, &object).await.error(), (403, "AccessDenied"));
    local.end().await;
}

#[tokio::test]
async fn a_bucket_of_an_account_that_the_front_does_not_have_is_closed() {
    let Some(local) = local().await else { return };
    let (bucket, stranger) = (local.bucket("strange"), "000000000007");
    local
        .behind(stranger, "s3", Method::PUT, &format!("/{bucket}"), "")
        .await;
    local
        .behind(stranger, "s3", Method::PUT, &format!("/{bucket}/secret"), "theirs")
        .await;
    let root = local.world.root.clone();
    let read = local.world.get(&root, &format!("/{bucket}/secret")).await;
    assert_eq!(read.error(), (403, "AccessDenied"), "{}", read.body);
    let made = local.put(&root, &format!("/{bucket}"), "").await;
    assert_eq!(made.error(), (409, "BucketAlreadyExists"), "{}", made.body);
    local
        .behind(stranger, "s3", Method::DELETE, &format!("/{bucket}/secret"), "")
        .await;
    local
        .behind(stranger, "s3", Method::DELETE, &format!("/{bucket}"), "")
        .await;
    local.end().await;
}

#[tokio::test]
async fn what_was_in_the_upstream_before_is_known_to_its_account() {
    let Some(local) = local().await else { return };
    let bucket = local.bucket("old");
    local
        .behind(&local.account, "s3", Method::PUT, &format!("/{bucket}"), "")
        .await;
    local
        .behind(&local.account, "s3", Method::PUT, &format!("/{bucket}/k"), "old")
        .await;
    assert_eq!(
        local.world.get(&local.world.root, &format!("/{bucket}/k")).await.body,
        "old"
    );
    assert_eq!(
        local.world.get(&local.partner, &format!("/{bucket}/k")).await.status,
        403
    );
    assert_eq!(local.world.front.remove_all().await, Ok(0), "the front did not make it");
    assert_eq!(
        local.world.get(&local.world.root, &format!("/{bucket}/k")).await.body,
        "old"
    );
    for path in [format!("/{bucket}/k"), format!("/{bucket}")] {
        local.behind(&local.account, "s3", Method::DELETE, &path, "").await;
    }
}

#[tokio::test]
async fn of_many_objects_those_are_deleted_that_may_be() {
    let Some(local) = local().await else { return };
    let bucket = local.bucket("many");
    let root = local.world.root.clone();
    for path in ["", "/open/a", "/closed/b"] {
        let put = local.put(&root, &format!("/{bucket}{path}"), "").await;
        assert_eq!(put.status, 200, "{}", put.body);
    }
    let alice = local.world.user("alice").await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:DeleteObject",
            "Resource":"arn:aws:s3:::{bucket}/open/*"}}]}}"#
    );
    let params = [
        ("UserName", "alice"),
        ("PolicyName", "p"),
        ("PolicyDocument", policy.as_str()),
    ];
    local.world.iam("PutUserPolicy", &params).await;
    let path = format!("/{bucket}?delete");
    let ask = Ask {
        body: b"<Delete><Object><Key>open/a</Key></Object><Object><Key>closed/b</Key></Object></Delete>".to_vec(),
        ..Ask::s3(Method::POST, &path)
    };
    let reply = local.world.ask(&alice, ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(
        reply
            .body
            .contains("<Error><Key>closed/b</Key><Code>AccessDenied</Code>"),
        "{}",
        reply.body
    );
    assert_eq!(local.world.get(&root, &format!("/{bucket}/open/a")).await.status, 404);
    assert_eq!(local.world.get(&root, &format!("/{bucket}/closed/b")).await.status, 200);
    local.end().await;
}
