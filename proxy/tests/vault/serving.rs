//! Who gets which keys, and what is asked for them.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use rstest::rstest;

use crate::{
    fake::{Fault, Role},
    world::{CREDENTIALS, Options, World, a_pod, until},
};

#[tokio::test]
async fn a_pod_gets_the_lease_that_its_own_service_account_got() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    assert_eq!(world.get(&pod, CREDENTIALS).await.body, "readonly");
    assert_eq!(world.fake.asked("").len(), 0);
    let document = world.document(&pod).await;
    assert_eq!(document["Token"], "lease-token");
    assert_eq!(document["SecretAccessKey"], "lease-secret");
    let expiration: Timestamp = document["Expiration"].as_str().unwrap().parse().unwrap();
    let state = world.fake.state();
    let lease = state.leases.values().next().unwrap();
    // Whole seconds, and counted from before the lease was asked for.
    let early = lease.until.duration_since(expiration).as_secs_f64();
    assert!((0.0..3.0).contains(&early), "{early}");
    assert_eq!(
        state.asked,
        [
            "POST /api/v1/namespaces/jobs/serviceaccounts/reader/token -> 201",
            "POST auth/kubernetes/login -> 200",
            "GET aws/sts/readonly -> 200"
        ]
    );
    let spec = &state.bodies[0]["spec"];
    assert_eq!(spec["audiences"][0], "vault");
    assert_eq!(spec["expirationSeconds"], 600);
    let bound = &spec["boundObjectRef"];
    assert_eq!(
        (bound["kind"].as_str(), bound["uid"].as_str()),
        (Some("Pod"), Some(pod.uid.as_str()))
    );
    assert_eq!(state.bodies[1]["role"], "readonly");
    assert_eq!(state.bodies[1]["jwt"], format!("jwt:jobs:reader:{}", pod.uid));
}

#[tokio::test]
async fn all_pods_log_in_with_the_auth_role_that_is_given() {
    let world = World::new(Options {
        auth_role: Some("demo"),
        ..Options::default()
    })
    .await;
    world.key(&world.pod("reader", "readonly")).await;
    assert_eq!(world.fake.state().bodies[1]["role"], "demo");
}

#[tokio::test]
async fn keys_are_kept_for_each_pod_and_never_shared() {
    let world = World::new(Options::default()).await;
    let (first, second) = (world.pod("reader", "readonly"), world.pod("reader", "readonly"));
    let key = world.key(&first).await;
    assert_eq!(world.key(&first).await, key);
    assert_ne!(world.key(&second).await, key);
    assert_eq!(world.fake.asked("login").len(), 2);
    // A later pod of the same name and address is another pod.
    world.pods.remove(&first.uid);
    let mut successor = first.clone();
    successor.uid = "another".to_owned();
    world.pods.apply(successor.clone());
    assert_ne!(world.key(&successor).await, key);
    assert_eq!(world.fake.asked("login").len(), 3);
}

#[tokio::test]
async fn a_hundred_requests_of_one_pod_cost_one_login_and_one_lease() {
    let world = Arc::new(World::new(Options::default()).await);
    world.fake.fault("aws/sts", Fault::Held);
    let pod = world.pod("reader", "readonly");
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let (world, pod) = (world.clone(), pod.clone());
            tokio::spawn(async move { world.key(&pod).await })
        })
        .collect();
    until("the login", || world.fake.asked("login").len() == 1).await;
    world.fake.gate.add_permits(100);
    let mut keys = Vec::new();
    for asked in asking {
        keys.push(asked.await.unwrap());
    }
    keys.dedup();
    assert_eq!(keys.len(), 1);
    assert_eq!(world.fake.asked("aws/sts").len(), 1);
}

#[tokio::test]
async fn one_pods_slow_call_delays_no_other_pod() {
    let world = Arc::new(World::new(Options::default()).await);
    world.fake.fault("aws/sts", Fault::HeldFor("slow"));
    let slow = world.pod("slow", "readonly");
    let held = tokio::spawn({
        let (world, slow) = (world.clone(), slow.clone());
        async move { world.key(&slow).await }
    });
    until("the slow login", || world.fake.asked("login").len() == 1).await;
    for _ in 0..10 {
        world.key(&world.pod("reader", "readonly")).await;
    }
    assert!(!held.is_finished());
    world.fake.gate.add_permits(1);
    held.await.unwrap();
}

#[tokio::test]
async fn keys_are_fetched_ahead_under_the_token_that_is_there() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    world.clock.advance(Duration::from_secs(430));
    assert_eq!(world.key(&pod).await, key);
    until("the second lease", || world.fake.asked("aws/sts").len() == 2).await;
    until("nothing is under way", || world.vault().under_way() == 0).await;
    assert_ne!(world.key(&pod).await, key);
    assert_eq!(world.fake.asked("login").len(), 1);
}

#[rstest]
#[case(Some(r#"["vault:readonly"]"#), 200)]
#[case(Some(r#"["vault:*"]"#), 200)]
#[case(Some(r#"["vault:other"]"#), 403)]
#[case(Some(r#"["readonly","*"]"#), 403)]
#[case(None, 403)]
#[tokio::test]
async fn a_vault_role_that_the_namespace_does_not_allow_is_never_asked_of_vault(
    #[case] list: Option<&str>,
    #[case] status: u16,
) {
    let world = World::new(Options {
        restricted: true,
        ..Options::default()
    })
    .await;
    world.allow(list);
    let pod = world.pod("reader", "readonly");
    assert_eq!(world.get(&pod, CREDENTIALS).await.status, status);
    assert_eq!(world.keys(&pod).await.status, status);
    assert_eq!(world.fake.asked("").is_empty(), status != 200);
}

#[tokio::test]
async fn a_pod_that_names_both_kinds_of_role_gets_neither_and_is_told_so() {
    let world = World::new(Options::default()).await;
    let mut pod = a_pod("reader", "readonly");
    pod.role = Some("MyPodRole".to_owned());
    world.pods.apply(pod.clone());
    for path in ["", "readonly", "MyPodRole"] {
        let answer = world.get(&pod, &format!("{CREDENTIALS}{path}")).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.body.contains("remove one"), "{answer:?}");
    }
    assert!(world.fake.asked("").is_empty());
}

#[rstest]
#[case("../../sys/seal")]
#[case("a/b")]
#[case("a?ttl=900")]
#[tokio::test]
async fn a_name_that_is_no_vault_role_reaches_no_path(#[case] name: &str) {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", name);
    assert_eq!(world.get(&pod, CREDENTIALS).await.status, 404);
    assert_eq!(world.keys(&pod).await.status, 404);
    assert!(world.fake.asked("").is_empty());
}

#[tokio::test]
async fn another_vault_role_than_the_pods_own_is_refused() {
    let world = World::new(Options::default()).await;
    world.fake.state().roles.insert("other".to_owned(), Role::Session(900));
    let pod = world.pod("reader", "readonly");
    let answer = world.get(&pod, &format!("{CREDENTIALS}other")).await;
    assert_eq!(answer.status, 403);
    assert!(world.fake.asked("").is_empty());
}

#[tokio::test]
async fn without_a_vault_a_pod_that_names_one_of_its_roles_gets_nothing_instead() {
    let world = World::new(Options {
        vault: false,
        ..Options::default()
    })
    .await;
    let pod = world.pod("reader", "readonly");
    // Not the default role either: the pod has said what it wants.
    assert_eq!(world.get(&pod, CREDENTIALS).await.status, 404);
    let log = crate::log::of(&pod.name);
    assert!(
        log.iter().any(|line| line.contains("start with --vault-addr")),
        "{log:?}"
    );
}

#[tokio::test]
async fn what_is_asked_is_counted() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    world.key(&pod).await;
    world.key(&pod).await;
    let text = world.metrics.text();
    for line in [
        r#"rolecall_vault_requests_total{operation="account_token",result="ok"} 1"#,
        r#"rolecall_vault_requests_total{operation="login",result="ok"} 1"#,
        r#"rolecall_vault_requests_total{operation="read",result="ok"} 1"#,
        r#"rolecall_vault_request_duration_seconds_count{operation="read"} 1"#,
        r#"rolecall_credentials_cache_total{result="Hit"} 1"#,
        r#"kube2iam_iam_cache_hits_total{role_arn="vault:readonly"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

#[tokio::test]
async fn no_secret_is_logged() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    world.key(&pod).await;
    world.pods.remove(&pod.uid);
    until("the token is revoked", || world.fake.tokens() == 0).await;
    for secret in ["lease-secret", "lease-token", "hvs.secret", "jwt:jobs"] {
        assert_eq!(crate::log::of(secret), Vec::<String>::new());
    }
    assert!(!crate::log::of(&pod.name).is_empty());
}
