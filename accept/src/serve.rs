use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::FutureExt as _;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::sources::{Place, Sources};

/// What a server allows its peers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once; further ones wait in the kernel's backlog.
    pub connections: usize,
    /// Connections that one source address may have open at once, so that no peer takes all of them; further ones are
    /// closed unanswered.
    pub per_source: usize,
    /// Time a peer may take to send the head of a request.
    pub head: Duration,
    /// Headers a request may carry; more are answered 431.
    pub headers: usize,
    /// Time that open connections are given to finish once the server is to end.
    pub drain: Duration,
}

/// Who asks: the two ends of the connection, as the kernel knows them. No header changes either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address the connection comes from.
    pub remote: SocketAddr,
    /// The address that was connected to.
    pub local: SocketAddr,
}

/// How a connection is carried.
#[derive(Clone)]
pub enum Transport {
    /// Plain TCP, HTTP/1.1 only.
    Plain,
    /// TLS; HTTP/2 or HTTP/1.1 as the peers agree by ALPN.
    Tls(Arc<rustls::ServerConfig>),
}

/// In the extensions of a response: it is not sent, and the connection is closed in its place, as by a server that ends
/// while it works.
#[derive(Clone, Copy, Debug)]
pub struct Unanswered;

/// Serves `handler` on `listener` until `stop` is cancelled, then lets open requests finish for [`Limits::drain`].
///
/// The handler is called once a request, with the body still unread. Connections that are open when this ends, or is
/// dropped, are cut.
///
/// # Errors
/// Only if the listener itself fails for good; a failing connection is logged and forgotten.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    transport: Transport,
    limits: Limits,
    stop: CancellationToken,
    handler: H,
) -> io::Result<()>
where
    H: Fn(Peer, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    let sources = Sources::new(limits.per_source);
    let graceful = GracefulShutdown::new();
    // Whatever is still open when this is dropped is cut.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = slots.clone().acquire_owned() => permit.map_err(io::Error::other)?,
        };
        let (stream, remote) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Running out of descriptors, or a peer that hung up in the backlog, is no reason to stop serving;
                // the pause keeps the first of them from becoming a busy loop.
                Err(error) => {
                    debug!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        let Some(place) = sources.place(remote.ip()) else {
            debug!(%remote, most = limits.per_source, "closed: its source has as many connections as it may");
            continue;
        };
        let Ok(local) = stream.local_addr() else { continue };
        let _ = stream.set_nodelay(true);
        let peer = Peer { remote, local };
        let (transport, handler, watcher) = (transport.clone(), handler.clone(), graceful.watcher());
        connections.spawn(async move {
            if let Err(error) = connection(stream, transport, limits, (permit, place), watcher, peer, handler).await {
                debug!(%remote, %error, "connection ended");
            }
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(limits.drain) => {}
    }
    Ok(())
}

async fn connection<H, F, B>(
    stream: TcpStream,
    transport: Transport,
    limits: Limits,
    _held: (OwnedSemaphorePermit, Place),
    watcher: hyper_util::server::graceful::Watcher,
    peer: Peer,
    handler: H,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    H: Fn(Peer, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Mapped, not awaited: a block that awaits the handler's future would hold it twice, and each request moves it.
    let service = service_fn(move |request| {
        handler(peer, request).map(|answer| match answer.extensions().get::<Unanswered>() {
            Some(Unanswered) => Err(Unanswered),
            None => Ok(answer),
        })
    });
    match transport {
        Transport::Plain => {
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .max_headers(limits.headers);
            let serving = builder.serve_connection(TokioIo::new(stream), service);
            Ok(watcher.watch(serving).await?)
        }
        Transport::Tls(config) => {
            let stream = tokio::time::timeout(limits.head, TlsAcceptor::from(config).accept(stream)).await??;
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .max_headers(limits.headers);
            builder.http2().timer(TokioTimer::new());
            watcher
                .watch(builder.serve_connection(TokioIo::new(stream), service))
                .await
        }
    }
}

// === impl Unanswered ===

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request is left without an answer")
    }
}

impl std::error::Error for Unanswered {}

// === impl Limits ===

impl Limits {
    /// For what many share of whom none is trusted: no source can take all connections, while one that asks for each of the
    /// most requests that a scenario makes at once (1,000) gets an answer to each.
    pub fn shared() -> Self {
        Self {
            connections: 4096,
            per_source: 1024,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_source: usize::MAX,
            head: Duration::from_secs(10),
            headers: 100,
            drain: Duration::from_secs(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use http_body_util::Full;
    use rstest::rstest;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpSocket,
        sync::Notify,
    };

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    /// A connection that stays open, and the status line of its one answer; empty if it is closed unanswered.
    async fn ask(source: Ipv4Addr, server: SocketAddr) -> (TcpStream, String) {
        let asking = async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind((source, 0).into()).unwrap();
            let mut stream = socket.connect(server).await.unwrap();
            // A peer that is closed may see that while it writes, or while it reads.
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
            let mut line = vec![0; 12];
            let read = stream.read_exact(&mut line).await;
            (
                stream,
                read.map(|_| String::from_utf8(line).unwrap()).unwrap_or_default(),
            )
        };
        tokio::time::timeout(LONG, asking).await.unwrap()
    }

    #[tokio::test]
    async fn an_unanswered_request_sees_its_connection_close_and_nothing_else() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = serve(
            listener,
            Transport::Plain,
            Limits::default(),
            stop.clone(),
            |_, _| async {
                let mut response = Response::new(Full::new(Bytes::from_static(b"never seen")));
                response.extensions_mut().insert(Unanswered);
                response
            },
        );
        let serving = tokio::spawn(serving);
        assert_eq!(ask(Ipv4Addr::LOCALHOST, server).await.1, "");
        stop.cancel();
        serving.await.unwrap().unwrap();
    }

    #[rstest]
    #[case::outlives_its_drain(true)]
    #[case::outlives_its_server(false)]
    #[tokio::test]
    async fn a_connection_is_cut_that(#[case] stopped: bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let (stop, asked) = (CancellationToken::new(), Arc::new(Notify::new()));
        let limits = Limits {
            drain: Duration::from_millis(1),
            ..Limits::default()
        };
        let seen = asked.clone();
        let serving = serve(listener, Transport::Plain, limits, stop.clone(), move |_, _| {
            seen.notify_one();
            std::future::pending::<Response<Full<Bytes>>>()
        });
        let serving = tokio::spawn(serving);
        let asking = tokio::spawn(ask(Ipv4Addr::LOCALHOST, server));
        asked.notified().await;
        if stopped {
            stop.cancel();
        } else {
            serving.abort();
        }
        assert_eq!(asking.await.unwrap().1, "");
    }

    #[tokio::test]
    async fn one_source_cannot_take_the_connections_of_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let limits = Limits {
            per_source: 2,
            ..Limits::default()
        };
        let serving = serve(listener, Transport::Plain, limits, stop.clone(), |_, _| async {
            Response::new(Full::new(Bytes::new()))
        });
        let serving = tokio::spawn(serving);
        let (greedy, other) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3));
        let first = ask(greedy, server).await;
        let second = ask(greedy, server).await;
        assert_eq!((first.1.as_str(), second.1.as_str()), ("HTTP/1.1 200", "HTTP/1.1 200"));
        assert_eq!(ask(greedy, server).await.1, "");
        assert_eq!(ask(other, server).await.1, "HTTP/1.1 200");
        // What it lets go it may have again, as soon as the server has seen it.
        drop(first);
        let again = async { while ask(greedy, server).await.1.is_empty() {} };
        tokio::time::timeout(LONG, again).await.unwrap();
        stop.cancel();
        serving.await.unwrap().unwrap();
    }
}
