//! One message, one `SOCK_SEQPACKET` datagram of JSON, with file descriptors as `SCM_RIGHTS`. Both ends of the
//! launcher's socket use it; whatever arrives is a value or an error, never a panic.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::protocol::MAX_MESSAGE;

/// File descriptors that may come with one message. More are refused, and closed.
pub const MAX_FDS: usize = 2;

/// Why a message could not be sent or understood.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The other end is closed: nothing will ever arrive again.
    #[error("the other end of the socket is closed")]
    Closed,
    /// Nothing to read, or no room to write, on a socket that does not block.
    #[error("the socket is not ready")]
    NotReady,
    /// The message is larger than [`MAX_MESSAGE`] bytes.
    #[error("the message is larger than {MAX_MESSAGE} bytes")]
    TooLarge,
    /// The message has no bytes.
    #[error("the message is empty")]
    Empty,
    /// More than [`MAX_FDS`] file descriptors came with the message.
    #[error("too many file descriptors came with the message")]
    TooManyFds,
    /// The message is not the JSON that was expected.
    #[error("the message cannot be understood")]
    Garbled(#[source] serde_json::Error),
    /// The value cannot be written as JSON.
    #[error("the message cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// The socket failed.
    #[error("the socket failed")]
    Socket(#[source] Errno),
}

impl WireError {
    /// True if the fault is in this one message, and the next one may be read.
    pub fn is_message_fault(&self) -> bool {
        matches!(self, Self::TooLarge | Self::Empty | Self::TooManyFds | Self::Garbled(_))
    }
}

/// A connected pair of sockets for messages, both closed on exec.
pub fn pair() -> Result<(OwnedFd, OwnedFd), WireError> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(WireError::Socket)
}

/// Sends one message. Blocks if the socket does.
pub fn send<T: Serialize>(socket: impl AsFd, message: &T, fds: &[BorrowedFd<'_>]) -> Result<(), WireError> {
    let bytes = serde_json::to_vec(message).map_err(WireError::Encode)?;
    if bytes.len() > MAX_MESSAGE {
        return Err(WireError::TooLarge);
    }
    send_bytes(socket, &bytes, fds)
}

/// Sends one message of bytes as they are: for tests that speak out of turn.
pub fn send_bytes(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), WireError> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(fds.len()))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(WireError::TooManyFds);
    }
    loop {
        match sendmsg(&socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Err(WireError::NotReady),
            Err(Errno::PIPE | Errno::CONNRESET) => return Err(WireError::Closed),
            Err(Errno::MSGSIZE) => return Err(WireError::TooLarge),
            Err(e) => return Err(WireError::Socket(e)),
        }
    }
}

/// Receives one message. Blocks if the socket does. After an error of the message's own
/// ([`WireError::is_message_fault`]) the next message can be received.
pub fn receive<T: DeserializeOwned>(socket: impl AsFd) -> Result<(T, Vec<OwnedFd>), WireError> {
    let mut bytes = vec![0; MAX_MESSAGE + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = receive_bytes(&socket, &mut bytes, &mut control)?;
    // Drained first, so that the descriptors of a refused message are closed.
    let fds: Vec<OwnedFd> = control.drain().filter_map(rights).flatten().collect();
    if received.bytes == 0 {
        return Err(if hung_up(socket.as_fd()) { WireError::Closed } else { WireError::Empty });
    }
    if received.flags.contains(ReturnFlags::TRUNC) || received.bytes > MAX_MESSAGE {
        return Err(WireError::TooLarge);
    }
    if received.flags.contains(ReturnFlags::CTRUNC) || fds.len() > MAX_FDS {
        return Err(WireError::TooManyFds);
    }
    let message = serde_json::from_slice(&bytes[..received.bytes]).map_err(WireError::Garbled)?;
    Ok((message, fds))
}

fn receive_bytes(
    socket: &impl AsFd,
    bytes: &mut [u8],
    control: &mut RecvAncillaryBuffer<'_>,
) -> Result<rustix::net::RecvMsg, WireError> {
    loop {
        match recvmsg(socket, &mut [IoSliceMut::new(bytes)], control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Err(WireError::NotReady),
            Err(Errno::CONNRESET) => return Err(WireError::Closed),
            other => return other.map_err(WireError::Socket),
        }
    }
}

fn rights(message: RecvAncillaryMessage<'_>) -> Option<Vec<OwnedFd>> {
    match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds.collect()),
        _ => None,
    }
}

/// A read of no bytes is an empty message or the end; only the end hangs up.
fn hung_up(socket: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(socket, PollFlags::IN | PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_err() || polled[0].revents().intersects(PollFlags::HUP | PollFlags::RDHUP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_with_its_descriptors() {
        let (a, b) = pair().expect("a pair");
        send(&a, &vec![1, 2], &[a.as_fd()]).expect("sends");
        let (message, fds): (Vec<u8>, _) = receive(&b).expect("receives");
        assert_eq!((message, fds.len()), (vec![1, 2], 1));
    }

    #[test]
    fn a_faulty_message_is_an_error_and_the_next_one_is_read() {
        let (a, b) = pair().expect("a pair");
        let fds = [a.as_fd(); 9];
        send_bytes(&a, b"", &[]).expect("sends");
        send_bytes(&a, b"{nonsense", &[]).expect("sends");
        send_bytes(&a, &vec![b' '; MAX_MESSAGE + 500], &[]).expect("sends");
        send_bytes(&a, b"7", &fds).expect("sends");
        send(&a, &7, &[]).expect("sends");
        for _ in 0..4 {
            let fault = receive::<u8>(&b).expect_err("a fault");
            assert!(fault.is_message_fault(), "{fault}");
        }
        assert_eq!(receive::<u8>(&b).expect("receives").0, 7);
        drop(a);
        assert!(matches!(receive::<u8>(&b), Err(WireError::Closed)));
    }

    #[test]
    fn a_message_beyond_the_limit_is_not_sent() {
        let (a, _b) = pair().expect("a pair");
        let text = "x".repeat(MAX_MESSAGE);
        assert!(matches!(send(&a, &text, &[]), Err(WireError::TooLarge)));
    }
}
