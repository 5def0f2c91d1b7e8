//! Connections to the upstream that are driven by whoever waits for the answer. A task of its own for each connection would
//! cost every request two more switches between tasks, which are most of what a front adds to a quick answer.

use std::{
    fmt,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::{Body as _, Frame, Incoming, SizeHint},
    client::conn::{
        TrySendError,
        http1::{self, Connection, SendRequest},
    },
};
use hyper_util::rt::TokioIo;
use rolecall_clock::{monotonic, since};
use tokio::net::TcpStream;

/// How long a connection is kept that nobody uses. LocalStack keeps its own for a minute.
const IDLE: Duration = Duration::from_secs(20);
/// Free connections kept at most.
const KEPT: usize = 64;
/// Time that connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Free = Arc<Mutex<Vec<Link>>>;
/// None once it has ended.
type Running = Option<Pin<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>>;

/// Makes connections and keeps those that are free. Clones share them.
#[derive(Clone)]
pub(super) struct Driver {
    authority: String,
    free: Free,
}

/// A connection that nobody drives while it is free.
struct Link {
    sender: SendRequest<Full<Bytes>>,
    /// None once it has ended: what is sent then is given back.
    connection: Running,
    freed: Instant,
}

/// The body of an answer. Who reads it drives the connection that it comes by, which is free again at its end.
pub(crate) struct Driven {
    body: Incoming,
    /// Its end was read, which a body without a length does not know by itself.
    ended: bool,
    link: Option<Link>,
    free: Free,
}

// === impl Driver ===

impl Driver {
    pub(super) fn new(authority: &str) -> Self {
        Self {
            authority: authority.to_owned(),
            free: Free::default(),
        }
    }

    /// Sends a request with a URI in origin form, and returns with the head of the answer.
    ///
    /// # Errors
    /// Nobody is reached, or the connection breaks off when the request is on its way.
    pub(super) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Driven>, BoxError> {
        while let Some(mut link) = self.take() {
            match link.exchange(request).await {
                Ok(response) => return Ok(self.driven(link, response)),
                // The upstream closed it while it was free, and has seen nothing of this request.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let mut link = self.connect().await?;
        match link.exchange(request).await {
            Ok(response) => Ok(self.driven(link, response)),
            Err(error) => Err(error.into_error().into()),
        }
    }

    async fn connect(&self) -> Result<Link, BoxError> {
        // An authority need not name a port.
        let address = match self.authority.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => self.authority.clone(),
            _ => format!("{}:80", self.authority),
        };
        let stream = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Link {
            sender,
            connection: Some(Box::pin(connection)),
            freed: monotonic(),
        })
    }

    /// The connection that became free last, unless it has been free for too long: then all have.
    fn take(&self) -> Option<Link> {
        let mut free = lock(&self.free);
        let link = free.pop()?;
        if since(link.freed) < IDLE {
            return Some(link);
        }
        free.clear();
        None
    }

    fn driven(&self, link: Link, response: Response<Incoming>) -> Response<Driven> {
        response.map(|body| Driven {
            body,
            ended: false,
            link: Some(link),
            free: self.free.clone(),
        })
    }
}

// === impl Link ===

impl Link {
    /// # Errors
    /// The connection ended; the request is in the error if nothing of it was sent.
    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        // Lets it see that the upstream has hung up, or that the answer before has come to its end.
        std::future::poll_fn(|cx| {
            drive(&mut self.connection, cx);
            // Where it has ended, sending gives the request back.
            self.sender.poll_ready(cx).map(drop)
        })
        .await;
        let mut answer = pin!(self.sender.try_send_request(request));
        std::future::poll_fn(|cx| {
            drive(&mut self.connection, cx);
            answer.as_mut().poll(cx)
        })
        .await
    }
}

/// Lets a connection write and read what it can.
fn drive(connection: &mut Running, cx: &mut Context<'_>) {
    // Why it ended is told to whoever waits for its answer.
    if connection
        .as_mut()
        .is_some_and(|connection| connection.as_mut().poll(cx).is_ready())
    {
        *connection = None;
    }
}

// === impl Driven ===

impl hyper::body::Body for Driven {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        // The first asks for more, and the connection reads only what was asked for.
        let mut next = Pin::new(&mut this.body).poll_frame(cx);
        if next.is_pending()
            && let Some(link) = &mut this.link
        {
            drive(&mut link.connection, cx);
            next = Pin::new(&mut this.body).poll_frame(cx);
        }
        this.ended |= matches!(next, Poll::Ready(None));
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        // What was not read to its end would come before the next answer.
        if let Some(mut link) = self.link.take()
            && (self.ended || self.body.is_end_stream())
            && link.connection.is_some()
        {
            link.freed = monotonic();
            let mut free = lock(&self.free);
            if free.len() < KEPT {
                free.push(link);
            }
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

fn lock(free: &Mutex<Vec<Link>>) -> MutexGuard<'_, Vec<Link>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        sync::{Notify, mpsc},
    };

    use super::*;

    /// More than comes in one piece.
    const LENGTH: usize = 100_000;

    /// An upstream whose answers are as many bytes; which connection they came by is what each byte says. Told so, it closes
    /// the connections that wait for a request, and says for each that it has.
    async fn upstream() -> (String, Arc<Notify>, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (close, (closed, told)) = (Arc::new(Notify::new()), mpsc::unbounded_channel());
        let closing = close.clone();
        tokio::spawn(async move {
            for number in b'a'.. {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let (close, closed) = (closing.clone(), closed.clone());
                tokio::spawn(async move {
                    while asked(&mut stream, &close).await {
                        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {LENGTH}\r\n\r\n").into_bytes();
                        answer.resize(answer.len() + LENGTH, number);
                        if stream.write_all(&answer).await.is_err() {
                            return;
                        }
                    }
                    drop(stream);
                    let _ = closed.send(());
                });
            }
        });
        (address, close, told)
    }

    /// Reads a request's head, unless the connection is to be closed.
    async fn asked(stream: &mut TcpStream, close: &Notify) -> bool {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            tokio::select! {
                byte = stream.read_u8() => match byte {
                    Ok(byte) => head.push(byte),
                    Err(_) => return false,
                },
                () = close.notified() => return false,
            }
        }
        true
    }

    async fn ask(driver: &Driver) -> Response<Driven> {
        let request = Request::get("/").header("host", "x").body(Full::default());
        driver.send(request.expect("a request")).await.expect("an answer")
    }

    async fn read(response: Response<Driven>) -> Bytes {
        response.into_body().collect().await.expect("a body").to_bytes()
    }

    #[tokio::test]
    async fn a_free_connection_is_used_again_until_the_upstream_closes_it() {
        let (address, close, mut closed) = upstream().await;
        let driver = Driver::new(&address);
        for _ in 0..3 {
            let body = read(ask(&driver).await).await;
            assert_eq!((body.len(), body[0]), (LENGTH, b'a'));
            assert_eq!(lock(&driver.free).len(), 1);
        }
        close.notify_waiters();
        let waited = tokio::time::timeout(Duration::from_secs(10), closed.recv());
        assert_eq!(waited.await, Ok(Some(())));
        assert_eq!(read(ask(&driver).await).await[0], b'b');
    }

    #[tokio::test]
    async fn a_connection_whose_answer_was_not_read_is_not_used_again() {
        let driver = Driver::new(&upstream().await.0);
        drop(ask(&driver).await);
        assert_eq!(read(ask(&driver).await).await[0], b'b');
    }

    #[tokio::test]
    async fn requests_at_the_same_time_have_connections_of_their_own() {
        let driver = Driver::new(&upstream().await.0);
        let (one, other) = tokio::join!(ask(&driver), ask(&driver));
        let both = [read(one).await[0], read(other).await[0]];
        assert!(both == [b'a', b'b'] || both == [b'b', b'a'], "{both:?}");
        assert_eq!(lock(&driver.free).len(), 2);
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let request = Request::get("/").body(Full::default()).expect("a request");
        let error = Driver::new(&address).send(request).await.expect_err("no answer");
        assert!(error.to_string().contains("refused"), "{error}");
    }
}
