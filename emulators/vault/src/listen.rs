//! The accept loop of both servers, which can be down.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use rolecall_accept::{CancellationToken, Limits, Peer, Transport};
use tokio::net::TcpListener;

use crate::{fault::Faults, journal::Door};

/// Serves until `stop` is cancelled; while [`Fault::Down`](crate::Fault::Down) holds, connections by [`Door::World`] are
/// cut instead.
///
/// The listener stays bound all the while, because a socket of another network namespace could not be bound anew here.
///
/// # Errors
/// The listener failed for good.
pub(crate) async fn listen<H, F>(
    listener: TcpListener,
    transport: Transport,
    door: Door,
    faults: Arc<Faults>,
    stop: CancellationToken,
    handler: H,
) -> io::Result<()>
where
    H: Fn(Peer, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = listener.into_std()?;
    let mut down = faults.down();
    let limits = Limits::shared();
    while !stop.is_cancelled() {
        let again = TcpListener::from_std(listener.try_clone()?)?;
        if door == Door::World && *down.borrow_and_update() {
            cut(&again, &faults, &mut down, &stop).await;
            continue;
        }
        let up = stop.child_token();
        let limits = Limits {
            // A server that goes down does not finish what it was doing.
            drain: Duration::from_millis(100),
            ..limits
        };
        let serving = rolecall_accept::serve(again, transport.clone(), limits, up.clone(), handler.clone());
        tokio::pin!(serving);
        loop {
            tokio::select! {
                served = &mut serving => {
                    served?;
                    break;
                }
                changed = down.changed() => {
                    if changed.is_err() || (door == Door::World && *down.borrow_and_update()) {
                        up.cancel();
                        (&mut serving).await?;
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Cuts whoever connects, until the server is up again.
async fn cut(
    listener: &TcpListener,
    faults: &Faults,
    down: &mut tokio::sync::watch::Receiver<bool>,
    stop: &CancellationToken,
) {
    while *down.borrow_and_update() {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = down.changed() => if changed.is_err() { return },
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // A reset, not a polite end.
                    let _ = stream.set_zero_linger();
                    drop(stream);
                    faults.cut();
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
}
