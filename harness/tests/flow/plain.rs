//! Requests that no client of AWS makes: a link that is opened, and a word to the control listener.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

use crate::{
    driver::{Answer, Refusal},
    rust_sdk::RUNTIME,
};

/// Opens a link to an object.
///
/// # Errors
/// There is no answer.
pub(crate) fn open(link: &str) -> Result<Answer, String> {
    let request = Request::get(link).body(Full::default());
    let (status, body) = send(request.map_err(|error| error.to_string())?)?;
    if status == 200 {
        return Ok(Answer::Done(json!({"Body": body})));
    }
    let element = |name: &str| {
        let (_, after) = body.split_once(&format!("<{name}>"))?;
        Some(after.split_once('<')?.0)
    };
    let (code, message) = (element("Code"), element("Message"));
    let refusal = Refusal::new(status, code.unwrap_or_default(), message.unwrap_or_default());
    Ok(Answer::Refused(refusal))
}

/// Tells a control listener something.
///
/// # Errors
/// There is no answer, or another one than 200.
pub(crate) fn tell(control: &str, token: &str, path: &str, what: &Value) -> Result<(), String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{control}/v1/{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::from(what.to_string()));
    match send(request.map_err(|error| error.to_string())?)? {
        (200, _) => Ok(()),
        (status, body) => Err(format!("the control listener answered {status} {body}")),
    }
}

fn send(request: Request<Full<Bytes>>) -> Result<(u16, String), String> {
    let asking = async {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client
            .request(request)
            .await
            .map_err(|error| format!("no answer: {error}"))?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
        Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    };
    RUNTIME
        .block_on(async { tokio::time::timeout(Duration::from_secs(30), asking).await })
        .map_err(|_| "no answer within 30 s".to_owned())?
}
