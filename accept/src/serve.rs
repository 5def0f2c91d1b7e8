use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// What a server allows its peers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once; further ones wait in the kernel's backlog.
    pub connections: usize,
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

/// Serves `handler` on `listener` until `stop` is cancelled, then lets open requests finish for [`Limits::drain`].
///
/// The handler is called once a request, with the body still unread.
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
    let connections = GracefulShutdown::new();
    loop {
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
        let Ok(local) = stream.local_addr() else { continue };
        let _ = stream.set_nodelay(true);
        let peer = Peer { remote, local };
        let (transport, handler, watcher) = (transport.clone(), handler.clone(), connections.watcher());
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = async {
                    if let Err(error) = connection(stream, transport, limits, permit, watcher, peer, handler).await {
                        debug!(%remote, %error, "connection ended");
                    }
                } => {}
                // A connection that outlives the drain is cut.
                () = async { stop.cancelled().await; tokio::time::sleep(limits.drain).await } => {}
            }
        });
    }
    drop(listener);
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(limits.drain) => {}
    }
    Ok(())
}

async fn connection<H, F, B>(
    stream: TcpStream,
    transport: Transport,
    limits: Limits,
    _permit: OwnedSemaphorePermit,
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
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(limits.headers);
    builder.http2().timer(TokioTimer::new());
    let service = service_fn(move |request| {
        let answer = handler(peer, request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    match transport {
        Transport::Plain => {
            let builder = builder.http1_only();
            watcher
                .watch(builder.serve_connection(TokioIo::new(stream), service))
                .await
        }
        Transport::Tls(config) => {
            let stream = tokio::time::timeout(limits.head, TlsAcceptor::from(config).accept(stream)).await??;
            watcher
                .watch(builder.serve_connection(TokioIo::new(stream), service))
                .await
        }
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(10),
            headers: 100,
            drain: Duration::from_secs(1),
        }
    }
}
