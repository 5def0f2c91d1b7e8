use crate::{
    answer::Refusal,
    params::Params,
    request::Received,
    service::Service,
    services::{es, s3, unknown},
    state::State,
};

/// The operation of a request.
pub(super) enum Target {
    Query(String),
    S3(s3::Operation, s3::Route),
    Es,
    Unknown(Option<String>),
    Refused(Refusal),
}

// === impl Target ===

impl Target {
    /// Reads which operation of its service a request is for.
    pub(super) fn of(service: &Service, request: &Received, params: &Params, state: &State) -> Self {
        match service {
            Service::S3 => match s3::Route::of(request, state) {
                Ok(route) => match route.operation {
                    Some(operation) => Self::S3(operation, route),
                    None => Self::Unknown(None),
                },
                Err(refusal) => Self::Refused(refusal),
            },
            Service::Es if es::operation(request).is_some() => Self::Es,
            Service::Iam | Service::Sts | Service::Ec2 => match unknown::operation(request, params) {
                Some(operation) => Self::Query(operation),
                None => Self::Unknown(None),
            },
            _ => Self::Unknown(unknown::operation(request, params)),
        }
    }

    /// The operation's name in the journal.
    pub(super) fn operation(&self) -> String {
        match self {
            Self::Query(name) | Self::Unknown(Some(name)) => name.clone(),
            Self::S3(operation, _) => operation.name().to_owned(),
            Self::Es => "ListDomainNames".to_owned(),
            Self::Unknown(None) | Self::Refused(_) => "unknown".to_owned(),
        }
    }
}
