use crate::{auth::Presented, params::Params, request::Received, service::Service, web_identity::Jwks};

/// What a request says of itself.
pub(super) struct Asked {
    pub(super) params: Params,
    pub(super) presented: Presented,
    pub(super) service: Service,
    pub(super) region: String,
    /// See [`Call::issuer_keys`](crate::services::Call).
    pub(super) issuer_keys: Option<Result<Jwks, String>>,
}

// === impl Asked ===

impl Asked {
    /// Service and region are those of the credential scope, because its signature binds them.
    pub(super) fn of(request: &Received, presented: Presented, region: &str) -> Self {
        let params = Params::of(request);
        let (service, region) = match &presented {
            Presented::Signed(signed) => (
                Service::of_scope(signed.scope.service(), &request.headers),
                signed.scope.region().to_owned(),
            ),
            _ => (Service::guess(request, &params), region.to_owned()),
        };
        Self {
            params,
            presented,
            service,
            region,
            issuer_keys: None,
        }
    }
}
