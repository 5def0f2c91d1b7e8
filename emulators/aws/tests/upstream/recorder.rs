use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::mpsc};

/// A body that is sent part by part; what is dropped has ended.
pub(crate) struct Parts(mpsc::Receiver<Bytes>);

// === impl Parts ===

impl Parts {
    pub(crate) fn new() -> (mpsc::Sender<Bytes>, Self) {
        let (sender, receiver) = mpsc::channel(16);
        (sender, Self(receiver))
    }

    pub(crate) fn of(body: impl Into<Bytes>) -> Self {
        let (sender, parts) = Self::new();
        let body = body.into();
        if !body.is_empty() {
            sender.try_send(body).expect("there is room");
        }
        parts
    }
}

impl hyper::body::Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.get_mut().0.poll_recv(cx);
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// What reached the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// What of the body has come.
    pub(crate) body: BytesMut,
    /// Whether that is all of it, and nothing went wrong.
    pub(crate) whole: bool,
}

/// A server in the place of an upstream: it owns bucket `bkt` of every account that asks, keeps all that it is asked, and
/// answers what it is told to.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Recorded>>>,
    connections: Arc<AtomicUsize>,
    owner: Arc<Mutex<String>>,
    /// The body of the next `GET /bkt/parts`.
    parts: Arc<Mutex<Option<Parts>>>,
}

type Answer = Response<Parts>;

fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    let body = Parts::of(body);
    let response = Response::builder().status(status);
    let response = response
        .header("server", "Upstream")
        .header("x-amz-request-id", "THEIRS");
    let response = response
        .header("x-localstack", "true")
        .header("content-type", "application/xml");
    response.body(body).expect("an answer")
}

// === impl Recorder ===

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let recorder = Self {
            address: listener.local_addr().expect("an address"),
            seen: Arc::default(),
            connections: Arc::default(),
            owner: Arc::default(),
            parts: Arc::default(),
        };
        let served = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                served.connections.fetch_add(1, Ordering::Relaxed);
                let served = served.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let served = served.clone();
                        async move { Ok::<_, Infallible>(served.answer(request).await) }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        recorder
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whose bucket `bkt` is.
    pub(crate) fn belongs_to(&self, account: &str) {
        account.clone_into(&mut self.owner.lock().expect("no panic"));
    }

    /// What came of this method for this path, the query left out, the last one.
    pub(crate) fn last(&self, method: &Method, path: &str) -> Option<Recorded> {
        let seen = self.seen.lock().expect("no panic");
        let found = seen
            .iter()
            .rev()
            .find(|recorded| recorded.method == *method && recorded.path.split('?').next() == Some(path));
        found.cloned()
    }

    /// The methods and paths of all that came.
    pub(crate) fn all(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("no panic");
        seen.iter()
            .map(|recorded| format!("{} {}", recorded.method, recorded.path))
            .collect()
    }

    /// How many connections were made. One that is broken off is followed by another, whether its request was seen or not.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().expect("no panic").len()
    }

    /// The body that the next `GET /bkt/parts` is answered with.
    pub(crate) fn answer_in_parts(&self) -> mpsc::Sender<Bytes> {
        let (sender, parts) = Parts::new();
        *self.parts.lock().expect("no panic") = Some(parts);
        sender
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, mut body) = request.into_parts();
        let at = {
            let mut seen = self.seen.lock().expect("no panic");
            seen.push(Recorded {
                method: head.method.clone(),
                path: head.uri.to_string(),
                headers: head.headers.clone(),
                body: BytesMut::new(),
                whole: false,
            });
            seen.len() - 1
        };
        loop {
            let frame = body.frame().await;
            let mut seen = self.seen.lock().expect("no panic");
            match frame {
                Some(Ok(frame)) => seen[at]
                    .body
                    .extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
                Some(Err(_)) => return answer(400, ""),
                None => {
                    seen[at].whole = true;
                    break;
                }
            }
        }
        let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok());
        let owner = self.owner.lock().expect("no panic").clone();
        let owns = authorization.is_some_and(|text| text.contains(&format!("Credential={owner}/")));
        match (head.method.as_str(), head.uri.path(), head.uri.query()) {
            ("GET", "/", _) if owns => answer(
                200,
                "<ListAllMyBucketsResult><Buckets><Bucket><Name>bkt</Name></Bucket></Buckets></ListAllMyBucketsResult>",
            ),
            ("GET", "/", _) => answer(200, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
            ("GET", "/bkt", Some("policy")) => answer(404, "<Error><Code>NoSuchBucketPolicy</Code></Error>"),
            ("GET", "/bkt/parts", _) => {
                let parts = self.parts.lock().expect("no panic").take();
                Response::new(parts.expect("parts were given"))
            }
            ("HEAD", "/bkt/object", _) => {
                let mut response = answer(200, "");
                response
                    .headers_mut()
                    .insert("content-length", "1234".parse().expect("a header"));
                response
                    .headers_mut()
                    .insert("etag", "\"e\"".parse().expect("a header"));
                response
            }
            ("GET" | "HEAD", "/bkt/absent", _) => answer(
                404,
                "<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code><Message>m</Message><RequestId>THEIRS</RequestId></Error>",
            ),
            ("HEAD", ..) => answer(404, ""),
            // An account of which IAM knows nothing.
            ("POST", "/", None) => answer(200, "<Response><IsTruncated>false</IsTruncated></Response>"),
            _ => answer(200, ""),
        }
    }
}

/// Polls a condition until it holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = rolecall_clock::monotonic();
    while !holds() {
        assert!(
            rolecall_clock::since(start) < Duration::from_secs(20),
            "waited in vain until {what}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
