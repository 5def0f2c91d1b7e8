//! The way to a real API server: connections that are passed on byte by byte, and can be cut.
//!
//! TLS is between the two ends, so what a connection carries is not seen here. What breaks off is therefore a connection
//! and not one watch: a client of HTTP/1.1 (kube-rs) has one for each of its watches, one of HTTP/2 (client-go) has all its
//! watches on one.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rolecall_accept::CancellationToken;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Semaphore, watch},
};
use tokio_util::task::TaskTracker;

use super::control::Healed;

/// Connections at the same time; further ones wait.
const CONNECTIONS: usize = 512;
/// Time for reaching the API server.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection on which the API server has told nothing for this long has told what was there, and waits for changes.
const QUIET: Duration = Duration::from_millis(300);
/// One on which it goes on telling is taken for a watch after this long.
const BUSY: Duration = Duration::from_secs(3);
/// Before accepting is tried again where the process has no descriptors left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Passes connections on to an API server. Clones share the faults.
#[derive(Clone, Debug)]
pub(crate) struct Relay {
    to: SocketAddr,
    cuts: Arc<Cuts>,
}

/// The connections that are to be cut.
#[derive(Debug)]
struct Cuts {
    injected: Mutex<Vec<Cut>>,
    /// Wakes the open connections, which may have to end.
    changed: watch::Sender<()>,
}

/// One fault.
#[derive(Debug)]
struct Cut {
    met: u32,
    left: Option<u32>,
}

// === impl Relay ===

impl Relay {
    /// A relay to the API server that listens at `to`.
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self {
            to,
            cuts: Arc::new(Cuts {
                injected: Mutex::default(),
                changed: watch::Sender::new(()),
            }),
        }
    }

    /// Cuts connections: those that are open and wait for changes at once, further ones as soon as the API server has told
    /// what was there; `times` of them, or each until [`heal`](Self::heal).
    pub(crate) fn cut(&self, times: Option<u32>) {
        self.cuts.lock().push(Cut { met: 0, left: times });
        self.cuts.changed.send_replace(());
    }

    /// Ends all faults and says what they did together; none if there was none.
    pub(crate) fn heal(&self) -> Option<Healed> {
        let cuts = std::mem::take(&mut *self.cuts.lock());
        (!cuts.is_empty()).then(|| Healed {
            met: Some(cuts.iter().map(|cut| cut.met).fold(0, u32::saturating_add)),
            left: cuts.iter().filter_map(|cut| cut.left).max(),
        })
    }

    /// Passes on what `listener` accepts until `stop` is cancelled.
    ///
    /// # Errors
    /// Only if the listener itself fails for good.
    pub(crate) async fn serve(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let tasks = TaskTracker::new();
        while let Ok(slot) = slots.clone().acquire_owned().await {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let client = match accepted {
                Ok((client, _)) => client,
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => {
                    tokio::time::sleep(EXHAUSTED).await;
                    continue;
                }
            };
            let (relay, stop) = (self.clone(), stop.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = relay.pass(client) => {}
                    () = stop.cancelled() => {}
                }
                drop(slot);
            });
        }
        tasks.close();
        tasks.wait().await;
        Ok(())
    }

    /// One connection, until an end closes it or it is cut.
    async fn pass(&self, client: TcpStream) {
        // Where the API server is not reached the client sees a closed connection, as it would without a relay.
        let Ok(Ok(server)) = tokio::time::timeout(CONNECT, TcpStream::connect(self.to)).await else {
            return;
        };
        // What a watch tells is small and must not be held back; a socket without this option works all the same.
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (told, mut heard) = watch::channel(());
        let both = async {
            tokio::join!(
                copy(from_client, to_server, None),
                copy(from_server, to_client, Some(told))
            )
        };
        tokio::select! {
            _ = both => {}
            () = self.cuts.of_connection(&mut heard) => {}
        }
    }
}

// === impl Cuts ===

impl Cuts {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Cut>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection is to end, which then has met a fault.
    fn meet(&self) -> bool {
        self.lock().iter_mut().any(|cut| {
            match &mut cut.left {
                Some(0) => return false,
                Some(left) => *left -= 1,
                None => {}
            }
            cut.met = cut.met.saturating_add(1);
            true
        })
    }

    /// Returns when a connection has met a fault. `heard` changes with all that the server tells on it.
    async fn of_connection(&self, heard: &mut watch::Receiver<()>) {
        let mut changed = self.changed.subscribe();
        if heard.changed().await.is_err() {
            // It ends by itself.
            return std::future::pending().await;
        }
        let talk = async { while let Ok(Ok(())) = tokio::time::timeout(QUIET, heard.changed()).await {} };
        // Either way it is a watch now.
        let _ = tokio::time::timeout(BUSY, talk).await;
        loop {
            changed.borrow_and_update();
            if self.meet() {
                return;
            }
            if changed.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// Passes bytes on until there are no more, and says each time that there were some.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, seen: Option<watch::Sender<()>>) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        if let Some(seen) = &seen {
            seen.send_replace(());
        }
    }
}

/// Whether no further connection can come.
fn is_fatal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected)
}

#[cfg(test)]
mod tests {
    use rolecall_clock::{monotonic, since};

    use super::*;

    /// A server that says "hello" to each connection, and then repeats what it is told.
    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    client.write_all(b"hello").await.expect("it listens");
                    let (mut from, mut to) = client.split();
                    // The connection may be cut.
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn relayed() -> (Relay, SocketAddr) {
        let relay = Relay::new(server().await);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(relay.clone().serve(listener, CancellationToken::new()));
        (relay, address)
    }

    async fn connect(to: SocketAddr) -> TcpStream {
        let mut connection = TcpStream::connect(to).await.expect("a connection");
        let mut greeting = [0; 5];
        connection.read_exact(&mut greeting).await.expect("a greeting");
        assert_eq!(&greeting, b"hello");
        connection
    }

    async fn repeats(connection: &mut TcpStream) {
        connection.write_all(b"again").await.expect("it is open");
        let mut answer = [0; 5];
        connection.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"again");
    }

    async fn is_cut(connection: &mut TcpStream) {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), connection.read_to_end(&mut rest)).await;
        // Closed, or reset where something was still on its way.
        drop(read.expect("it ends"));
        assert_eq!(rest, b"");
    }

    #[tokio::test]
    async fn what_is_said_is_passed_on_both_ways_and_so_is_the_end() {
        let (_relay, address) = relayed().await;
        let mut connection = connect(address).await;
        repeats(&mut connection).await;
        connection.shutdown().await.expect("closed");
        is_cut(&mut connection).await;
    }

    #[tokio::test]
    async fn as_many_connections_are_cut_as_was_said_and_no_more() {
        let (relay, address) = relayed().await;
        let (mut one, mut two) = (connect(address).await, connect(address).await);
        relay.cut(Some(3));
        is_cut(&mut one).await;
        is_cut(&mut two).await;
        // The third is a connection that comes later, once it has told what was there.
        is_cut(&mut connect(address).await).await;
        let mut fourth = connect(address).await;
        tokio::time::timeout(QUIET * 2, fourth.read_u8())
            .await
            .expect_err("it stays open");
        repeats(&mut fourth).await;
        let healed = relay.heal().expect("there was a fault");
        assert_eq!((healed.met, healed.left), (Some(3), Some(0)));
        assert_eq!(relay.heal(), None);
    }

    #[tokio::test]
    async fn a_connection_is_not_cut_before_it_has_told_what_was_there() {
        let (relay, address) = relayed().await;
        relay.cut(None);
        let start = monotonic();
        let mut connection = connect(address).await;
        repeats(&mut connection).await;
        is_cut(&mut connection).await;
        assert!(since(start) >= QUIET, "it was cut after {:?}", since(start));
        let healed = relay.heal().expect("there was a fault");
        assert_eq!((healed.met, healed.left), (Some(1), None));
        repeats(&mut connect(address).await).await;
    }
}
