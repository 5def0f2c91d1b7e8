use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::{
    errno::Errno,
    sys::{
        socket::{
            AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
            socket, sockopt::ReceiveTimeout,
        },
        time::TimeVal,
    },
};

use super::batch::Batch;

/// `NLMSG_ERROR`: an error, or an acknowledgement if it is zero.
const NLMSG_ERROR: u16 = 2;

/// Seconds to wait for the kernel, which answers while the message is sent.
const PATIENCE: i64 = 2;

/// The rule could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum InterceptError {
    /// The process lacks the capability.
    #[error(
        "not permitted to change nf_tables: run with CAP_NET_ADMIN in the node's network, or with --intercept=none"
    )]
    NotPermitted,
    /// The kernel cannot do it.
    #[error(
        "the kernel refused {message} ({errno}): it has no nf_tables NAT; load nft_chain_nat, or redirect by other means and use --intercept=none"
    )]
    NoNat {
        /// What was refused.
        message: &'static str,
        /// The kernel's word.
        errno: Errno,
    },
    /// The kernel would not do it.
    #[error("the kernel refused {message}: {errno}")]
    Refused {
        /// What was refused.
        message: &'static str,
        /// The kernel's word.
        errno: Errno,
    },
    /// There is no talking to nf_tables.
    #[error("no netlink socket to nf_tables: {0}")]
    Socket(#[from] Errno),
    /// The kernel's answer was not understood.
    #[error("the kernel's answer was cut short")]
    Truncated,
}

/// Sends a transaction and waits until the kernel has done all of it.
pub(super) fn commit(batch: &Batch) -> Result<(), InterceptError> {
    let socket = open()?;
    send(socket.as_raw_fd(), &batch.encode(), MsgFlags::empty())?;
    let mut missing = batch.acknowledged();
    let mut buffer = vec![0; 64 * 1024];
    while missing > 0 {
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        let mut answers = buffer.get(..length).unwrap_or_default();
        while !answers.is_empty() {
            let (answer, rest) = split(answers).ok_or(InterceptError::Truncated)?;
            answers = rest;
            match answer {
                Answer {
                    errno: Some(errno),
                    sequence,
                } => return Err(refused(batch.name(sequence), errno)),
                Answer { errno: None, .. } => missing = missing.saturating_sub(1),
            }
        }
    }
    Ok(())
}

fn open() -> Result<OwnedFd, Errno> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkNetFilter,
    )?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
    setsockopt(&socket, ReceiveTimeout, &TimeVal::new(PATIENCE, 0))?;
    Ok(socket)
}

struct Answer {
    sequence: u32,
    errno: Option<Errno>,
}

/// The first message and what follows it. Messages that are neither errors nor acknowledgements count as the latter.
fn split(bytes: &[u8]) -> Option<(Answer, &[u8])> {
    let number = |at: usize| {
        bytes
            .get(at..at + 4)?
            .first_chunk::<4>()
            .map(|four| u32::from_ne_bytes(*four))
    };
    let length = usize::try_from(number(0)?)
        .ok()
        .filter(|length| (16..=bytes.len()).contains(length))?;
    let kind = bytes
        .get(4..6)?
        .first_chunk::<2>()
        .map(|two| u16::from_ne_bytes(*two))?;
    let code = if kind == NLMSG_ERROR {
        number(16)?.cast_signed()
    } else {
        0
    };
    let errno = (code != 0).then(|| Errno::from_raw(code.saturating_neg()));
    let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((
        Answer {
            sequence: number(8)?,
            errno,
        },
        rest,
    ))
}

fn refused(message: &'static str, errno: Errno) -> InterceptError {
    match errno {
        Errno::EPERM | Errno::EACCES => InterceptError::NotPermitted,
        Errno::ENOENT | Errno::EOPNOTSUPP => InterceptError::NoNat { message, errno },
        _ => InterceptError::Refused { message, errno },
    }
}
