//! The two places outside the launcher where the compiler cannot see that a file descriptor is ours.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use tokio::io::unix::AsyncFd;

/// Watches a descriptor with the current runtime.
pub fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is open, stays the same descriptor, and is closed only when the AsyncFd drops it.
    unsafe { AsyncFd::register(fd) }.map_err(Into::into)
}

/// Takes over descriptors that the kernel has just made for this process (`SCM_RIGHTS`).
pub(crate) fn take_over(received: Vec<RawFd>) -> impl Iterator<Item = OwnedFd> {
    // SAFETY: recvmsg(2) installed them a moment ago; nothing else in this process knows their numbers.
    received.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}
