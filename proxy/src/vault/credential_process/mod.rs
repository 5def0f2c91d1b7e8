//! `rolecall-proxy credential-process`: keys of a Vault role, as an AWS SDK's `credential_process` has them.
//!
//! This is how keys without a session token reach a pod, which the metadata service cannot give: those of IAM users. Such
//! a user lives while its lease does, and the lease while its Vault token does, so both are kept between two starts and
//! renewed, and a new user is made only when they cannot be. IAM is eventually consistent: a new user's keys may be
//! refused for some seconds.

mod kept;
mod store;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use jiff::Timestamp;
use rolecall_clock::Clock;
use secrecy::SecretString;

use super::{
    EngineMount, InvalidTrust, VaultAddr, VaultError, VaultErrorKind as Kind, VaultSettings,
    answer::wants_the_other_path,
    api::VaultApi,
    entry::later,
    lease::{Lease, Token},
};
use crate::{flags::duration, metrics::Metrics, which::VaultRole};
use kept::{Failure, Kept, KeptKeys};
use store::{Store, StoreError};

/// Where a pod's token for Vault is looked for.
const VAULT_TOKEN: &str = "/var/run/secrets/vault/token";

/// Where every pod's token for the API server is; Vault takes it if the auth role names no audience.
const ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Gets keys of a Vault role and prints them for an AWS SDK.
///
/// In a pod's ~/.aws/config: credential_process = rolecall-proxy credential-process --vault-addr=… --vault-role=…
#[derive(Clone, Debug, Args)]
pub struct CredentialProcess {
    /// URL of Vault, http:// or https://
    #[arg(long, value_name = "URL")]
    vault_addr: VaultAddr,

    /// Role of Vault's AWS secrets engine, of any credential_type. Keys of a new IAM user may be refused by AWS for some
    /// seconds
    #[arg(long, value_name = "NAME", value_parser = VaultRole::new)]
    vault_role: VaultRole,

    /// Role of Vault's Kubernetes auth method; without it the one named like the Vault role
    #[arg(long, value_name = "NAME")]
    vault_auth_role: Option<String>,

    /// Where Vault's Kubernetes auth method is mounted
    #[arg(long, value_name = "PATH", default_value = "kubernetes")]
    vault_auth_mount: EngineMount,

    /// Where Vault's AWS secrets engine is mounted
    #[arg(long, value_name = "PATH", default_value = "aws")]
    vault_mount: EngineMount,

    /// PEM file of the authorities that Vault's certificate may come from; without it the operating system's
    #[arg(long, value_name = "FILE")]
    vault_ca_cert: Option<PathBuf>,

    /// File with the service account's token to log in with; by default /var/run/secrets/vault/token, and if there is
    /// none the token that every pod has for the API server
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Directory in which the lease is kept (files of mode 0600), so that each start does not make an IAM user; by
    /// default XDG_RUNTIME_DIR, and without that the directory for temporary files
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    cache_dir: Option<PathBuf>,

    /// Keep nothing: each start makes a lease, and of some roles an IAM user with it
    #[arg(long)]
    no_cache: bool,

    /// How long each call of Vault may take, of which there are at most four
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    vault_timeout: Duration,

    /// How far the world's clock is ahead of the real one, in milliseconds, for tests
    #[arg(long, hide = true, env = "ROLECALL_TEST_CLOCK_MS", default_value_t = 0)]
    test_clock_ms: u64,
}

/// There are no keys.
#[derive(Debug, thiserror::Error)]
enum NoKeys {
    #[error("{0}")]
    Vault(#[from] VaultError),
    #[error("{0}")]
    Trust(#[from] InvalidTrust),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error(
        "cannot read the service account's token from {path}: {source}; mount one there, or name its file by --token-file"
    )]
    TokenFile { path: PathBuf, source: io::Error },
    #[error("{0} (a failure of a moment ago, not asked again before {1})")]
    Remembered(String, Timestamp),
    #[error("no answer of Vault within --vault-timeout ({0:?})")]
    Slow(Duration),
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
}

// === impl CredentialProcess ===

impl CredentialProcess {
    /// Prints keys to standard output, or why there are none to standard error. Exit code 0 or 1.
    ///
    /// Builds its own runtime: call it from a thread that is in none.
    pub fn run(&self) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let keys = runtime.map_err(NoKeys::Runtime).and_then(|runtime| {
            let keys = runtime.block_on(async {
                // The calls have limits of their own; this one is for what those cannot see.
                let whole = self.vault_timeout.saturating_mul(5);
                tokio::time::timeout(whole, self.keys()).await
            });
            keys.unwrap_or(Err(NoKeys::Slow(self.vault_timeout)))
        });
        match keys {
            Ok(keys) => match writeln!(io::stdout(), "{}", keys.document()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            },
            Err(reason) => {
                // Nothing is left to say if standard error is closed.
                let _ = writeln!(io::stderr(), "rolecall-proxy credential-process: {reason}");
                ExitCode::FAILURE
            }
        }
    }

    async fn keys(&self) -> Result<KeptKeys, NoKeys> {
        let clock = Clock::new();
        clock.advance(Duration::from_millis(self.test_clock_ms));
        let settings = self.settings();
        let api = VaultApi::new(
            self.vault_addr.clone(),
            self.vault_ca_cert.as_deref(),
            clock.clone(),
            Metrics::new(),
        )?;
        if self.no_cache {
            return self.fetch(&api, &settings).await;
        }
        let store = Store::open(self.cache_dir.as_deref(), &self.identity(&settings), self.vault_timeout).await?;
        let mut kept = store.read();
        let now = clock.wall();
        kept.let_go(now);
        if let Some(keys) = kept.keys.take() {
            kept.keys = self.renewed(&api, keys, now).await;
            if let Some(keys) = kept.keys.as_ref().filter(|keys| !keys.is_nearly_over(now)) {
                store.write(&kept)?;
                return Ok(keys.clone());
            }
        }
        let error = match kept.failure.as_ref().filter(|failure| now < failure.until) {
            Some(failure) => NoKeys::Remembered(failure.text.clone(), failure.until),
            None => match self.fetch(&api, &settings).await {
                Ok(keys) => {
                    let fresh = Kept {
                        keys: Some(keys.clone()),
                        failure: None,
                    };
                    if let Err(error) = store.write(&fresh) {
                        // Nobody would know of its user any more.
                        if let Some(lease) = &keys.lease {
                            let _ = api.revoke(&lease.token(), self.vault_timeout).await;
                        }
                        return Err(error.into());
                    }
                    return Ok(keys);
                }
                Err(error) => {
                    if let NoKeys::Vault(error) = &error {
                        kept.failure = Failure::of(error, kept.failure.take(), clock.wall());
                        if !error.kind.is_transient() {
                            kept.keys = None;
                        }
                    }
                    error
                }
            },
        };
        store.write(&kept)?;
        kept.keys.ok_or(error)
    }

    /// The keys with a later end, if they have a lease and it is time; none if their lease is gone.
    async fn renewed(&self, api: &VaultApi, mut keys: KeptKeys, now: Timestamp) -> Option<KeptKeys> {
        let Some(lease) = keys.lease.as_mut().filter(|lease| lease.wants_renewal(now)) else {
            return Some(keys);
        };
        let token = match api.renew(&lease.token(), self.vault_timeout).await {
            Ok(token) => token,
            Err(error) if error.kind == Kind::TokenGone => return None,
            Err(error) => {
                // Unless Vault could not be asked, another attempt would be told the same.
                lease.token_renewable &= error.kind != Kind::Refused;
                return Some(keys);
            }
        };
        if lease.renewable && lease.until < token.until {
            match api.renew_lease(&lease.id, &token, self.vault_timeout).await {
                Ok(until) => lease.until = until,
                Err(error) => lease.renewable &= error.kind != Kind::Refused,
            }
        }
        lease.renewed(&token);
        (keys.obtained, keys.expiration) = (now, lease.until.min(token.until));
        Some(keys)
    }

    async fn fetch(&self, api: &VaultApi, settings: &VaultSettings) -> Result<KeptKeys, NoKeys> {
        let within = self.vault_timeout;
        let jwt = self.service_account_token()?;
        let role = self.vault_role.name();
        let login = settings.login_path();
        let token = api.login(&login, settings.auth_role(role), &jwt, within).await?;
        let lease = match api.read(&settings.creds_path(role), &token, within).await {
            Err(error) if wants_the_other_path(&error) => api.read(&settings.sts_path(role), &token, within).await,
            other => other,
        };
        match lease {
            Ok(Lease::IamUser(user)) => Ok(KeptKeys::of_user(user, &token, api.now())),
            Ok(Lease::Session(credentials)) => {
                // Keys of STS live to their end, whatever becomes of the lease: nothing is left behind.
                self.revoke(api, &token).await;
                Ok(KeptKeys::of_session(credentials))
            }
            Err(error) => {
                // Whatever the failed call made in AWS hangs on the token.
                self.revoke(api, &token).await;
                Err(error.into())
            }
        }
    }

    async fn revoke(&self, api: &VaultApi, token: &Token) {
        if token.revocable {
            // It ends by itself too.
            let _ = api.revoke(token, self.vault_timeout).await;
        }
    }

    fn service_account_token(&self) -> Result<SecretString, NoKeys> {
        let read = |path: PathBuf| match std::fs::read_to_string(&path) {
            Ok(text) => Ok(SecretString::from(text.trim().to_owned())),
            Err(source) => Err(NoKeys::TokenFile { path, source }),
        };
        match &self.token_file {
            Some(path) => read(path.clone()),
            None => match read(VAULT_TOKEN.into()) {
                Err(NoKeys::TokenFile { path, source }) if source.kind() == io::ErrorKind::NotFound => {
                    read(ACCOUNT_TOKEN.into()).map_err(|_| NoKeys::TokenFile { path, source })
                }
                other => other,
            },
        }
    }

    fn settings(&self) -> VaultSettings {
        VaultSettings {
            address: self.vault_addr.clone(),
            ca_cert: self.vault_ca_cert.clone(),
            auth_mount: self.vault_auth_mount.clone(),
            auth_role: self.vault_auth_role.clone(),
            mount: self.vault_mount.clone(),
            audience: String::new(),
            timeout: self.vault_timeout,
        }
    }

    /// What two starts must agree in to share a lease.
    fn identity(&self, settings: &VaultSettings) -> String {
        let role = self.vault_role.name();
        let token = self.token_file.as_deref().map(|path| path.display().to_string());
        [
            self.vault_addr.to_string(),
            settings.login_path(),
            settings.auth_role(role).to_owned(),
            settings.creds_path(role),
            token.unwrap_or_default(),
        ]
        .join("\n")
    }
}

impl Failure {
    /// What is remembered of an error: only what may have made something in AWS, and would make it again.
    fn of(error: &VaultError, former: Option<Self>, now: Timestamp) -> Option<Self> {
        if !error.may_have_reached_aws() {
            return None;
        }
        let times = former.map_or(0, |former| former.times.saturating_add(1));
        Some(Self {
            text: error.to_string(),
            until: later(now, error.pause().after(times)),
            times,
        })
    }
}
