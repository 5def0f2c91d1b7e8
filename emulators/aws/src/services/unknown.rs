//! What the front does not serve, answered as AWS answers an operation that does not exist.

use crate::{answer::Refusal, params::Params, request::Received, service::Service};

/// The operation's name where the request tells one: `Action`, or the end of `X-Amz-Target`.
pub(crate) fn operation(request: &Received, params: &Params) -> Option<String> {
    let target = || {
        request
            .header("x-amz-target")
            .and_then(|target| target.rsplit('.').next())
    };
    params
        .get("Action")
        .or_else(target)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

/// The error for an operation that is not served.
pub(crate) fn refusal(service: &Service, operation: Option<&str>) -> Refusal {
    match service {
        Service::S3 => Refusal::new(
            501,
            "NotImplemented",
            "A header or query parameter you provided implies functionality that is not implemented.",
        ),
        Service::Ec2 => Refusal::new(
            400,
            "InvalidAction",
            format!(
                "The action {} is not valid for this web service.",
                operation.unwrap_or_default()
            ),
        ),
        Service::Iam | Service::Sts | Service::Other { json: false, .. } => match operation {
            Some(operation) => Refusal::new(
                400,
                "InvalidAction",
                format!("Could not find operation {operation} for version {}", service.version()),
            ),
            None => Refusal::new(400, "MissingAction", "The request must contain the parameter Action"),
        },
        Service::Es | Service::Other { json: true, .. } => Refusal::new(
            404,
            "UnknownOperationException",
            "The requested operation is not recognized by the service.",
        ),
    }
}
