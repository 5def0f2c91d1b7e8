//! A front with one object and a user who may read it, and connections that ask for it again and again.

use std::{error::Error, net::SocketAddr};

use aws_sigv4::http_request::SignableBody;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rolecall_aws::{AccessKey, CancellationToken, Door, Enforcement, Front, Settings};
use rolecall_clock::Clock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use signer::{How, Keys, signed};

#[path = "../../tests/enforcement/signer.rs"]
mod signer;

/// As `rolecall` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;
/// Connections that ask side by side, each one request after the other.
const CONNECTIONS: usize = 8;

/// The header that tells where a body ends.
const LENGTH: &str = "content-length:";

/// The front, and a request that it answers with the object.
pub(crate) struct Served {
    pub(crate) front: Front,
    pub(crate) address: SocketAddr,
    /// As it goes over the wire; good for fifteen minutes.
    pub(crate) request: Vec<u8>,
}

// === impl Served ===

impl Served {
    /// A user with a managed policy, and an object with this body.
    pub(crate) async fn start(body: Vec<u8>) -> Result<Self, Failure> {
        let root = Keys {
            id: "AKIAROOT".to_owned(),
            secret: "root secret".to_owned(),
            token: None,
        };
        let front = Front::new(Settings {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            root: AccessKey {
                id: root.id.clone(),
                secret: root.secret.as_str().into(),
            },
            clock: Clock::new(),
            enforcement: Enforcement::On,
            upstream: None,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let served = front.clone();
        tokio::spawn(async move { served.serve(listener, Door::World, CancellationToken::new()).await });

        let iam = |parameters: &str| sent(address, &root, "iam", "POST", "/", parameters.as_bytes().to_vec());
        iam("Action=CreateUser&UserName=reader&Version=2010-05-08").await?;
        iam("Action=AttachUserPolicy&UserName=reader&Version=2010-05-08\
             &PolicyArn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FAmazonS3ReadOnlyAccess")
        .await?;
        let made = iam("Action=CreateAccessKey&UserName=reader&Version=2010-05-08").await?;
        let reader = Keys {
            id: text(&made, "AccessKeyId")?,
            secret: text(&made, "SecretAccessKey")?,
            token: None,
        };
        sent(address, &root, "s3", "PUT", "/bench", Vec::new()).await?;
        sent(address, &root, "s3", "PUT", "/bench/object", body).await?;
        let request = request(address, &reader, "s3", "GET", "/bench/object", Vec::new())?;
        let mut wire = format!("GET {} HTTP/1.1\r\nhost: {address}\r\n", request.uri().path());
        for (name, value) in request.headers() {
            wire.push_str(&format!("{name}: {}\r\n", value.to_str()?));
        }
        wire.push_str("\r\n");
        Ok(Self {
            front,
            address,
            request: wire.into_bytes(),
        })
    }
}

fn request(
    address: SocketAddr,
    keys: &Keys,
    service: &str,
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> Result<Request<Bytes>, Failure> {
    let body = Bytes::from(body);
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.clone())?;
    let how = How {
        service,
        at: rolecall_clock::real_wall().into(),
        body: SignableBody::Bytes(&body),
        presigned: None,
    };
    Ok(signed(request, keys, how))
}

async fn sent(
    address: SocketAddr,
    keys: &Keys,
    service: &str,
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> Result<String, Failure> {
    let request = request(address, keys, service, method, path, body)?.map(Full::new);
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request).await?;
    let status = response.status();
    let body = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{method} {path}: {status} {body}").into())
    }
}

fn text(xml: &str, name: &str) -> Result<String, Failure> {
    let found = xml
        .split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once("</"));
    let (text, _) = found.ok_or_else(|| format!("no {name} in {xml}"))?;
    Ok(text.to_owned())
}

/// Asks so many times in all, and reads each answer whole.
pub(crate) async fn ask(address: SocketAddr, request: &[u8], times: usize) -> Result<(), Failure> {
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = request.to_vec();
        connections.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut answer = vec![0; 64 << 10];
            for _ in 0..times / CONNECTIONS {
                stream.write_all(&request).await?;
                read(&mut stream, &mut answer).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    Ok(())
}

/// One answer: its head, and a body of the length that it says.
async fn read(stream: &mut TcpStream, answer: &mut [u8]) -> Result<(), Failure> {
    let mut filled = 0;
    let mut whole = None;
    while whole.is_none_or(|whole| filled < whole) {
        let read = stream.read(&mut answer[filled..]).await?;
        if read == 0 {
            return Err("the connection was closed inside an answer".into());
        }
        filled += read;
        if whole.is_none()
            && let Some(end) = answer[..filled].windows(4).position(|four| four == b"\r\n\r\n")
        {
            let head = std::str::from_utf8(&answer[..end])?;
            if !head.starts_with("HTTP/1.1 200") {
                return Err(format!("another answer than 200: {head}").into());
            }
            let length = head.split("\r\n").find_map(|line| {
                let (name, value) = line.split_at_checked(LENGTH.len())?;
                name.eq_ignore_ascii_case(LENGTH).then_some(value)
            });
            whole = Some(end + 4 + length.ok_or("an answer without its length")?.trim().parse::<usize>()?);
        }
    }
    Ok(())
}
