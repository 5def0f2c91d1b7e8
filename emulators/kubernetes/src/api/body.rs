use std::convert::Infallible;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_TYPE, WARNING},
};
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use serde_json::Value;

use super::ApiError;

/// The body of every answer.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What a request may send: etcd's limit of 1.5 MB, doubled, as in the server.
const LIMIT: usize = 3 * 1024 * 1024;

/// Reads a body whole.
pub(super) async fn read(body: Incoming) -> Result<Bytes, ApiError> {
    match Limited::new(body, LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(ApiError::too_large()),
        Err(error) => Err(ApiError::bad_request(format!(
            "reading the body of the request: {error}"
        ))),
    }
}

/// The media type of a request without its parameters, in lower case; empty if there is none.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads an object of `kind` from JSON or YAML.
pub(super) fn decode(kind: &str, media_type: &str, body: &[u8]) -> Result<Value, ApiError> {
    match media_type {
        "" | "application/json" => serde_json::from_slice(body).map_err(|error| unrecognized(kind, &error)),
        "application/yaml" => serde_yaml::from_slice(body).map_err(|error| unrecognized(kind, &error)),
        _ => Err(ApiError::unsupported_media_type("application/json, application/yaml")),
    }
}

/// A body that is no document at all.
fn unrecognized(kind: &str, error: &dyn std::error::Error) -> ApiError {
    ApiError::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {error}"
    ))
}

pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    bytes(status, "application/json", value.to_string().into())
}

pub(super) fn text(value: &'static str) -> Response<Body> {
    bytes(StatusCode::OK, "text/plain; charset=utf-8", value.into())
}

pub(super) fn bytes(status: StatusCode, media_type: &'static str, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(bytes).boxed_unsync());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    response
}

/// Adds a warning for each text, as kubectl shows them (`Warning: 299 - "…"`).
pub(super) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let value = format!("299 - \"{}\"", warning.replace('\\', "\\\\").replace('"', "\\\""));
        if let Ok(value) = http::HeaderValue::try_from(value) {
            response.headers_mut().append(WARNING, value);
        }
    }
}

/// An answer that goes on: one JSON document a line.
pub(super) fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let frames = lines.map(|line| Ok::<_, Infallible>(Frame::data(line)));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
