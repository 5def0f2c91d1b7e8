//! A server that reads requests as bytes and answers as it is told to.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What to do with one request.
pub(crate) enum Then {
    /// Write these bytes and wait for the next request.
    Answer(Vec<u8>),
    /// Write these bytes and close.
    Close(Vec<u8>),
    /// Reset the connection.
    Reset,
    /// Hold the connection open and say nothing.
    Hang,
}

/// A server on a port of its own, stopped when dropped.
pub(crate) struct Server {
    /// Address and port.
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers the n-th request, counted over all connections, with what `then` makes of n and the request's bytes.
    pub(crate) async fn start(then: impl Fn(usize, &str) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, then) = (Arc::clone(&requests), Arc::new(then));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&then)));
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// The requests so far, each with its head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<F: Fn(usize, &str) -> Then>(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>, then: Arc<F>) {
    while let Some(request) = read(&mut stream).await {
        let index = {
            let mut seen = seen.lock().expect("no panic");
            seen.push(request.clone());
            seen.len() - 1
        };
        match then(index, &request) {
            Then::Answer(bytes) => stream.write_all(&bytes).await.expect("written"),
            Then::Close(bytes) => {
                stream.write_all(&bytes).await.expect("written");
                return;
            }
            Then::Reset => {
                stream.set_zero_linger().expect("linger");
                return;
            }
            Then::Hang => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().filter_map(|line| line.split_once(": "));
            let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let length: usize = length
                .map(|(_, value)| value.parse().expect("a length"))
                .next()
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
