//! Services of which a probe needs an operation or two, which is no reason to compile their clients: the request is
//! signed by the SDK's signer with the same credentials, and written by hand.

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use http::Uri;
use rolecall_clock::real_wall;
use serde_json::Value;

use super::{answer::Came, surroundings::Signer, witness::Witness, xml::texts};
use crate::{
    Exchange, Outcome, Patience,
    token::AGENT,
    wire::{Line, Request},
};

/// How much of an answer is kept.
const LIMIT: usize = 1024 * 1024;

/// How an operation is asked for, and where in the answer its list is.
struct Shape {
    /// The service as a signature names it.
    service: &'static str,
    method: &'static str,
    path: &'static str,
    /// The form of EC2's query protocol.
    form: Option<&'static str>,
    /// The element (XML) or key (JSON) that holds what the operation lists.
    item: &'static str,
}

/// Elasticsearch's and OpenSearch's API differ in the date of their path; both sign as `es`.
fn shape(operation: &str) -> Option<Shape> {
    let es = |path| Shape {
        service: "es",
        method: "GET",
        path,
        form: None,
        item: "DomainName",
    };
    let ec2 = |form, item| Shape {
        service: "ec2",
        method: "POST",
        path: "/",
        form: Some(form),
        item,
    };
    Some(match operation {
        "es:ListDomainNames" => es("/2015-01-01/domain"),
        "opensearch:ListDomainNames" => es("/2021-01-01/domain"),
        "ec2:DescribeInstances" => ec2("Action=DescribeInstances&Version=2016-11-15", "instanceId"),
        "ec2:DescribeRegions" => ec2("Action=DescribeRegions&Version=2016-11-15", "regionName"),
        _ => return None,
    })
}

pub(super) async fn ask(operation: &str, signer: &Signer, witness: &Witness) -> Result<Outcome, String> {
    let shape = shape(operation).ok_or_else(|| format!("{operation} is listed, but nothing here calls it"))?;
    let endpoint: Uri = signer
        .endpoint
        .parse()
        .map_err(|err| format!("AWS_ENDPOINT_URL is no URL: {err}"))?;
    let (Some("http"), Some(authority)) = (endpoint.scheme_str(), endpoint.authority()) else {
        return Err(format!(
            "{operation} needs an AWS_ENDPOINT_URL that begins with http://"
        ));
    };
    let target = format!("{}{}", endpoint.path().trim_end_matches('/'), shape.path);
    let body = shape.form.unwrap_or_default();
    let mut headers = vec![("Host", authority.as_str())];
    if shape.form.is_some() {
        headers.push(("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"));
    }
    let uri = format!("http://{authority}{target}");
    let signature = signature(&shape, signer, &uri, &headers, body)?;
    headers.push(AGENT);
    headers.extend(signature.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let authorization = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    witness.leaves(authorization.map(|(_, value)| *value))?;

    let to = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
    // The whole call is bounded by its caller.
    let patience = Patience {
        whole_ms: u64::from(u32::MAX),
        ..Patience::default()
    };
    let request = Request {
        method: shape.method,
        target: &target,
        headers,
        body: shape.form.map(str::as_bytes),
    };
    let (exchange, silence) = Line::new(&to, patience, LIMIT).ask(&request).await;
    if let Some(status) = exchange.status {
        witness.came(status, |name| exchange.header(name));
    }
    Ok(match silence {
        Some(silence) => Outcome::Silence(silence),
        None => outcome(&shape, exchange),
    })
}

/// The headers that sign a request.
fn signature(
    shape: &Shape,
    signer: &Signer,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Vec<(String, String)>, String> {
    let identity = Credentials::clone(&signer.credentials).into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&signer.region)
        .name(shape.service)
        .time(real_wall().into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|err| format!("cannot sign: {err}"))?
        .into();
    let signable = SignableBody::Bytes(body.as_bytes());
    let request = SignableRequest::new(shape.method, uri, headers.iter().copied(), signable);
    let signed = request
        .and_then(|request| sign(request, &params))
        .map_err(|err| format!("cannot sign: {err}"))?;
    let (instructions, _) = signed.into_parts();
    Ok(instructions
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

fn outcome(shape: &Shape, exchange: Exchange) -> Outcome {
    let status = exchange.status.unwrap_or_default();
    let text = &exchange.body.text;
    let json: Option<Value> = serde_json::from_str(text).ok();
    if !(200..300).contains(&status) {
        let (code, message) = refusal(&exchange, json.as_ref());
        return Outcome::Error {
            code: code.unwrap_or_else(|| status.to_string()),
            message,
            status: Some(status),
        };
    }
    let lists = match &json {
        Some(json) => {
            let domains = json["DomainNames"].as_array().into_iter().flatten();
            domains
                .filter_map(|domain| domain[shape.item].as_str().map(str::to_owned))
                .collect()
        }
        None => texts(text, shape.item),
    };
    let came = Came {
        lists: Some(lists),
        json: json.unwrap_or_else(|| Value::String(text.clone())),
        body: Some(exchange.body),
    };
    came.into()
}

/// Code and message: in the body for XML; for JSON the code is in a header, which may add a namespace and an address
/// (`ns#AccessDeniedException:http://…`), or in the body.
fn refusal(exchange: &Exchange, json: Option<&Value>) -> (Option<String>, Option<String>) {
    let Some(json) = json else {
        let first = |element| texts(&exchange.body.text, element).into_iter().next();
        return (first("Code"), first("Message"));
    };
    let member = |names: [&str; 2]| names.into_iter().find_map(|name| json[name].as_str());
    let code = exchange
        .header("x-amzn-errortype")
        .or_else(|| member(["__type", "code"]));
    let bare = |code: &str| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    };
    (code.map(bare), member(["message", "Message"]).map(str::to_owned))
}
