use std::{fmt, io, sync::Arc};

use rolecall_accept::{CancellationToken, Transport};
use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::{
    core::Core,
    fault::{Fault, FaultRecord},
    handler,
    journal::{Door, Entry},
    listen::listen,
    settings::Settings,
};

/// One Vault server. Clones are the same server.
#[derive(Clone)]
pub struct Vault(Arc<Core>);

// === impl Vault ===

impl Vault {
    /// A server that holds nothing but what a new one holds.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Core::new(settings)))
    }

    /// Serves plain HTTP on `listener` until `stop` is cancelled, and ends tokens and leases meanwhile as the world's time
    /// passes. May run for several listeners.
    ///
    /// # Errors
    /// The listener failed for good.
    pub async fn serve(&self, listener: TcpListener, door: Door, stop: CancellationToken) -> io::Result<()> {
        self.serve_over(Transport::Plain, listener, door, stop).await
    }

    /// As [`serve`](Self::serve), as `transport` says.
    ///
    /// # Errors
    /// The listener failed for good.
    pub async fn serve_over(
        &self,
        transport: Transport,
        listener: TcpListener,
        door: Door,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let core = self.0.clone();
        let faults = core.faults.clone();
        let serving = listen(listener, transport, door, faults, stop, move |peer, request| {
            handler::answer(core.clone(), door, peer, request)
        });
        tokio::select! {
            served = serving => served,
            () = self.0.reap_for_ever() => Ok(()),
        }
    }

    /// Ends all tokens and leases whose time is over in the world's time, and returns when AWS was told (or has refused;
    /// it is then asked again later). [`serve`](Self::serve) does so all the time; this is for whoever has just moved the
    /// clock and wants to see what follows from it.
    pub async fn settle(&self) {
        self.0.reap().await;
        // What another reaper has taken over is told to AWS by that one.
        while self.0.state().leases.are_ending() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// The newest 200,000 entries of the journal from this number on, oldest first.
    pub fn journal_since(&self, number: u64) -> Vec<Entry> {
        self.0.journal.since(number)
    }

    /// The number that the journal's next entry gets.
    pub fn journal_mark(&self) -> u64 {
        self.0.journal.mark()
    }

    /// Makes the server fail at [`Door::World`], until [`heal`](Self::heal) or until it was met `times` times. Several
    /// faults hold at once.
    pub fn inject(&self, fault: Fault, times: Option<u32>) {
        self.0.faults.inject(fault, times);
    }

    /// Ends all faults and says what they did, in the order of their injection.
    pub fn heal(&self) -> Vec<FaultRecord> {
        self.0.faults.heal()
    }

    /// Every token that lives, every key share, and every secret that the AWS engine holds or has handed out under a lease
    /// that lives, so that whoever shows texts of the world can hide them.
    pub fn secrets(&self) -> Vec<SecretString> {
        self.0.state().secrets()
    }

    /// The key share (hex) of a server with one share, for `sys/unseal`; none if there are several, or none yet.
    pub fn unseal_key(&self) -> Option<SecretString> {
        self.0.state().seal.only_share().map(SecretString::from)
    }

    /// The ids of the leases that live, in their order.
    pub fn leases(&self) -> Vec<String> {
        self.0.state().leases.ids()
    }

    /// How many tokens live, root tokens and wrapping tokens included.
    pub fn tokens(&self) -> usize {
        self.0.state().tokens.count()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}
