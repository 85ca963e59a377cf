//! A launcher that speaks the real protocol but makes nothing: for tests of what stands above it. Containers
//! themselves are tested with the real one.

use std::os::fd::{AsFd, OwnedFd};

use matrixos_runtime::protocol::{Act, Answer, Failure, FailureKind, Reply, Request};
use matrixos_runtime::wire::{self, Received};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

/// Starts it and returns the supervisor's end of its socket. Every launch fails; everything else succeeds.
pub fn failing() -> OwnedFd {
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).expect("a socketpair");
    std::thread::spawn(move || {
        while let Ok(Received::Message(Request { id, act }, _)) = wire::receive::<Request>(theirs.as_fd()) {
            if wire::send(theirs.as_fd(), &Reply { id, result: answer(&act) }, None).is_err() {
                return;
            }
        }
    });
    ours
}

fn answer(act: &Act) -> Result<Answer, Failure> {
    match act {
        Act::Observe { .. } => Ok(Answer::Observed { containers: Vec::new(), more: false }),
        Act::Launch(_) | Act::Adopt { .. } | Act::OpenLog { .. } => Err(Failure {
            kind: FailureKind::Failed,
            step: "create".to_owned(),
            message: "this launcher makes nothing".to_owned(),
        }),
        Act::Freeze { .. }
        | Act::PageOut { .. }
        | Act::Thaw { .. }
        | Act::Terminate { .. }
        | Act::TakeDown { .. }
        | Act::Destroy { .. } => Ok(Answer::Done),
    }
}
