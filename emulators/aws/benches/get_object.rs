//! How many authorised GetObject of 1 KiB a front answers from memory, and beside it in the same call a bare hyper server
//! that answers the same bytes to the same requests over the same connections.
//!
//! Every request is verified, decided on (a user with a managed policy) and kept in the journal. Clients and server share
//! the machine's processors in both lines. `cargo bench -p rolecall-aws --bench get_object`

mod load;

use std::{convert::Infallible, net::SocketAddr, process::ExitCode};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rolecall_clock::{monotonic, since};
use tokio::net::TcpListener;

use load::{Failure, Served, ask};

const ROUNDS: usize = 7;
const REQUESTS: usize = 40_000;
/// What part of the bare server's requests a second the front must answer.
const GOAL: f64 = 0.4;

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        // `cargo test --all-targets` starts benches too; there is nothing to test here.
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let measured = runtime
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(measure()));
    match measured {
        Ok(ratio) if ratio >= GOAL => ExitCode::SUCCESS,
        Ok(ratio) => {
            eprintln!("error: the front answers {ratio:.2} of the bare server's requests, and must answer {GOAL}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<f64, Failure> {
    let body = vec![b'x'; 1024];
    let served = Served::start(body.clone()).await?;
    let bare = bare(body.into()).await?;
    let (mut front, mut control) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (address, seconds) in [(bare, &mut control), (served.address, &mut front)] {
            let start = monotonic();
            ask(address, &served.request, REQUESTS).await?;
            // The first round warms both up.
            if round > 0 {
                seconds.push(since(start).as_secs_f64());
            }
        }
    }
    let rate = |seconds: &mut Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        REQUESTS as f64 / seconds[ROUNDS / 2]
    };
    let (front, control) = (rate(&mut front), rate(&mut control));
    let processors = std::thread::available_parallelism()?;
    println!(
        "GetObject of 1 KiB, {ROUNDS} rounds of {REQUESTS}, {processors} processors for clients and server; median"
    );
    println!("front, verified and authorised      {front:>9.0} requests/s");
    println!("control: bare hyper, the same bytes {control:>9.0} requests/s");
    println!(
        "front / control                     {:>9.2} (goal: at least {GOAL})",
        front / control
    );
    let dropped = served.front.journal_dropped().entries;
    println!("every request was kept in the journal, which has dropped {dropped} of the oldest since");
    Ok(front / control)
}

/// A server that looks at nothing.
async fn bare(body: Bytes) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let body = body.clone();
            let service = service_fn(move |_| {
                let answer = Response::new(Full::new(body.clone()));
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Ok(address)
}
