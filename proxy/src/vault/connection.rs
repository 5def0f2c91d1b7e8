//! HTTP to Vault.

use std::{fmt, path::Path, str::FromStr, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri::Scheme};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use secrecy::{ExposeSecret as _, SecretString};

/// Largest answer that is read, in bytes.
const LARGEST: usize = 256 * 1024;

/// Idle connections are closed after that time, sooner than load balancers close them.
const IDLE: Duration = Duration::from_secs(30);

/// Where Vault is: `http://` or `https://`, a host, and a path if Vault is served below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultAddr {
    /// Without a slash at its end.
    url: String,
    tls: bool,
}

/// `--vault-addr` is no address of a Vault.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a URL as https://vault.example:8200, without user, query or fragment")]
pub struct InvalidVaultAddr;

/// The authorities that Vault's certificate may come from cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read the authorities for Vault's certificate from {place}: {reason}; give a PEM file by --vault-ca-cert"
)]
pub struct InvalidTrust {
    place: String,
    reason: String,
}

/// A client of one Vault.
pub(super) struct Connection {
    address: VaultAddr,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What Vault answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// There is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    Unreachable(String),
    Slow(String),
    /// It leads elsewhere, and that may not be followed, or leads elsewhere again.
    Led(String),
}

// === impl VaultAddr ===

impl FromStr for VaultAddr {
    type Err = InvalidVaultAddr;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| InvalidVaultAddr)?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(InvalidVaultAddr),
        };
        let host = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        if host.is_empty() || host.starts_with(':') || host.contains('@') || uri.query().is_some() || text.contains('#')
        {
            return Err(InvalidVaultAddr);
        }
        let (scheme, path) = (if tls { "https" } else { "http" }, uri.path().trim_end_matches('/'));
        Ok(Self {
            url: format!("{scheme}://{host}{path}"),
            tls,
        })
    }
}

impl fmt::Display for VaultAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

// === impl Connection ===

impl Connection {
    /// Nothing is asked yet.
    pub(super) fn new(address: VaultAddr, ca_cert: Option<&Path>) -> Result<Self, InvalidTrust> {
        let roots = match (ca_cert, address.tls) {
            (Some(path), _) => from_file(path)?,
            (None, true) => of_the_system()?,
            (None, false) => RootCertStore::empty(),
        };
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| InvalidTrust {
                place: "rustls".to_owned(),
                reason: error.to_string(),
            })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { address, client })
    }

    /// Asks for `path` below `/v1/`, and gives up after `within`. Follows one redirection, as a standby makes them when
    /// it cannot forward, but never from TLS to plain HTTP.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&serde_json::Value>,
        within: Duration,
    ) -> Result<Answer, NoAnswer> {
        let asking = self.follow(method, path, token, body);
        match tokio::time::timeout(within, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(NoAnswer::Slow(format!("no answer within {within:?}"))),
        }
    }

    async fn follow(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, NoAnswer> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        let url = format!("{}/v1/{path}", self.address);
        let first = self.send(&method, &url, token, body.clone()).await?;
        if !first.status().is_redirection() {
            return read(first).await;
        }
        let to = self.leader(&first)?;
        let second = self.send(&method, &to, token, body).await?;
        if second.status().is_redirection() {
            return Err(NoAnswer::Led(format!("{to} leads elsewhere again")));
        }
        read(second).await
    }

    fn leader(&self, answer: &Response<Incoming>) -> Result<String, NoAnswer> {
        let location = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok());
        let status = answer.status().as_u16();
        match location {
            Some(url) if url.starts_with("https://") || (!self.address.tls && url.starts_with("http://")) => {
                Ok(url.to_owned())
            }
            Some(_) => Err(NoAnswer::Led(format!("{status} to an address that is not followed"))),
            None => Err(NoAnswer::Led(format!("{status} without an address"))),
        }
    }

    async fn send(
        &self,
        method: &Method,
        url: &str,
        token: Option<&SecretString>,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>, NoAnswer> {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(url)
            .header("x-vault-request", "true")
            .header(header::ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(token.expose_secret()).map_err(unreachable)?;
            value.set_sensitive(true);
            request = request.header("x-vault-token", value);
        }
        let request = request.body(Full::new(body.unwrap_or_default())).map_err(unreachable)?;
        self.client.request(request).await.map_err(unreachable)
    }
}

async fn read(answer: Response<Incoming>) -> Result<Answer, NoAnswer> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| NoAnswer::Unreachable(chain(&*error)))?.to_bytes();
    Ok(Answer { status, body })
}

fn unreachable(error: impl std::error::Error) -> NoAnswer {
    NoAnswer::Unreachable(chain(&error))
}

/// An error with its causes; a client's own text alone says only that it could not connect.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn from_file(path: &Path) -> Result<RootCertStore, InvalidTrust> {
    let invalid = |reason: String| InvalidTrust {
        place: path.display().to_string(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| invalid(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(invalid("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn of_the_system() -> Result<RootCertStore, InvalidTrust> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(InvalidTrust {
            place: "the operating system".to_owned(),
            reason: format!("there are none {}", reasons.join("; ")),
        });
    }
    Ok(roots)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://vault.vault.svc:8200", Some("http://vault.vault.svc:8200"))]
    #[case("https://vault.example/", Some("https://vault.example"))]
    #[case("https://example.com/behind/vault/", Some("https://example.com/behind/vault"))]
    #[case("https://[::1]:8200", Some("https://[::1]:8200"))]
    #[case("vault:8200", None)]
    #[case("ftp://vault", None)]
    #[case("http://", None)]
    #[case("http://user:password@vault", None)]
    #[case("http://vault?x=1", None)]
    #[case("http://vault#x", None)]
    fn an_address_is_a_url_of_http(#[case] text: &str, #[case] address: Option<&str>) {
        let found = text.parse::<VaultAddr>().ok().map(|address| address.to_string());
        assert_eq!(found.as_deref(), address);
    }
}
