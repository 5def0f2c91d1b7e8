use std::{io, net::SocketAddr};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket},
    process::{Child, Command},
};

use crate::{Error, Namespace};

/// What is made in the namespace and then served by the caller's runtime, which therefore must be a tokio runtime.
impl Namespace {
    /// Listens at `address` in this namespace, with SO_REUSEADDR.
    ///
    /// # Errors
    /// [`Error::System`] if the address is taken or is not this host's.
    pub async fn listen_tcp(&self, address: SocketAddr) -> Result<TcpListener, Error> {
        // Bound without a runtime and registered by the caller's thread, so that the thread here is free again sooner.
        let listener = self
            .run_async(move |_| {
                let listener = std::net::TcpListener::bind(address)?;
                listener.set_nonblocking(true)?;
                Ok::<_, io::Error>(listener)
            })
            .await?;
        listener
            .and_then(TcpListener::from_std)
            .map_err(|source| self.failed(format!("listening at {address}"), source))
    }

    /// A TCP socket of this namespace, to be bound and connected by the caller, for an address of `family`'s family.
    ///
    /// # Errors
    /// [`Error::System`] if the kernel refuses.
    pub async fn tcp_socket(&self, family: SocketAddr) -> Result<TcpSocket, Error> {
        let make = move |_: &crate::Inside| {
            if family.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }
        };
        self.run_async(make)
            .await?
            .map_err(|source| self.failed("making a TCP socket".to_owned(), source))
    }

    /// Connects to `address` from this namespace.
    ///
    /// # Errors
    /// [`Error::System`] if nobody answers there. There is no time limit beyond the kernel's own.
    pub async fn connect(&self, address: SocketAddr) -> Result<TcpStream, Error> {
        let socket = self.tcp_socket(address).await?;
        socket
            .connect(address)
            .await
            .map_err(|source| self.failed(format!("connecting to {address}"), source))
    }

    /// A UDP socket bound to `address` in this namespace.
    ///
    /// # Errors
    /// [`Error::System`] if the address is taken or is not this host's.
    pub async fn udp_socket(&self, address: SocketAddr) -> Result<UdpSocket, Error> {
        let socket = self
            .run_async(move |_| {
                let socket = std::net::UdpSocket::bind(address)?;
                socket.set_nonblocking(true)?;
                Ok::<_, io::Error>(socket)
            })
            .await?;
        socket
            .and_then(UdpSocket::from_std)
            .map_err(|source| self.failed(format!("binding {address}"), source))
    }

    /// Starts a program on this host: it has this namespace's network and mounts, and its PID namespace.
    ///
    /// Dropping the child kills it. It leads a process group of its own, so ^C at the terminal reaches the harness
    /// alone. Its environment and standard streams are what `command` says; an environment that is not cleared is the
    /// harness's own. Its id is the host's. `/proc` shows the host's processes.
    ///
    /// # Errors
    /// [`Error::System`] if the program cannot be started; of kind `NotFound` if it is not there, of kind `OutOfMemory`
    /// if the PID namespace has ended.
    pub async fn spawn(&self, mut command: Command) -> Result<Child, Error> {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        command.kill_on_drop(true).process_group(0);
        self.run_async(move |_| command.spawn())
            .await?
            .map_err(|source| self.failed(format!("starting {program}"), source))
    }

    fn failed(&self, what: String, source: io::Error) -> Error {
        Error::system(format!("{what} in {}", self.name()), source)
    }
}
