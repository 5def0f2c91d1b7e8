//! `rolecall-proxy credential-process`, started as an SDK starts it.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use rolecall_accept::CancellationToken;
use rolecall_clock::Clock;
use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::fake::{Fake, Fault, Role};

struct Pod {
    fake: Fake,
    clock: Clock,
    url: String,
    files: TempDir,
    stop: CancellationToken,
}

impl Pod {
    async fn new() -> Self {
        let clock = Clock::new();
        let (fake, address, stop) = Fake::start(&clock).await;
        let files = TempDir::new().unwrap();
        std::fs::write(files.path().join("token"), "jwt:jobs:reader:uid\n").unwrap();
        Self {
            fake,
            clock,
            url: format!("http://{address}"),
            files,
            stop,
        }
    }

    fn path(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    async fn start(&self, role: &str, flags: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rolecall-proxy"))
            .args(["credential-process", "--vault-addr", &self.url, "--vault-role", role])
            .args(["--token-file", &self.path("token")])
            .args(flags)
            .env_clear()
            .env("XDG_RUNTIME_DIR", self.files.path())
            .env("ROLECALL_TEST_CLOCK_MS", self.clock.offset().as_millis().to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("it starts")
    }

    async fn keys(&self, role: &str, flags: &[&str]) -> Value {
        let output = self.start(role, flags).await;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && text.is_empty(), "{text}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// What it says on standard error when it has nothing to give.
    async fn fails(&self, role: &str, flags: &[&str]) -> String {
        let output = self.start(role, flags).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn an_iam_users_keys_are_printed_and_end_with_their_token() {
    let pod = Pod::new().await;
    let keys = pod.keys("user", &[]).await;
    assert_eq!(keys["Version"], 1);
    assert!(keys["AccessKeyId"].as_str().unwrap().starts_with("AKIA"), "{keys}");
    assert_eq!(keys["SecretAccessKey"], "user-secret");
    assert!(keys.get("SessionToken").is_none(), "{keys}");
    // The lease says 32 days; the token that it hangs on ends in 20 minutes.
    let expiration: Timestamp = keys["Expiration"].as_str().unwrap().parse().unwrap();
    let left = expiration.duration_since(pod.clock.wall()).as_secs();
    assert!((1150..=1200).contains(&left), "{left}");
    assert_eq!(pod.fake.state().users.len(), 1);
    assert_eq!(pod.fake.state().bodies[0]["jwt"], "jwt:jobs:reader:uid");
}

#[rstest]
#[case::assumed_role("readonly")]
#[case::of_the_old_form("old")]
#[tokio::test]
async fn keys_of_sts_have_a_session_token_and_leave_no_vault_token_behind(#[case] role: &str) {
    let pod = Pod::new().await;
    pod.fake.state().roles.insert("old".to_owned(), Role::Legacy(900));
    let keys = pod.keys(role, &[]).await;
    assert_eq!(keys["SessionToken"], "lease-token");
    assert_eq!(pod.fake.tokens(), 0);
    assert_eq!(pod.keys(role, &[]).await, keys);
}

#[tokio::test]
async fn many_starts_make_one_user_and_renew_its_lease() {
    let pod = Pod::new().await;
    let starts = futures::future::join_all((0..8).map(|_| pod.keys("user", &[]))).await;
    assert!(
        starts
            .iter()
            .all(|keys| keys["AccessKeyId"] == starts[0]["AccessKeyId"]),
        "{starts:?}"
    );
    assert_eq!(pod.fake.state().users_made, 1);
    for _ in 0..6 {
        pod.clock.advance(Duration::from_secs(700));
        let keys = pod.keys("user", &[]).await;
        assert_eq!(keys["AccessKeyId"], starts[0]["AccessKeyId"]);
        let expiration: Timestamp = keys["Expiration"].as_str().unwrap().parse().unwrap();
        assert!(expiration.duration_since(pod.clock.wall()).as_secs() > 1100);
    }
    assert_eq!(pod.fake.state().users_made, 1);
    assert_eq!(pod.fake.asked("renew-self -> 200").len(), 6);
}

#[tokio::test]
async fn a_lease_that_is_over_or_gone_is_followed_by_a_new_one() {
    let pod = Pod::new().await;
    let first = pod.keys("user", &[]).await;
    pod.clock.advance(Duration::from_secs(1201));
    let second = pod.keys("user", &[]).await;
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    pod.fake.state().forget_tokens();
    pod.clock.advance(Duration::from_secs(700));
    let third = pod.keys("user", &[]).await;
    assert_ne!(third["AccessKeyId"], second["AccessKeyId"]);
    assert_eq!(pod.fake.state().users.len(), 1);
}

#[tokio::test]
async fn without_a_cache_every_start_makes_a_lease() {
    let pod = Pod::new().await;
    pod.keys("user", &["--no-cache"]).await;
    pod.keys("user", &["--no-cache"]).await;
    assert_eq!(pod.fake.state().users_made, 2);
}

#[tokio::test]
async fn two_roles_are_kept_apart() {
    let pod = Pod::new().await;
    pod.fake.state().roles.insert("other".to_owned(), Role::User);
    let (first, second) = (pod.keys("user", &[]).await, pod.keys("other", &[]).await);
    assert_ne!(first["AccessKeyId"], second["AccessKeyId"]);
}

#[rstest]
#[case::sealed("login", Fault::Answer(503, "Vault is sealed"), "unseal it")]
#[case::denied(
    "login",
    Fault::Answer(403, "service account name not authorized"),
    "bound_service_account_names"
)]
#[case::policy(
    "aws/",
    Fault::Answer(403, "1 error occurred:\n\t* permission denied\n\n"),
    "capability `read`"
)]
#[case::slow("login", Fault::Held, "--vault-timeout")]
#[case::page("aws/", Fault::Plain(200, "<html>"), "--vault-addr")]
#[tokio::test]
async fn a_failure_is_told_on_standard_error_alone_and_leaves_no_token(
    #[case] part: &'static str,
    #[case] fault: Fault,
    #[case] to_do: &str,
) {
    let pod = Pod::new().await;
    pod.fake.fault(part, fault);
    let said = pod.fails("user", &["--vault-timeout=1s"]).await;
    assert!(
        said.contains(to_do) && said.starts_with("rolecall-proxy credential-process: "),
        "{said}"
    );
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert_eq!(pod.fake.tokens(), 0);
    pod.fake.heal();
    pod.keys("user", &[]).await;
}

#[tokio::test]
async fn what_may_have_made_a_user_is_not_repeated_at_once() {
    let pod = Pod::new().await;
    let text = "Error putting user policy: MalformedPolicyDocument: bad";
    pod.fake.fault("aws/", Fault::Answer(400, text));
    for _ in 0..5 {
        assert!(pod.fails("user", &[]).await.contains("MalformedPolicyDocument"));
    }
    assert_eq!(pod.fake.asked("aws/creds").len(), 1);
    pod.fake.heal();
    pod.clock.advance(Duration::from_secs(5));
    pod.keys("user", &[]).await;
}

#[tokio::test]
async fn valid_keys_are_printed_while_vault_is_sealed() {
    let pod = Pod::new().await;
    let keys = pod.keys("user", &[]).await;
    pod.fake.fault("", Fault::Answer(503, "Vault is sealed"));
    pod.clock.advance(Duration::from_secs(1100));
    assert_eq!(pod.keys("user", &[]).await["AccessKeyId"], keys["AccessKeyId"]);
    pod.clock.advance(Duration::from_secs(100));
    assert!(pod.fails("user", &[]).await.contains("unseal"));
}

#[tokio::test]
async fn what_cannot_be_kept_or_read_is_told() {
    let pod = Pod::new().await;
    let said = pod.fails("user", &["--cache-dir=/proc/nowhere"]).await;
    assert!(said.contains("--no-cache"), "{said}");
    std::fs::remove_file(pod.path("token")).unwrap();
    let said = pod.fails("user", &[]).await;
    assert!(said.contains("--token-file") && said.contains("token"), "{said}");
    assert_eq!(pod.fake.state().users_made, 0);
}

#[tokio::test]
async fn what_is_kept_is_for_its_owner_alone() {
    let pod = Pod::new().await;
    let kept = pod.files.path().join("kept");
    pod.keys("user", &["--cache-dir", &kept.display().to_string()]).await;
    let modes = |dir: &Path| -> Vec<u32> {
        let entries = std::fs::read_dir(dir).unwrap();
        entries
            .map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777)
            .collect()
    };
    assert_eq!(modes(&kept), [0o700]);
    let ours = std::fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    assert_eq!(modes(&ours), [0o600, 0o600]);
}
