//! The keys of the world's Kubernetes, by which AWS checks a pod's web identity.

use http::Request;
use rolecall_aws::{IssuerKeys, JwksFuture};

/// Asks the API server for the keys of its tokens, as AWS asks an issuer's `jwks_uri`. No other issuer is reached from here.
pub(super) struct ClusterKeys {
    pub(super) client: kube::Client,
    pub(super) issuer: String,
}

// === impl ClusterKeys ===

impl IssuerKeys for ClusterKeys {
    fn jwks<'a>(&'a self, issuer_url: &'a str) -> JwksFuture<'a> {
        Box::pin(async move {
            if issuer_url != self.issuer {
                return Err(format!("{issuer_url} is not the issuer of this world, which is {}", self.issuer).into());
            }
            let request = Request::get("/openid/v1/jwks").body(Vec::new())?;
            Ok(self.client.request_text(request).await?)
        })
    }
}

impl std::fmt::Debug for ClusterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterKeys")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
