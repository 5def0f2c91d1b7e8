//! The real command line client against the emulated server.

use rolecall_vault::ExposeSecret;
use tokio::process::Command;

use crate::world::{ROOT, World};

struct Cli<'a> {
    binary: String,
    home: tempfile::TempDir,
    world: &'a World,
}

// === impl Cli ===

impl Cli<'_> {
    /// Runs a command and gives its standard output; it must exit so.
    async fn run(&self, exit: i32, line: &str) -> String {
        let arguments = line.split(' ').filter(|word| !word.is_empty());
        let output = Command::new(&self.binary)
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("VAULT_ADDR", format!("http://{}", self.world.address))
            .env("VAULT_MAX_RETRIES", "0")
            .output()
            .await
            .expect("a program");
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(output.status.code(), Some(exit), "vault {line}\n{out}\n{err}");
        format!("{out}{err}")
    }
}

#[tokio::test]
#[ignore = "runs the real command line client: needs ROLECALL_VAULT_BINARY"]
async fn the_real_command_line_client_works_against_the_emulator() {
    let world = World::bare().await;
    let cli = Cli {
        binary: std::env::var("ROLECALL_VAULT_BINARY").expect("ROLECALL_VAULT_BINARY names a vault binary"),
        home: tempfile::tempdir().expect("a folder"),
        world: &world,
    };
    cli.run(0, "status").await;
    cli.run(2, "secrets list").await;
    cli.run(0, &format!("login {ROOT}")).await;
    cli.run(0, "secrets enable aws").await;
    assert!(cli.run(0, "secrets list").await.contains("aws/"));
    let (key, secret) = &world.around.key;
    let aws = world.around.aws;
    let root = format!(
        "access_key={key} secret_key={secret} region=us-east-1 iam_endpoint=http://{aws} sts_endpoint=http://{aws}"
    );
    cli.run(0, &format!("write aws/config/root {root}")).await;
    cli.run(0, "write aws/config/lease lease=120s lease_max=300s").await;
    let old = cli
        .run(
            0,
            "write aws/roles/readonly arn=arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess",
        )
        .await;
    assert!(old.contains("Detected use of legacy role"), "{old}");
    assert!(cli.run(0, "list aws/roles").await.contains("readonly"));
    assert!(cli.run(0, "read aws/creds/readonly").await.contains("access_key"));
    let id = world.vault.leases().first().cloned().expect("a lease");
    cli.run(0, &format!("lease lookup {id}")).await;
    cli.run(0, &format!("lease renew -increment=60 {id}")).await;
    cli.run(0, &format!("lease revoke -sync {id}")).await;
    assert!(world.vault.leases().is_empty());
    cli.run(0, "read aws/creds/readonly").await;
    cli.run(0, "lease revoke -prefix -sync aws/creds/readonly").await;
    assert!(world.around.vault_users().await.is_empty());
    cli.run(
        0,
        "write aws/roles/assume credential_type=assumed_role role_arns=arn:aws:iam::123456789012:role/Reader",
    )
    .await;
    cli.run(0, "write aws/sts/assume ttl=15m").await;
    assert!(
        cli.run(2, "read aws/creds/nope")
            .await
            .contains("Role \"nope\" not found")
    );
    let policy = cli.home.path().join("p.hcl");
    std::fs::write(&policy, "path \"aws/creds/*\" {\n  capabilities = [\"read\"]\n}\n").expect("written");
    cli.run(0, &format!("policy write reader {}", policy.display())).await;
    assert!(cli.run(0, "policy list").await.contains("reader"));
    assert!(cli.run(0, "policy read reader").await.contains("aws/creds/*"));
    let token = cli.run(0, "token create -policy=reader -ttl=1h -field=token").await;
    let token = token.trim();
    cli.run(0, &format!("token lookup {token}")).await;
    cli.run(0, &format!("token renew -increment=30m {token}")).await;
    assert_eq!(
        cli.run(0, &format!("token capabilities {token} aws/creds/x"))
            .await
            .trim(),
        "read"
    );
    cli.run(0, &format!("token revoke {token}")).await;
    cli.run(0, "auth enable kubernetes").await;
    cli.run(
        0,
        "write auth/kubernetes/config kubernetes_host=http://127.0.0.1:1 disable_local_ca_jwt=true",
    )
    .await;
    cli.run(0, "write auth/kubernetes/role/r bound_service_account_names=a bound_service_account_namespaces=b policies=reader ttl=1h").await;
    assert!(cli.run(0, "auth list").await.contains("kubernetes/"));
    cli.run(0, "auth disable kubernetes").await;
    let wrapped = cli
        .run(0, "read -wrap-ttl=60s -field=wrapping_token aws/roles/readonly")
        .await;
    assert!(
        cli.run(0, &format!("unwrap {}", wrapped.trim()))
            .await
            .contains("iam_user")
    );
    cli.run(0, "secrets tune -default-lease-ttl=60s aws/").await;
    cli.run(0, "policy delete reader").await;
    cli.run(0, "secrets disable aws").await;
    cli.run(0, "operator seal").await;
    cli.run(2, "status").await;
    let share = world.vault.unseal_key().expect("one key");
    cli.run(0, &format!("operator unseal {}", share.expose_secret())).await;
    cli.run(0, "status").await;
}
