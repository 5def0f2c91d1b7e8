//! Calls of IAM and STS as the AWS SDK for Go makes them: signed, sorted, tried again.

use std::{collections::BTreeMap, time::Duration};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use secrecy::ExposeSecret as _;

use super::{config::Root, xml::Document};
use crate::{core::Core, mint, reply::Refusal};

const USER_AGENT: &str = "aws-sdk-go/1.55.8 (go1.26.8; linux; amd64)";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// Codes by which AWS says that it is asked too often.
const THROTTLES: [&str; 9] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "PriorRequestNotComplete",
];
/// Further codes after which a call is tried again.
const PASSING: [&str; 5] = [
    "RequestTimeout",
    "RequestTimeoutException",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
];

/// Where a service is asked, and the scope that is signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    url: String,
    region: String,
    service: &'static str,
}

/// Why a call failed. The text is the SDK's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AwsError {
    /// AWS has refused.
    #[error("{code}: {message}\n\tstatus code: {status}, request id: {request_id}")]
    Refused {
        code: String,
        message: String,
        status: u16,
        request_id: String,
    },
    /// The SDK itself refuses, or there was no answer.
    #[error("{0}")]
    Local(String),
    /// Nobody accepts there.
    #[error("RequestError: send request failed\ncaused by: Post {url:?}: {why}")]
    Unreachable { url: String, why: String },
}

/// The parameters of a call.
pub(super) type Params = BTreeMap<String, String>;

// === impl Endpoint ===

impl Endpoint {
    pub(super) fn new(url: &str, region: &str, service: &'static str) -> Self {
        let url = if url.contains("://") {
            url.to_owned()
        } else {
            format!("https://{url}")
        };
        Self {
            url: format!("{}/", url.trim_end_matches('/')),
            region: region.to_owned(),
            service,
        }
    }

    fn version(&self) -> &'static str {
        if self.service == "sts" {
            "2011-06-15"
        } else {
            "2010-05-08"
        }
    }
}

// === impl AwsError ===

impl AwsError {
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Local(_) | Self::Unreachable { .. } => "",
        }
    }

    /// What Vault answers: 502 where AWS throttles, else 400.
    pub(super) fn refusal(&self, doing: &str) -> Refusal {
        let status = if THROTTLES.contains(&self.code()) {
            StatusCode::BAD_GATEWAY
        } else {
            StatusCode::BAD_REQUEST
        };
        Refusal::new(status, format!("{doing}: {self}"))
    }

    /// The pause before the next try: short, long where AWS is overloaded, and none where trying is in vain.
    fn pause(&self, tried: u32) -> Option<Duration> {
        let (short, long) = (30, 500);
        let least = match self {
            Self::Refused { code, status, .. } => {
                if THROTTLES.contains(&code.as_str()) || [429, 502, 503, 504].contains(status) {
                    long
                } else if (*status >= 500 && *status != 501) || PASSING.contains(&code.as_str()) {
                    short
                } else {
                    return None;
                }
            }
            Self::Unreachable { .. } => short,
            Self::Local(_) => return None,
        };
        Some(Duration::from_millis((mint::below(least) + least) << tried.min(9)))
    }
}

/// Calls an action, and again where that may help.
///
/// # Errors
/// The last try's.
pub(super) async fn call(
    core: &Core,
    root: &Root,
    endpoint: &Endpoint,
    action: &str,
    params: &[(&str, &str)],
) -> Result<Document, AwsError> {
    let mut all: Params = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    all.insert("Action".to_owned(), action.to_owned());
    all.insert("Version".to_owned(), endpoint.version().to_owned());
    let body: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&all)
        .finish();
    let mut tried = 0;
    loop {
        let error = match once(core, root, endpoint, &body).await {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        match error.pause(tried).filter(|_| tried < root.retries()) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
        tried += 1;
    }
}

async fn once(core: &Core, root: &Root, endpoint: &Endpoint, body: &str) -> Result<Document, AwsError> {
    let local = |why: String| AwsError::Local(format!("RequestError: send request failed\ncaused by: {why}"));
    let uri: Uri = endpoint
        .url
        .parse()
        .map_err(|error| local(format!("{}: {error}", endpoint.url)))?;
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::post(uri.clone())
        .header(header::HOST, host)
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_LENGTH, body.len())
        .header(header::CONTENT_TYPE, FORM)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .map_err(|error| local(error.to_string()))?;
    signed(core, root, endpoint, &mut request).map_err(local)?;
    let answer = core.outgoing.call(request, core.authorities.as_deref()).await;
    let answer = answer.map_err(|error| AwsError::Unreachable {
        url: endpoint.url.clone(),
        why: error.to_string(),
    })?;
    let status = answer.status();
    let text = String::from_utf8_lossy(answer.body());
    let document = Document::parse(&text);
    let header_id = answer
        .headers()
        .get("x-amzn-requestid")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default();
    match document {
        Some(document) if status.is_success() => Ok(document),
        Some(document) if document.text("Error/Code").is_some() => Err(AwsError::Refused {
            code: document.text("Error/Code").unwrap_or_default(),
            message: document.text("Error/Message").unwrap_or_default(),
            status: status.as_u16(),
            request_id: document.text("RequestId").unwrap_or_else(|| header_id.to_owned()),
        }),
        _ => Err(AwsError::Refused {
            code: "SerializationError".to_owned(),
            message: "failed to unmarshal error message".to_owned(),
            status: status.as_u16(),
            request_id: header_id.to_owned(),
        }),
    }
}

fn signed(core: &Core, root: &Root, endpoint: &Endpoint, request: &mut Request<Bytes>) -> Result<(), String> {
    let identity = Credentials::new(
        &root.access_key,
        root.secret_key.expose_secret(),
        None,
        None,
        "config/root",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&endpoint.region)
        .name(endpoint.service)
        .time(core.now().into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let headers = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let body = SignableBody::Bytes(request.body());
    let signable =
        SignableRequest::new("POST", request.uri().to_string(), headers, body).map_err(|error| error.to_string())?;
    let (instructions, _) = sign(signable, &params).map_err(|error| error.to_string())?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}
