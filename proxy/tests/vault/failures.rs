//! Whatever Vault answers: a bounded answer to the pod, one line in the log, and recovery without a restart.

use std::time::Duration;

use rstest::rstest;

use crate::{
    fake::{Fault, Role},
    log,
    world::{Options, World, until},
};

const SEALED: Fault = Fault::Answer(503, "Vault is sealed");
const NOT_JSON: Fault = Fault::Plain(200, "<html>hvs.secret-page</html>");
const NO_ROUTE: Fault = Fault::Answer(404, "no handler for route. route entry not found.");
const DENIED: Fault = Fault::Answer(403, "1 error occurred:\n\t* permission denied\n\n");

#[rstest]
#[case::sealed_login("login", SEALED, 503, "auth/kubernetes/login", "unseal it")]
#[case::sealed_read("aws/", SEALED, 503, "aws/sts/readonly", "unseal it")]
#[case::rate_limit(
    "login",
    Fault::Answer(429, "rate limit quota exceeded"),
    503,
    "auth/kubernetes/login",
    "quota"
)]
#[case::standby(
    "login",
    Fault::Answer(500, "local node not active but active cluster node not found"),
    503,
    "auth/kubernetes/login",
    "leader"
)]
#[case::standby_of_a_cluster(
    "login",
    Fault::Answer(429, "Vault is in standby mode"),
    503,
    "auth/kubernetes/login",
    "leader"
)]
#[case::led_in_a_circle("login", Fault::Plain(307, ""), 503, "auth/kubernetes/login", "leader")]
#[case::broken(
    "aws/",
    Fault::Answer(500, "internal error"),
    503,
    "aws/sts/readonly",
    "Vault's own log"
)]
#[case::page("login", NOT_JSON, 503, "auth/kubernetes/login", "--vault-addr")]
#[case::page_for_keys("aws/", NOT_JSON, 503, "aws/sts/readonly", "--vault-addr")]
#[case::error_page(
    "aws/",
    Fault::Plain(502, "<html>Bad Gateway</html>"),
    503,
    "aws/sts/readonly",
    "--vault-addr"
)]
#[case::no_auth_method("login", NO_ROUTE, 500, "auth/kubernetes/login", "--vault-auth-mount")]
#[case::no_engine("aws/", NO_ROUTE, 500, "aws/sts/readonly", "--vault-mount")]
#[case::auth_not_configured(
    "login",
    Fault::Answer(500, "could not load backend configuration"),
    500,
    "auth/kubernetes/login",
    "auth/<mount>/config"
)]
#[case::no_auth_role(
    "login",
    Fault::Answer(400, "invalid role name \"readonly\""),
    500,
    "auth/kubernetes/login",
    "--vault-auth-role"
)]
#[case::wrong_account(
    "login",
    Fault::Answer(403, "service account name not authorized"),
    403,
    "auth/kubernetes/login",
    "bound_service_account_names"
)]
#[case::wrong_audience(
    "login",
    Fault::Answer(403, "invalid audience (aud) claim: audience claim does not match"),
    403,
    "auth/kubernetes/login",
    "audience"
)]
#[case::policy("aws/", DENIED, 403, "aws/sts/readonly", "capability `read`")]
#[case::wrong_token(
    "aws/",
    Fault::Answer(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"),
    403,
    "aws/sts/readonly",
    "logs in again"
)]
#[case::aws_refuses(
    "aws/",
    Fault::Answer(400, "Error assuming role: AccessDenied: User: arn:aws:iam::1:user/vault"),
    500,
    "aws/sts/readonly",
    "config/root"
)]
#[case::aws_throttles(
    "aws/",
    Fault::Answer(502, "Error assuming role: Throttling: Rate exceeded"),
    503,
    "aws/sts/readonly",
    "quota"
)]
#[case::no_right_to_tokens(
    "serviceaccounts",
    Fault::Answer(403, ""),
    500,
    "serviceaccounts/reader/token",
    "serviceaccounts/token"
)]
#[case::no_account(
    "serviceaccounts",
    Fault::Answer(404, ""),
    500,
    "serviceaccounts/reader/token",
    "exist"
)]
#[case::no_api_server(
    "serviceaccounts",
    Fault::Answer(503, ""),
    503,
    "serviceaccounts/reader/token",
    "API server"
)]
#[case::slow_login("login", Fault::Held, 503, "auth/kubernetes/login", "--vault-timeout")]
#[case::slow_read("aws/", Fault::Held, 503, "aws/sts/readonly", "--vault-timeout")]
#[tokio::test]
async fn a_failure_is_a_bounded_answer_and_one_line_that_says_what_to_do(
    #[case] part: &'static str,
    #[case] fault: Fault,
    #[case] status: u16,
    #[case] path: &str,
    #[case] to_do: &str,
) {
    let world = World::new(Options {
        timeout: Duration::from_millis(if matches!(fault, Fault::Held) { 300 } else { 30_000 }),
        ..Options::default()
    })
    .await;
    world.fake.fault(part, fault);
    let pod = world.pod("reader", "readonly");
    let answer = world.keys(&pod).await;
    assert_eq!(answer.status, status, "{answer:?}");
    // Nothing of what Vault said.
    assert!(answer.body.len() < 60 && !answer.body.contains("arn:"), "{answer:?}");
    let lines = log::of(&pod.name);
    let warned: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("WARN") && line.contains(path))
        .collect();
    assert_eq!(warned.len(), 1, "{lines:?}");
    assert!(warned[0].contains(to_do), "{warned:?}");
    assert_eq!(log::of("hvs.secret-page"), Vec::<String>::new());
    // Nothing is left in Vault, as soon as it can be asked, and it serves again without a restart.
    world.fake.gate.add_permits(100);
    world.fake.heal();
    world.clock.advance(Duration::from_secs(6));
    until("no token is left", || {
        world.fake.tokens() == 0 && world.vault().tokens().1 == 0
    })
    .await;
    world.key(&pod).await;
    assert_eq!(world.fake.tokens(), 1);
}

#[rstest]
#[case::absent("absent", &["Role \"absent\" not found", "aws/sts/absent", "correct the pod's annotation"])]
#[case::short("short", &["minimum field value of 900", "aws/sts/short", "raise default_sts_ttl"])]
#[tokio::test]
async fn a_role_that_gives_no_keys_is_named_with_its_path_and_what_to_do(#[case] role: &str, #[case] told: &[&str]) {
    let world = World::new(Options::default()).await;
    world.fake.state().roles.insert("short".to_owned(), Role::Session(600));
    let pod = world.pod("reader", role);
    let answer = world.keys(&pod).await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.len() < 60 && !answer.body.contains(role), "{answer:?}");
    let lines = log::of(&pod.name);
    let warned: Vec<_> = lines.iter().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warned.len(), 1, "{lines:?}");
    for part in told {
        // A log's field has its quotation marks escaped.
        assert!(warned[0].replace('\\', "").contains(part), "no {part} in {warned:?}");
    }
}

#[rstest]
#[case(SEALED)]
#[case(Fault::Plain(502, "<html>"))]
#[tokio::test]
async fn valid_keys_go_on_being_served_while_vault_gives_none_and_not_past_their_end(#[case] fault: Fault) {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    world.fake.fault("", fault);
    assert_eq!(world.keys(&world.pod("reader", "readonly")).await.status, 503);
    for _ in 0..2 {
        // Past the half of their life, and in its last seconds.
        world.clock.advance(Duration::from_secs(445));
        assert_eq!(world.key(&pod).await, key);
    }
    let lines = log::of(&pod.name);
    assert!(
        lines.iter().any(|line| line.contains("go on being served")),
        "{lines:?}"
    );
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.keys(&pod).await.status, 503);
    world.fake.heal();
    world.clock.advance(Duration::from_secs(1));
    assert_ne!(world.key(&pod).await, key);
}

#[tokio::test]
async fn keys_are_served_past_their_tokens_end_only_while_vault_gives_none() {
    let world = World::new(Options::default()).await;
    world.fake.state().token_ttl = 60;
    let pod = world.pod("reader", "readonly");
    let key = world.key(&pod).await;
    world.fake.fault("", SEALED);
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(world.key(&pod).await, key);
    world.fake.heal();
    world.clock.advance(Duration::from_secs(1));
    assert_ne!(world.key(&pod).await, key);
}

#[tokio::test]
async fn a_denial_ends_keys_whose_time_is_over() {
    let world = World::new(Options::default()).await;
    let pod = world.pod("reader", "readonly");
    world.key(&pod).await;
    world.fake.fault("aws/", DENIED);
    world.clock.advance(Duration::from_secs(460));
    assert_eq!(world.keys(&pod).await.status, 403);
}

#[tokio::test]
async fn what_may_be_awss_failure_is_not_repeated_at_once() {
    let world = World::new(Options::default()).await;
    world.fake.fault(
        "aws/",
        Fault::Answer(400, "Error creating IAM user: LimitExceeded: Cannot exceed quota"),
    );
    let (pod, other) = (world.pod("reader", "readonly"), world.pod("reader", "readonly"));
    for _ in 0..20 {
        assert_eq!(world.keys(&pod).await.status, 500);
    }
    assert_eq!(world.fake.asked("aws/sts").len(), 1);
    // Another pod is not held liable.
    assert_eq!(world.keys(&other).await.status, 500);
    assert_eq!(world.fake.asked("aws/sts").len(), 2);
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.keys(&pod).await.status, 500);
    assert_eq!(world.fake.asked("aws/sts").len(), 3);
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(world.keys(&pod).await.status, 500);
    assert_eq!(world.fake.asked("aws/sts").len(), 3);
}
