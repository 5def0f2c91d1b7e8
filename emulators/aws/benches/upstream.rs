//! What the front adds to LocalStack's own latency for GetObject of 1 KiB: each request goes to the front and, beside it
//! in the same call, the same to LocalStack directly, by turns, each over a connection of its own that stays open. Then
//! the same once more with several clients at once, as the pods of a cluster ask; what LocalStack makes them wait for each
//! other is its own latency then.
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

/// So many that the medians, and not chance, are what is compared: with 3,000 the part added varied by half a point.
const REQUESTS: usize = 10_000;
const WARM: usize = 200;
/// Clients that ask at the same time, how many requests each sends before the other road's turn comes, and how often.
const CLIENTS: usize = 4;
const TURN: usize = 25;
const TURNS: usize = 20;
/// How much longer a request may take by the front.
const GOAL: f64 = 0.10;

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

/// As `rolecall` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

/// Twelve digits that nobody else has: what a run that was killed left does not disturb the next.
fn new_account() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:012}", RandomState::new().hash_one(0) % 1_000_000_000_000)
}

async fn measure(url: &str) -> Result<f64, Failure> {
    let account = new_account();
    let root = Keys {
        id: "AKIABENCHROOT".to_owned(),
        secret: "bench secret".to_owned(),
    };
    let front = Front::new(Settings {
        account: account.clone(),
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

    let measured = compare(url, address, &root, &account).await;
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

async fn compare(url: &str, address: SocketAddr, root: &Keys, account: &str) -> Result<f64, Failure> {
    let mut front = Peer::connect(&address.to_string()).await?;
    let uri: Uri = url.parse()?;
    let mut direct = Peer::connect(uri.authority().ok_or("the URL has no host")?.as_str()).await?;
    let bucket = format!("/rolecall-bench-{account}");
    front.done(root, "s3", Method::PUT, &bucket, &[]).await?;
    let object = format!("{bucket}/object");
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
            let took = peer.timed(request).await?;
            if n >= WARM {
                micros.push(took);
            }
        }
    }
    let added = report(&format!("{REQUESTS} by each road in turn"), with, without);

    let (mut fronts, mut directs) = (Vec::new(), Vec::new());
    for _ in 0..CLIENTS {
        fronts.push(Peer::connect(&front.host).await?);
        directs.push(Peer::connect(&direct.host).await?);
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        for (peers, request, micros) in [
            (&mut directs, &directly, &mut without),
            (&mut fronts, &by_front, &mut with),
        ] {
            let all = futures::future::try_join_all(peers.iter_mut().map(|peer| peer.several(request, TURN))).await?;
            // The first turn warms the connections.
            if turn > 0 {
                micros.extend(all.into_iter().flatten());
            }
        }
    }
    let title = format!("{} by each road, {CLIENTS} at once", CLIENTS * TURN * TURNS);
    report(&title, with, without);
    Ok(added)
}

/// Prints what each road took, in microseconds, and gives the part that the front added to the median.
fn report(title: &str, mut with: Vec<f64>, mut without: Vec<f64>) -> f64 {
    for micros in [&mut with, &mut without] {
        micros.sort_by(f64::total_cmp);
    }
    let at = |micros: &[f64], part: f64| micros[((micros.len() - 1) as f64 * part) as usize];
    let head = format!("GetObject of 1 KiB, {title}, microseconds");
    println!("{head:<72} {:>8} {:>8}", "median", "p90");
    for (road, micros) in [
        ("by the front, verified and authorised", &with),
        ("control: LocalStack directly", &without),
    ] {
        println!("{road:<72} {:>8.0} {:>8.0}", at(micros, 0.5), at(micros, 0.9));
    }
    let added = at(&with, 0.5) / at(&without, 0.5) - 1.0;
    println!(
        "{:<72} {:>7.1}% (goal: at most {:.0}%)\n",
        "added by the front",
        added * 100.0,
        GOAL * 100.0
    );
    added
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

    /// How many microseconds the object takes.
    async fn timed(&mut self, request: &Request<Full<Bytes>>) -> Result<f64, Failure> {
        let start = monotonic();
        let body = self.send(request.clone()).await?;
        let took = since(start).as_secs_f64() * 1e6;
        match body.len() {
            1024 => Ok(took),
            _ => Err("an answer is not the object".into()),
        }
    }

    async fn several(&mut self, request: &Request<Full<Bytes>>, times: usize) -> Result<Vec<f64>, Failure> {
        let mut micros = Vec::new();
        for _ in 0..times {
            micros.push(self.timed(request).await?);
        }
        Ok(micros)
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
