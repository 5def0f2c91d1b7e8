use std::{
    fmt,
    fs::File,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, setns, unshare},
};
use tokio::{runtime::Handle, sync::oneshot};

use crate::{Error, Inside, PidNamespace};

type Job = Box<dyn FnOnce(&Inside) + Send>;
type Entered = Result<NetworkNamespace, Error>;

/// One host of the network: a thread with a network and a mount namespace of its own, whose children live in a
/// [`PidNamespace`].
///
/// Work is handed to the thread by [`run`](Self::run) and [`run_async`](Self::run_async), one job after the other.
/// Dropping the value ends the thread once its last job is done; the kernel takes the namespaces down in the background
/// when no thread, child, socket or other namespace holds them.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    jobs: mpsc::Sender<Job>,
    network: NetworkNamespace,
}

/// The network part of a [`Namespace`]: where the far end of a wire is born, or what another namespace shares.
#[derive(Clone, Debug)]
pub struct NetworkNamespace(Arc<OwnedFd>);

/// What a new thread does about its network.
enum Network {
    New,
    Of(NetworkNamespace),
}

impl Namespace {
    /// A host with a network of its own, in which nothing but `lo` is there and up.
    ///
    /// Waits for the new thread, at most a few milliseconds unless the kernel is still taking many namespaces down.
    /// Blocks: not for a runtime's own threads, nor for a job of another namespace, whose thread can start no thread.
    ///
    /// # Errors
    /// [`Error::Forbidden`] or [`Error::System`] saying what the kernel refused.
    pub fn new(name: &str, processes: &PidNamespace) -> Result<Self, Error> {
        Self::start(name, Network::New, processes)
    }

    /// As [`new`](Self::new), without blocking the caller's thread.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn new_async(name: &str, processes: &PidNamespace) -> Result<Self, Error> {
        Self::start_async(name, Network::New, processes).await
    }

    /// A host that shares the network of another (a pod with `hostNetwork`) and has mounts of its own. Blocks, as
    /// [`new`](Self::new) does.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn sharing_network(name: &str, other: &Self, processes: &PidNamespace) -> Result<Self, Error> {
        Self::start(name, Network::Of(other.network.clone()), processes)
    }

    /// As [`sharing_network`](Self::sharing_network), without blocking the caller's thread.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn sharing_network_async(name: &str, other: &Self, processes: &PidNamespace) -> Result<Self, Error> {
        Self::start_async(name, Network::Of(other.network.clone()), processes).await
    }

    fn start(name: &str, network: Network, processes: &PidNamespace) -> Result<Self, Error> {
        let (ready, started) = mpsc::channel();
        let jobs = launch(name, network, processes, move |entered| drop(ready.send(entered)))?;
        Self::started(name, jobs, started.recv().ok())
    }

    async fn start_async(name: &str, network: Network, processes: &PidNamespace) -> Result<Self, Error> {
        let (ready, started) = oneshot::channel();
        let jobs = launch(name, network, processes, move |entered| drop(ready.send(entered)))?;
        Self::started(name, jobs, started.await.ok())
    }

    /// What has come of a thread; nothing, if it panicked.
    fn started(name: &str, jobs: mpsc::Sender<Job>, entered: Option<Entered>) -> Result<Self, Error> {
        let name = name.to_owned();
        match entered {
            Some(Ok(network)) => Ok(Self { name, jobs, network }),
            Some(Err(error)) => Err(error),
            None => Err(Error::Ended { name }),
        }
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its network part.
    pub fn network(&self) -> &NetworkNamespace {
        &self.network
    }

    /// Runs `job` on the namespace's thread and waits for it. Blocks: not for a runtime's own threads.
    ///
    /// Where the caller is in a tokio runtime, that one is entered for the job: what registers with a runtime (sockets,
    /// children) is then served by it.
    ///
    /// # Errors
    /// [`Error::Panicked`] if `job` panicked, [`Error::Ended`] if the thread is gone.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce(&Inside) -> T + Send + 'static) -> Result<T, Error> {
        let (done, result) = mpsc::channel();
        self.send(move |inside| {
            let _ = done.send(job(inside));
        })?;
        result.recv().map_err(|_| self.panicked())
    }

    /// As [`run`](Self::run), without blocking the caller's thread. A job that has been handed over is run even if the
    /// future is dropped.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_async<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Inside) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (done, result) = oneshot::channel();
        self.send(move |inside| {
            let _ = done.send(job(inside));
        })?;
        result.await.map_err(|_| self.panicked())
    }

    fn send(&self, job: impl FnOnce(&Inside) + Send + 'static) -> Result<(), Error> {
        let caller = Handle::try_current().ok();
        let job: Job = Box::new(move |inside| {
            let _entered = caller.as_ref().map(Handle::enter);
            job(inside);
        });
        self.jobs.send(job).map_err(|_| Error::Ended {
            name: self.name.clone(),
        })
    }

    fn panicked(&self) -> Error {
        Error::Panicked {
            name: self.name.clone(),
        }
    }
}

/// Starts the thread of a namespace, which says `ready` and then does the jobs it is sent.
fn launch(
    name: &str,
    network: Network,
    processes: &PidNamespace,
    ready: impl FnOnce(Entered) + Send + 'static,
) -> Result<mpsc::Sender<Job>, Error> {
    let (jobs, queue) = mpsc::channel::<Job>();
    let (label, processes) = (name.to_owned(), processes.shared());
    thread::Builder::new()
        .name(format!("ns-{name}").replace('\0', ""))
        .spawn(move || {
            let inside = match enter(label, network, &processes) {
                Ok((inside, network)) => {
                    ready(Ok(network));
                    inside
                }
                Err(error) => return ready(Err(error)),
            };
            for job in queue {
                // A panic of a job is told to who waits for it (the job's channel is dropped), and the host lives.
                let _ = catch_unwind(AssertUnwindSafe(|| job(&inside)));
            }
        })
        .map_err(|source| Error::system(format!("starting a thread for namespace {name}"), source))?;
    Ok(jobs)
}

/// Takes the current thread, which is new, into its namespaces.
fn enter(name: String, network: Network, processes: &OwnedFd) -> Result<(Inside, NetworkNamespace), Error> {
    const ACTION: &str = "making a network and a mount namespace";
    let new = match &network {
        Network::New => CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS,
        Network::Of(other) => {
            setns(other.as_fd(), CloneFlags::CLONE_NEWNET)
                .map_err(|errno| Error::system(format!("entering the network of another for {name}"), errno))?;
            CloneFlags::CLONE_NEWNS
        }
    };
    unshare(new).map_err(|errno| Error::refusal(ACTION, errno))?;
    // What is mounted here is seen here alone.
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .map_err(|errno| Error::system(format!("making the mounts of {name} private"), errno))?;
    // From here on this thread's children are born in the PID namespace, and the thread can start no other thread.
    setns(processes, CloneFlags::CLONE_NEWPID)
        .map_err(|errno| Error::system(format!("entering the PID namespace for {name}"), errno))?;
    match network {
        Network::Of(other) => Ok((Inside::new(name)?, other)),
        Network::New => {
            let path = "/proc/thread-self/ns/net";
            let fd = File::open(path).map_err(|source| Error::system(format!("opening {path} of {name}"), source))?;
            let inside = Inside::new(name)?;
            inside.prepare()?;
            Ok((inside, NetworkNamespace(Arc::new(fd.into()))))
        }
    }
}

// === impl NetworkNamespace ===

impl AsFd for NetworkNamespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for NetworkNamespace {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
