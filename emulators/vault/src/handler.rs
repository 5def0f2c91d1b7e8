//! From HTTP to a [`Request`] and back, by way of the faults and into the journal.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header, request::Parts};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use rolecall_accept::Peer;
use serde_json::{Map, Value, json};

use crate::{
    body,
    core::Core,
    duration,
    fault::Fault,
    journal::{Door, Entry},
    reply::{Refusal, Reply},
    request::{Operation, Request},
};

/// Answers one request.
pub(crate) async fn answer(
    core: Arc<Core>,
    door: Door,
    peer: Peer,
    request: http::Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let path = path_of(&parts.uri).to_owned();
    let token = token_of(&parts.headers);
    let mut entry = Entry {
        number: 0,
        at: core.now(),
        door,
        from: peer.remote,
        method: parts.method.to_string(),
        role: Entry::role_of(&path),
        path,
        by: None,
        status: 0,
        error: None,
    };
    if let Some(token) = &token {
        entry.by = core
            .state()
            .live_token(token, core.now())
            .map(|token| token.display_name.clone());
    }
    let met = if door == Door::World {
        core.faults.of_request()
    } else {
        Default::default()
    };
    if !met.delay.is_zero() {
        tokio::time::sleep(met.delay).await;
    }
    let answer = match met.fault {
        Some(fault) => faulty(&core, &fault, &parts),
        None => match limited(body).await {
            Ok(body) => {
                let asked = parse(&parts, &body, &entry.path, token);
                if let Ok(asked) = &asked {
                    entry.role = entry.role.take().or_else(|| login_role(asked));
                }
                match asked {
                    Ok(asked) => served(core.clone(), asked, &parts).await,
                    Err(refusal) => refused(&refusal),
                }
            }
            Err(refusal) => refused(&refusal),
        },
    };
    let (response, error) = answer;
    entry.at = core.now();
    entry.status = response.status().as_u16();
    entry.error = error;
    core.journal.add(entry);
    response
}

/// The target's path without `/v1/`.
pub(crate) fn path_of(uri: &Uri) -> &str {
    let path = uri.path();
    path.strip_prefix("/v1/")
        .unwrap_or_else(|| path.trim_start_matches('/'))
}

/// The token that a request carries, by either header.
pub(crate) fn token_of(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    text("x-vault-token")
        .or_else(bearer)
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty())
}

fn login_role(asked: &Request) -> Option<String> {
    let login = asked.path.starts_with("auth/") && asked.path.ends_with("/login");
    let role = login.then(|| asked.data.get("role")).flatten()?;
    role.as_str().map(str::to_owned)
}

async fn limited(body: Incoming) -> Result<Bytes, Refusal> {
    match Limited::new(body, body::LARGEST).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(_) => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "error parsing JSON: http: request body too large",
        )),
    }
}

fn parse(parts: &Parts, body: &[u8], path: &str, token: Option<String>) -> Result<Request, Refusal> {
    if !parts.uri.path().starts_with("/v1/") {
        // There is no web UI to send anybody to.
        return Err(Refusal::absent());
    }
    let query: Map<String, Value> = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    let wants_list = query
        .get("list")
        .and_then(Value::as_str)
        .is_some_and(|list| list == "true" || list == "1");
    let content = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let form = content.starts_with("application/x-www-form-urlencoded");
    let (operation, data) = match parts.method.as_str() {
        "GET" | "HEAD" if wants_list => (Operation::List, query),
        "GET" | "HEAD" => (Operation::Read, query),
        "LIST" => (Operation::List, query),
        "DELETE" => (Operation::Delete, query),
        "POST" | "PUT" => (Operation::Write, body::parse(body, form)?),
        "PATCH" if content.starts_with("application/merge-patch+json") => (Operation::Patch, body::parse(body, false)?),
        "PATCH" => {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("PATCH requires Content-Type of application/merge-patch+json, provided {content}"),
            ));
        }
        "OPTIONS" => return Err(Refusal::unsupported_operation()),
        _ => {
            return Err(Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                errors: Vec::new(),
            });
        }
    };
    let decoded = percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned();
    let path = match operation {
        Operation::List if !decoded.ends_with('/') => decoded + "/",
        _ => decoded,
    };
    let wrap = match parts.headers.get("x-vault-wrap-ttl").map(|value| value.to_str()) {
        None => None,
        Some(Ok(text)) => match duration::parse_text(text) {
            Some(ttl) if ttl.is_positive() => Some(ttl),
            Some(ttl) if ttl.is_zero() => None,
            _ => {
                return Err(Refusal::bad(format!(
                    "error parsing X-Vault-Wrap-TTL header: invalid duration {text:?}"
                )));
            }
        },
        Some(Err(_)) => return Err(Refusal::bad("error parsing X-Vault-Wrap-TTL header")),
    };
    Ok(Request {
        operation,
        path,
        data,
        token,
        wrap,
    })
}

type Answered = (Response<Full<Bytes>>, Option<String>);

async fn served(core: Arc<Core>, asked: Request, parts: &Parts) -> Answered {
    // A client that hangs up does not stop what has begun: an IAM user that was made must be remembered.
    let work = tokio::spawn(async move { core.handle(asked).await });
    match work.await {
        Ok(Ok(reply)) => rendered(reply, parts),
        Ok(Err(refusal)) => refused(&refusal),
        Err(_) => refused(&Refusal::internal("internal error")),
    }
}

fn rendered(reply: Reply, parts: &Parts) -> Answered {
    let (status, body) = reply.render();
    let body = body.filter(|_| parts.method != Method::HEAD);
    (response(status, body), None)
}

fn refused(refusal: &Refusal) -> Answered {
    (
        response(refusal.status, Some(refusal.body())),
        Some(refusal.errors.join("; ")),
    )
}

fn faulty(core: &Core, fault: &Fault, parts: &Parts) -> Answered {
    let path = path_of(&parts.uri);
    match fault {
        Fault::Error(status, message) => refused(&Refusal::new(*status, message.as_str())),
        Fault::Sealed => match path {
            "sys/health" => rendered(core.health(&query_of(parts), Some((true, true))), parts),
            "sys/seal-status" => rendered(core.seal_status(true), parts),
            _ => refused(&Refusal::sealed()),
        },
        Fault::Standby { .. } if path == "sys/health" => {
            rendered(core.health(&query_of(parts), Some((false, true))), parts)
        }
        Fault::Standby { leader } => {
            let to = format!(
                "{}{}",
                leader.trim_end_matches('/'),
                parts.uri.path_and_query().map_or("", |p| p.as_str())
            );
            let mut response = response(StatusCode::TEMPORARY_REDIRECT, None);
            if let Ok(to) = HeaderValue::try_from(to) {
                response.headers_mut().insert(header::LOCATION, to);
            }
            (response, None)
        }
        // Neither is met by a request that is answered.
        Fault::Down | Fault::Delay(_) => refused(&Refusal::internal("internal error")),
    }
}

fn query_of(parts: &Parts) -> Map<String, Value> {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), json!(value)))
        .collect()
}

/// An answer with the headers that all of them have.
pub(crate) fn response(status: StatusCode, body: Option<Value>) -> Response<Full<Bytes>> {
    let text = body.map(|body| format!("{body}\n")).unwrap_or_default();
    let empty = text.is_empty();
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !empty || status == StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000; includeSubDomains"),
    );
    response
}
