//! One message of the launcher's protocol on a `SOCK_SEQPACKET` socket: JSON in one datagram, at most one file
//! descriptor beside it. Shared by both ends.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::MAX_MESSAGE;
use crate::sys;

/// What came out of the socket.
#[derive(Debug)]
pub enum Received<T> {
    /// A message, perhaps with a file descriptor.
    Message(T, Option<OwnedFd>),
    /// A datagram that is not a message: too long, or not the JSON that was expected. It has been consumed.
    Garbage(String),
    /// The other end is closed.
    End,
}

/// Sends one message. Fails with `InvalidInput` if it is longer than [`MAX_MESSAGE`].
pub fn send<T: Serialize>(socket: BorrowedFd<'_>, message: &T, fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let bytes = serde_json::to_vec(message).map_err(io::Error::other)?;
    if bytes.len() > MAX_MESSAGE {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the message is longer than the protocol allows"));
    }
    let fds: Vec<_> = fd.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&fds)];
    let control: &[ControlMessage<'_>] = if fds.is_empty() { &[] } else { &rights };
    let sent = sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&bytes)], control, MsgFlags::MSG_NOSIGNAL, None)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::Error::other("the message was cut")) }
}

/// Receives one message. Every file descriptor that came along and is not wanted is closed.
pub fn receive<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Received<T>> {
    let mut buffer = vec![0u8; MAX_MESSAGE + 1];
    let mut control = cmsg_space!([std::os::fd::RawFd; 16]);
    let (length, flags, mut fds) = {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let got = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC)?;
        let mut fds = Vec::new();
        if let Ok(messages) = got.cmsgs() {
            for message in messages {
                if let ControlMessageOwned::ScmRights(raw) = message {
                    fds.extend(sys::take_over(raw));
                }
            }
        }
        (got.bytes, got.flags, fds)
    };
    if length == 0 {
        return Ok(Received::End);
    }
    if length > MAX_MESSAGE || flags.contains(MsgFlags::MSG_TRUNC) {
        return Ok(Received::Garbage("longer than the protocol allows".to_owned()));
    }
    match serde_json::from_slice(&buffer[..length]) {
        Ok(message) => Ok(Received::Message(message, fds.pop())),
        Err(error) => Ok(Received::Garbage(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    use super::*;
    use crate::protocol::{Act, Request};

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).expect("a pair")
    }

    #[test]
    fn a_message_and_its_file_descriptor_arrive() {
        let (a, b) = pair();
        let (passed, _other) = pair();
        send(a.as_fd(), &Request { id: 7, act: Act::Observe { after: None } }, Some(passed.as_fd())).expect("sent");
        let Received::Message(Request { id: 7, act: Act::Observe { after: None } }, Some(_)) =
            receive(b.as_fd()).expect("received")
        else {
            panic!("not what was sent")
        };
        drop(a);
        assert!(matches!(receive::<Request>(b.as_fd()), Ok(Received::End)));
    }

    #[test]
    fn garbage_and_oversize_are_told_apart_from_the_end() {
        let (a, b) = pair();
        nix::unistd::write(&a, b"{\"id\":1,\"act\":{\"act\":\"sudo\"}}").expect("written");
        assert!(matches!(receive::<Request>(b.as_fd()), Ok(Received::Garbage(_))));
        nix::unistd::write(&a, &vec![b'x'; MAX_MESSAGE + 500]).expect("written");
        assert!(matches!(receive::<Request>(b.as_fd()), Ok(Received::Garbage(_))));
        assert_eq!(
            send(a.as_fd(), &"x".repeat(MAX_MESSAGE), None).expect_err("too long").kind(),
            io::ErrorKind::InvalidInput
        );
    }
}
