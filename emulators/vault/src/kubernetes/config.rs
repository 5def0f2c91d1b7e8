use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::SecretString;
use serde_json::json;

use crate::{
    core::Core,
    reply::{Done, Refusal, Reply},
    request::Request,
};

/// Where the API server is and how it is asked.
#[derive(Clone)]
pub(crate) struct Config {
    /// `https://host:port`
    pub(crate) host: String,
    /// The authority of its certificate, PEM.
    pub(crate) ca: String,
    /// The token that reviews are asked with; none for the one that is reviewed.
    pub(crate) reviewer_jwt: Option<SecretString>,
    /// The issuer that a JWT must have, where that is asked for.
    pub(crate) issuer: String,
    pub(crate) any_issuer: bool,
    no_local: bool,
}

pub(super) fn read(core: &Core, mount: &str) -> Done {
    let state = core.state();
    let config = state.mounts.kubernetes(mount).and_then(|method| method.config.as_ref());
    let config = config.ok_or_else(Refusal::absent)?;
    Ok(Reply::data(json!({
        "disable_iss_validation": config.any_issuer,
        "disable_local_ca_jwt": config.no_local,
        "issuer": config.issuer,
        "kubernetes_ca_cert": config.ca,
        "kubernetes_host": config.host,
        "pem_keys": [],
        "token_reviewer_jwt_set": config.reviewer_jwt.is_some(),
        "use_annotations_as_alias_metadata": false,
    })))
}

/// A write replaces the whole configuration.
pub(super) fn write(core: &Core, request: &Request, mount: &str) -> Done {
    let fields = request.fields();
    let text = |name: &str| fields.text(name).map(Option::unwrap_or_default);
    let host = text("kubernetes_host")?;
    if host.is_empty() {
        return Err(Refusal::bad("no host provided"));
    }
    let ca = text("kubernetes_ca_cert")?;
    let certificates = CertificateDer::pem_slice_iter(ca.as_bytes())
        .filter(Result::is_ok)
        .count();
    if !ca.is_empty() && certificates == 0 {
        return Err(Refusal::bad("The provided CA PEM data contains no valid certificates"));
    }
    if fields.list("pem_keys")?.is_some_and(|keys| !keys.is_empty()) {
        return Err(Refusal::bad(
            "pem_keys are not implemented here: leave them out, and tokens are reviewed",
        ));
    }
    if fields.flag("use_annotations_as_alias_metadata")?.unwrap_or(false) {
        return Err(Refusal::bad(
            "use_annotations_as_alias_metadata is not implemented here",
        ));
    }
    let no_local = fields.flag("disable_local_ca_jwt")?.unwrap_or(false);
    if ca.is_empty() && !no_local {
        return Err(Refusal::bad(
            "open /var/run/secrets/kubernetes.io/serviceaccount/ca.crt: no such file or directory",
        ));
    }
    let reviewer = text("token_reviewer_jwt")?;
    let config = Config {
        host,
        ca,
        reviewer_jwt: (!reviewer.is_empty()).then(|| reviewer.into()),
        issuer: text("issuer")?,
        any_issuer: fields.flag("disable_iss_validation")?.unwrap_or(true),
        no_local,
    };
    if let Some(method) = core.state().mounts.kubernetes_mut(mount) {
        method.config = Some(config);
    }
    Ok(Reply::none())
}
