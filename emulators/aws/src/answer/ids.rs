use crate::{
    identity::{host_id, request_id, s3_request_id},
    service::Service,
};

/// The ids that an answer carries: in its headers, and in the body of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    /// In the form of the service.
    pub(crate) request: String,
    /// The second one of S3: `x-amz-id-2`, in an error `HostId`.
    pub(crate) host: Option<String>,
}

// === impl Ids ===

impl Ids {
    /// New ones.
    pub(crate) fn new(service: &Service) -> Self {
        match service {
            Service::S3 => Self {
                request: s3_request_id(),
                host: Some(host_id()),
            },
            _ => Self {
                request: request_id(),
                host: None,
            },
        }
    }
}
