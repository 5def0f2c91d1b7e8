use std::time::Duration;

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use super::{Body, Element, Upstream, driven::Driver};
use crate::answer::Refusal;

/// Length of what a made-up signature says besides key, region and service.
const SIGNED: usize = 90;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Longest answer that is read whole.
const ANSWER: usize = 64 << 20;
/// Time that the upstream may take for the head of an answer, and for the rest of one that is read whole. It loads some
/// services when they are first asked.
const TIME: Duration = Duration::from_secs(120);

/// Speaks to the upstream. It takes the account from the key id, and verifies no signature.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    authority: String,
    driver: Driver,
    /// For bodies that pass: their connections go on taking them when an answer comes before their end.
    http: Http<HttpConnector, Body>,
}

/// A query service's answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why the upstream did not answer as it had to.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the upstream http://{authority} cannot be reached: {message}")]
    Unreachable { authority: String, message: String },
    #[error("the upstream http://{authority} did not answer within {} seconds", TIME.as_secs())]
    Late { authority: String },
    #[error("the upstream answered {operation} with {status}: {message}")]
    Refused {
        operation: String,
        status: u16,
        /// Its error code, or what is known instead.
        code: String,
        message: String,
    },
    #[error("the upstream's answer to {operation} cannot be read: {what}")]
    Unreadable { operation: String, what: String },
}

// === impl Client ===

impl Client {
    pub(crate) fn new(upstream: &Upstream) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        connector.set_nodelay(true);
        Self {
            authority: upstream.authority().to_owned(),
            driver: Driver::new(upstream.authority()),
            http: Http::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(20))
                .build(connector),
        }
    }

    /// Sends a request as this key, and returns with the head of the answer.
    pub(crate) async fn send(
        &self,
        signer: &Signer<'_>,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, UpstreamError> {
        let unreachable = |message: String| UpstreamError::Unreachable {
            authority: self.authority.clone(),
            message,
        };
        signer.sign(&mut headers);
        let asking = async {
            let request = Request::builder().method(method);
            match body {
                Body::Whole(body) => {
                    if let Ok(host) = HeaderValue::try_from(&self.authority) {
                        headers.insert(header::HOST, host);
                    }
                    let mut request = request.uri(path).body(body)?;
                    *request.headers_mut() = headers;
                    Ok(self.driver.send(request).await?.map(Body::Driven))
                }
                body => {
                    let mut request = request.uri(format!("http://{}{path}", self.authority)).body(body)?;
                    *request.headers_mut() = headers;
                    Ok::<_, BoxError>(self.http.request(request).await?.map(Body::Passing))
                }
            }
        };
        match tokio::time::timeout(TIME, asking).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let source = error.source().map(|source| format!(": {source}"));
                Err(unreachable(format!("{error}{}", source.unwrap_or_default())))
            }
            Err(_) => Err(UpstreamError::Late {
                authority: self.authority.clone(),
            }),
        }
    }

    /// Reads an answer's body whole.
    pub(crate) async fn read(&self, response: Response<Body>) -> Result<Reply, UpstreamError> {
        let (head, body) = response.into_parts();
        let read = tokio::time::timeout(TIME, Limited::new(body, ANSWER).collect());
        match read.await {
            Ok(Ok(body)) => Ok(Reply {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            }),
            Ok(Err(error)) => Err(UpstreamError::Unreachable {
                authority: self.authority.clone(),
                message: error.to_string(),
            }),
            Err(_) => Err(UpstreamError::Late {
                authority: self.authority.clone(),
            }),
        }
    }

    /// Asks a query service, whatever it answers.
    pub(crate) async fn query(
        &self,
        signer: &Signer<'_>,
        version: &str,
        operation: &str,
        params: &[(String, String)],
    ) -> Result<Reply, UpstreamError> {
        let form = {
            let mut form = Serializer::new(String::new());
            form.append_pair("Action", operation).append_pair("Version", version);
            for (name, value) in params {
                form.append_pair(name, value);
            }
            form.finish()
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
        let body = Body::whole(form);
        let response = self.send(signer, Method::POST, "/", headers, body).await?;
        self.read(response).await
    }

    /// Asks IAM for an account, which must succeed.
    pub(crate) async fn iam(
        &self,
        account: &str,
        operation: &str,
        params: &[(&str, &str)],
    ) -> Result<Element, UpstreamError> {
        let signer = Signer {
            key_id: account,
            region: "us-east-1",
            service: "iam",
        };
        let params: Vec<(String, String)> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.query(&signer, "2010-05-08", operation, &params)
            .await?
            .success(operation)
    }

    /// Asks S3 for an account, without a body in either direction that matters.
    pub(crate) async fn s3(&self, account: &str, method: Method, path: &str) -> Result<Reply, UpstreamError> {
        let signer = Signer {
            key_id: account,
            region: "us-east-1",
            service: "s3",
        };
        let response = self
            .send(&signer, method, path, HeaderMap::new(), Body::whole(Bytes::new()))
            .await?;
        self.read(response).await
    }
}

/// As whom the upstream is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    /// A key that the upstream issued, or the number of an account, which then is who asks.
    pub(crate) key_id: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

// === impl Signer ===

impl Signer<'_> {
    /// Names key, region and service. The signature is none: the upstream does not look at it, and the front alone knows
    /// what was verified.
    fn sign(&self, headers: &mut HeaderMap) {
        // As short as it can be: the upstream verifies none of it, not even the day, and takes longer for each header that it
        // is sent.
        let mut credential = String::with_capacity(SIGNED + self.key_id.len() + self.region.len() + self.service.len());
        credential.push_str("AWS4-HMAC-SHA256 Credential=");
        for (part, end) in [
            (self.key_id, "/20000101/"),
            (self.region, "/"),
            (self.service, "/aws4_request, SignedHeaders=host, Signature=0"),
        ] {
            credential.extend(part.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-'));
            credential.push_str(end);
        }
        // All of it is letters, digits and dashes by now, so that it is a header.
        if let Ok(credential) = HeaderValue::try_from(credential) {
            headers.insert(header::AUTHORIZATION, credential);
        }
    }
}

// === impl Reply ===

impl Reply {
    /// The body as XML.
    pub(crate) fn xml(&self) -> Option<Element> {
        Element::parse(std::str::from_utf8(&self.body).ok()?)
    }

    /// The error code of an answer that is one.
    pub(crate) fn code(&self) -> Option<String> {
        self.xml()?.code()
    }

    /// The XML of an answer that must be a success.
    pub(crate) fn success(self, operation: &str) -> Result<Element, UpstreamError> {
        let xml = self.xml();
        if !self.status.is_success() {
            let text = |name: &str| {
                let found = xml.as_ref().and_then(|xml| xml.find(name));
                found.map(|found| found.text.clone()).unwrap_or_default()
            };
            return Err(UpstreamError::Refused {
                operation: operation.to_owned(),
                status: self.status.as_u16(),
                code: text("Code"),
                message: text("Message"),
            });
        }
        xml.ok_or_else(|| UpstreamError::Unreadable {
            operation: operation.to_owned(),
            what: "it is no XML".to_owned(),
        })
    }
}

// === impl Element ===

impl Element {
    /// The code of an error of any service.
    pub(crate) fn code(&self) -> Option<String> {
        let error = if self.name == "Error" {
            Some(self)
        } else {
            self.find("Error")
        };
        error?.get("Code").map(str::to_owned)
    }
}

// === impl UpstreamError ===

impl UpstreamError {
    /// What the client is told: nothing was decided, and it may try again.
    pub(crate) fn refusal(&self) -> Refusal {
        tracing::warn!(error = %self, "a request could not be passed on");
        Refusal::new(503, "ServiceUnavailable", format!("Rolecall: {self}"))
    }

    /// Whether what was named is not there.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
            || matches!(self, Self::Refused { code, .. } if code.starts_with("NoSuch"))
    }
}
