//! What the front adds to LocalStack's own latency for GetObject of 1 KiB: each request goes to the front and, beside it
//! in the same call, the same to LocalStack directly, by turns, each over a connection of its own that stays open.
//!
//! The front verifies and decides each (a user with a managed policy), in a thread of its own. Needs a LocalStack:
//! `ROLECALL_LOCALSTACK=http://127.0.0.1:4566 cargo bench -p rolecall-aws --bench upstream`

use std::{net::SocketAddr, process::ExitCode};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rolecall_aws::{AccessKey, CancellationToken, Door, Enforcement, Front, Settings, Upstream};
use rolecall_clock::{Clock, monotonic, since};
use tokio::net::{TcpListener, TcpStream};

const REQUESTS: usize = 3000;
const WARM: usize = 200;
/// How much longer a request may take by the front.
const GOAL: f64 = 0.10;
const ACCOUNT: &str = "345678901234";
const BUCKET: &str = "rolecall-bench-345678901234";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One connection, kept open.
struct Peer {
    host: String,
    sender: SendRequest<Full<Bytes>>,
}

/// Who signs.
struct Keys {
    id: String,
    secret: String,
}

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        // `cargo test --all-targets` starts benches too; there is nothing to test here.
        return ExitCode::SUCCESS;
    }
    let Ok(url) = std::env::var("ROLECALL_LOCALSTACK") else {
        println!("skipped: ROLECALL_LOCALSTACK gives no URL of a LocalStack, such as http://127.0.0.1:4566");
        return ExitCode::SUCCESS;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(measure(&url)));
    match measured {
        Ok(added) if added <= GOAL => ExitCode::SUCCESS,
        Ok(added) => {
            eprintln!(
                "error: the front adds {:.1} %, and may add {:.0} %",
                added * 100.0,
                GOAL * 100.0
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(url: &str) -> Result<f64, Failure> {
    let root = Keys {
        id: "AKIABENCHROOT".to_owned(),
        secret: "bench secret".to_owned(),
    };
    let front = Front::new(Settings {
        account: ACCOUNT.to_owned(),
        region: "us-east-1".to_owned(),
        root: AccessKey {
            id: root.id.clone(),
            secret: root.secret.as_str().into(),
        },
        clock: Clock::new(),
        enforcement: Enforcement::On,
        upstream: Some(Upstream::new(url)?),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let serving = serve_by_a_thread(front.clone(), listener.into_std()?, stop.clone());

    let measured = compare(url, address, &root).await;
    let removed = front.remove_all().await;
    stop.cancel();
    serving.join().map_err(|_| "the front's thread panicked")??;
    let added = measured?;
    removed?;
    Ok(added)
}

/// As `rolecall serve aws --upstream` has it.
fn serve_by_a_thread(
    front: Front,
    listener: std::net::TcpListener,
    stop: CancellationToken,
) -> std::thread::JoinHandle<std::io::Result<()>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move { front.serve(TcpListener::from_std(listener)?, Door::World, stop).await })
    })
}

async fn compare(url: &str, address: SocketAddr, root: &Keys) -> Result<f64, Failure> {
    let mut front = Peer::connect(&address.to_string()).await?;
    let uri: Uri = url.parse()?;
    let mut direct = Peer::connect(uri.authority().ok_or("the URL has no host")?.as_str()).await?;
    front.done(root, "s3", Method::PUT, &format!("/{BUCKET}"), &[]).await?;
    let object = format!("/{BUCKET}/object");
    front.done(root, "s3", Method::PUT, &object, &[b'x'; 1024]).await?;
    front
        .iam(root, "Action=CreateUser&Version=2010-05-08&UserName=bench")
        .await?;
    let policy = "Action=AttachUserPolicy&Version=2010-05-08&UserName=bench\
                  &PolicyArn=arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    front.iam(root, policy).await?;
    let made = front
        .iam(root, "Action=CreateAccessKey&Version=2010-05-08&UserName=bench")
        .await?;
    let user = Keys {
        id: between(&made, "AccessKeyId")?,
        secret: between(&made, "SecretAccessKey")?,
    };

    let by_front = front.signed(&user, "s3", Method::GET, &object, &[])?;
    let directly = direct.signed(&user, "s3", Method::GET, &object, &[])?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..REQUESTS + WARM {
        for (peer, request, micros) in [
            (&mut direct, &directly, &mut without),
            (&mut front, &by_front, &mut with),
        ] {
            let start = monotonic();
            let body = peer.send(request.clone()).await?;
            let took = since(start).as_secs_f64() * 1e6;
            if body.len() != 1024 {
                return Err("an answer is not the object".into());
            }
            if n >= WARM {
                micros.push(took);
            }
        }
    }
    for micros in [&mut with, &mut without] {
        micros.sort_by(f64::total_cmp);
    }
    let at = |micros: &[f64], part: f64| micros[((micros.len() - 1) as f64 * part) as usize];
    println!("GetObject of 1 KiB, {REQUESTS} by each road in turn, microseconds      median      p90");
    println!(
        "by the front, verified and authorised               {:>12.0} {:>8.0}",
        at(&with, 0.5),
        at(&with, 0.9)
    );
    println!(
        "control: LocalStack directly                        {:>12.0} {:>8.0}",
        at(&without, 0.5),
        at(&without, 0.9)
    );
    let added = at(&with, 0.5) / at(&without, 0.5) - 1.0;
    println!(
        "added by the front                                  {:>11.1}% (goal: at most {:.0}%)",
        added * 100.0,
        GOAL * 100.0
    );
    Ok(added)
}

fn between(text: &str, name: &str) -> Result<String, Failure> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let from = text.find(&start).ok_or_else(|| format!("no {name} in {text}"))? + start.len();
    let to = text[from..].find(&end).ok_or("the element has no end")?;
    Ok(text[from..from + to].to_owned())
}

// === impl Peer ===

impl Peer {
    async fn connect(host: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            host: host.to_owned(),
            sender,
        })
    }

    fn signed(
        &self,
        keys: &Keys,
        service: &str,
        method: Method,
        path: &str,
        body: &[u8],
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = Credentials::new(&keys.id, &keys.secret, None, None, "bench").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(Clock::new().wall().into())
            .settings(settings)
            .build()?
            .into();
        let uri = format!("http://{}{path}", self.host);
        let mut request = Request::builder()
            .method(method.clone())
            .uri(&uri)
            .header("host", &self.host);
        if service == "iam" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let mut request = request.body(Full::new(Bytes::copy_from_slice(body)))?;
        let headers = [("host", self.host.as_str())].into_iter();
        let signable = SignableRequest::new(method.as_str(), &uri, headers, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        *request.uri_mut() = path.parse()?;
        Ok(request)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Bytes, Failure> {
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into())
        }
    }

    async fn done(
        &mut self,
        keys: &Keys,
        service: &str,
        method: Method,
        path: &str,
        body: &[u8],
    ) -> Result<Bytes, Failure> {
        let request = self.signed(keys, service, method, path, body)?;
        self.send(request).await
    }

    async fn iam(&mut self, keys: &Keys, form: &str) -> Result<String, Failure> {
        let body = self.done(keys, "iam", Method::POST, "/", form.as_bytes()).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}
