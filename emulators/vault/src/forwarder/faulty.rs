//! Answers that the server behind did not give.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    handler::{path_of, response},
};

/// An answer with one error.
pub(super) fn refusal(status: StatusCode, error: &str) -> Response<Bytes> {
    whole(status, &json!({ "errors": [error] }))
}

fn whole(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(format!("{body}\n")));
    *answer.status_mut() = status;
    *answer.headers_mut() = response(status, Some(Value::Null)).headers().clone();
    answer
}

/// The answers of a server in a state that this one is not in.
pub(super) fn faulty(fault: &Fault, parts: &http::request::Parts) -> Response<Bytes> {
    let path = path_of(&parts.uri);
    let health = |sealed: bool| {
        let replication = if sealed { "unknown" } else { "disabled" };
        json!({
            "initialized": true, "sealed": sealed, "standby": true, "performance_standby": false,
            "replication_performance_mode": replication, "replication_dr_mode": replication, "version": "1.21.4",
            "enterprise": false,
        })
    };
    match fault {
        Fault::Error(status, message) => refusal(*status, message),
        Fault::Sealed if path == "sys/health" => whole(StatusCode::SERVICE_UNAVAILABLE, &health(true)),
        Fault::Sealed if path == "sys/seal-status" => {
            let body = json!({ "type": "shamir", "initialized": true, "sealed": true, "t": 1, "n": 1, "progress": 0 });
            whole(StatusCode::OK, &body)
        }
        Fault::Sealed => refusal(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed"),
        Fault::Standby { .. } if path == "sys/health" => whole(StatusCode::TOO_MANY_REQUESTS, &health(false)),
        Fault::Standby { leader } => {
            let target = parts.uri.path_and_query().map_or("", |path| path.as_str());
            let mut answer = response(StatusCode::TEMPORARY_REDIRECT, None).map(|_| Bytes::new());
            if let Ok(to) = HeaderValue::try_from(format!("{}{target}", leader.trim_end_matches('/'))) {
                answer.headers_mut().insert(header::LOCATION, to);
            }
            answer
        }
        Fault::Down | Fault::Delay(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
    }
}
