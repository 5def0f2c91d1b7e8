//! Signing, by rcgen.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer};

/// A certificate authority, and the server certificate that it has issued.
///
/// Both are valid from 1975 to 4096 (rcgen's default), so that a moved clock does not end them.
#[derive(Clone)]
pub struct Certificates {
    /// The authority's certificate, PEM.
    pub ca_pem: String,
    /// What a server presents: HTTP/2 or HTTP/1.1, no client certificates.
    pub server: Arc<ServerConfig>,
}

/// The certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// A name is neither a DNS name nor an address, or a certificate could not be signed.
    #[error("issuing certificates for {names:?}; give DNS names and IP addresses only")]
    Issue {
        /// The names that the server certificate was to cover.
        names: Vec<String>,
        /// What rcgen refused.
        source: rcgen::Error,
    },
    /// rustls does not take the certificate.
    #[error("configuring the server's TLS")]
    Configure(#[from] rustls::Error),
}

// === impl Certificates ===

impl Certificates {
    /// Makes an authority called `authority` and its certificate of `server` for `names` (DNS names, `*.` before one for
    /// any host in it, and addresses), with P-256 keys.
    ///
    /// # Errors
    /// A name that no certificate can carry.
    pub fn issue(authority: &str, server: &str, names: &[String]) -> Result<Self, CertificatesError> {
        let (ca_pem, certificate, key) = sign(authority, server, names).map_err(|source| CertificatesError::Issue {
            names: names.to_vec(),
            source,
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            ca_pem,
            server: Arc::new(server),
        })
    }
}

fn sign(
    authority_name: &str,
    server_name: &str,
    names: &[String],
) -> Result<(String, rcgen::Certificate, KeyPair), rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, authority_name);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_key = KeyPair::generate()?;
    let ca_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, server_name);
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let server_key = KeyPair::generate()?;
    let certificate = server.signed_by(&server_key, &issuer)?;
    Ok((ca_pem, certificate, server_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_certificate_can_carry_is_refused_by_name() {
        let error = Certificates::issue("authority", "server", &["käse".to_owned()])
            .map(|_| ())
            .unwrap_err();
        assert!(error.to_string().contains("käse"), "{error}");
    }
}
