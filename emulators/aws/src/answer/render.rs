use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use super::{Ids, Refusal, Xml};
use crate::service::Service;

/// Room for the headers of an answer and those that the server adds: a map that grows is what an answer would wait for.
const HEADERS: usize = 12;

/// A finished answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The AWS error code, or none for a success.
    pub(crate) code: Option<Cow<'static, str>>,
}

// === impl Answer ===

impl Answer {
    /// A success with a body.
    pub(crate) fn ok(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            headers: HeaderMap::new(),
            body: body.into(),
            code: None,
        }
        .header("content-type", content_type)
    }

    /// A success without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            code: None,
        }
    }

    /// Adds a header. Both its parts are of our making or passed this check before they were stored; what is no header is
    /// dropped.
    pub(crate) fn header(self, name: &str, value: impl Into<String>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        self.named(name.ok(), HeaderValue::try_from(value.into()).ok())
    }

    /// Adds a header that always has this value.
    pub(crate) fn fixed(self, name: &'static str, value: &'static str) -> Self {
        let name = HeaderName::from_static(name);
        self.named(Some(name), Some(HeaderValue::from_static(value)))
    }

    /// Adds a header that is one already.
    pub(crate) fn typed(self, name: HeaderName, value: HeaderValue) -> Self {
        self.named(Some(name), Some(value))
    }

    fn named(mut self, name: Option<HeaderName>, value: Option<HeaderValue>) -> Self {
        if let (Some(name), Some(value)) = (name, value) {
            if self.headers.is_empty() {
                self.headers.reserve(HEADERS);
            }
            self.headers.append(name, value);
        }
        self
    }

    /// A success of a query service: `<OpResponse><OpResult>…</OpResult><ResponseMetadata>…`.
    pub(crate) fn query(service: &Service, operation: &str, result: Option<&Xml>, request_id: &str) -> Self {
        let mut xml = Xml::new();
        xml.element(
            &format!("{operation}Response xmlns=\"{}\"", service.namespace()),
            |xml| {
                if let Some(result) = result {
                    xml.element(&format!("{operation}Result"), |xml| {
                        xml.raw(result);
                    });
                }
                xml.element("ResponseMetadata", |xml| {
                    xml.text("RequestId", request_id);
                });
            },
        );
        Self::ok("text/xml", xml.finish())
    }

    /// A success of EC2: `<OpResponse><requestId>…</requestId>…`.
    pub(crate) fn ec2(operation: &str, result: &Xml, request_id: &str) -> Self {
        let mut xml = Xml::document();
        xml.element(
            &format!("{operation}Response xmlns=\"{}\"", Service::Ec2.namespace()),
            |xml| {
                xml.text("requestId", request_id).raw(result);
            },
        );
        Self::ok("text/xml;charset=UTF-8", xml.finish())
    }

    /// A refusal in the form of the service. `head` leaves the body out, as an answer to HEAD has none.
    pub(crate) fn refusal(service: &Service, refusal: &Refusal, ids: &Ids, head: bool) -> Self {
        let request_id = &ids.request;
        let (content_type, body) = match service {
            Service::S3 => ("application/xml", s3_error(refusal, ids)),
            Service::Ec2 => ("text/xml;charset=UTF-8", ec2_error(refusal, request_id)),
            Service::Iam | Service::Sts => ("text/xml", query_error(service, refusal, request_id)),
            Service::Es => ("application/json", json_error(refusal, false)),
            Service::Other { json: true, .. } => ("application/x-amz-json-1.1", json_error(refusal, true)),
            Service::Other { json: false, .. } => ("text/xml", query_error(service, refusal, request_id)),
        };
        let answer = Self {
            status: refusal.status,
            headers: HeaderMap::new(),
            body: if head { Bytes::new() } else { body.into() },
            code: Some(refusal.code.clone()),
        }
        .header("content-type", content_type);
        match service {
            Service::Es => answer.header("x-amzn-errortype", refusal.code.clone()),
            _ => answer,
        }
    }

    /// The answer on the wire, with the ids as the service's headers.
    pub(crate) fn into_response(self, service: &Service, ids: &Ids) -> Response<Full<Bytes>> {
        let mut headers = self.headers;
        let name = match service {
            Service::S3 => "x-amz-request-id",
            _ => "x-amzn-requestid",
        };
        // They are letters and digits of our making.
        for (name, id) in [(name, Some(&ids.request)), ("x-amz-id-2", ids.host.as_ref())] {
            if let Some(Ok(id)) = id.map(HeaderValue::try_from) {
                headers.insert(HeaderName::from_static(name), id);
            }
        }
        headers.insert(header::SERVER, HeaderValue::from_static("Rolecall"));
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response
    }
}

fn s3_error(refusal: &Refusal, ids: &Ids) -> String {
    let mut xml = Xml::document();
    xml.element("Error", |xml| {
        xml.text("Code", &refusal.code).text("Message", &refusal.message);
        for (name, text) in &refusal.details {
            xml.text(name, text);
        }
        xml.text("RequestId", &ids.request)
            .optional("HostId", ids.host.as_deref());
    });
    xml.finish()
}

fn query_error(service: &Service, refusal: &Refusal, request_id: &str) -> String {
    let mut xml = Xml::new();
    xml.element(&format!("ErrorResponse xmlns=\"{}\"", service.namespace()), |xml| {
        xml.element("Error", |xml| {
            xml.text("Type", if refusal.status < 500 { "Sender" } else { "Receiver" })
                .text("Code", &refusal.code)
                .text("Message", &refusal.message);
        });
        xml.text("RequestId", request_id);
    });
    xml.finish()
}

fn ec2_error(refusal: &Refusal, request_id: &str) -> String {
    let mut xml = Xml::document();
    xml.element("Response", |xml| {
        xml.element("Errors", |xml| {
            xml.element("Error", |xml| {
                xml.text("Code", &refusal.code).text("Message", &refusal.message);
            });
        });
        xml.text("RequestID", request_id);
    });
    xml.finish()
}

/// AWS spells the member `Message` where policy refused and `message` where authentication did.
fn json_error(refusal: &Refusal, typed: bool) -> String {
    let member = if refusal.code == "AccessDeniedException" && !typed {
        "Message"
    } else {
        "message"
    };
    let mut body = serde_json::Map::new();
    if typed {
        body.insert("__type".to_owned(), refusal.code.clone().into());
    }
    body.insert(member.to_owned(), refusal.message.clone().into());
    serde_json::Value::Object(body).to_string()
}
