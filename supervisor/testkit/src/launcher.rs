//! A launcher that speaks the real protocol but makes nothing: for tests of what stands above it. Containers
//! themselves are tested with the real one.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use matrixos_runtime::protocol::{Act, Answer, Failure, FailureKind, Reply, Request};
use matrixos_runtime::wire::{self, Received};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

/// Starts it and returns the supervisor's end of its socket. Every launch fails; every user says who they are, with a
/// script; everything else succeeds.
pub fn failing() -> OwnedFd {
    failing_and_counting().0
}

/// Like [`failing`], but no launch ever ends.
pub fn slow() -> OwnedFd {
    start(|act| (!matches!(act, Act::Launch(_))).then(|| answer(act))).0
}

/// [`failing`], and the number of profiles that were read.
pub fn failing_and_counting() -> (OwnedFd, Arc<AtomicU64>) {
    start(|act| Some(answer(act)))
}

fn start(answer: fn(&Act) -> Option<Result<Answer, Failure>>) -> (OwnedFd, Arc<AtomicU64>) {
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).expect("a socketpair");
    let read = Arc::new(AtomicU64::new(0));
    let count = read.clone();
    std::thread::spawn(move || {
        while let Ok(Received::Message(Request { id, act }, _)) = wire::receive::<Request>(theirs.as_fd()) {
            count.fetch_add(u64::from(matches!(act, Act::ReadProfile { .. })), Ordering::SeqCst);
            let Some(result) = answer(&act) else { continue };
            if wire::send(theirs.as_fd(), &Reply { id, result }, None).is_err() {
                return;
            }
        }
    });
    (ours, read)
}

fn answer(act: &Act) -> Result<Answer, Failure> {
    match act {
        Act::Observe { .. } => Ok(Answer::Observed { containers: Vec::new(), more: false }),
        Act::Launch(_) | Act::Adopt { .. } | Act::OpenLog { .. } => Err(Failure {
            kind: FailureKind::Failed,
            step: "create".to_owned(),
            message: "this launcher makes nothing".to_owned(),
        }),
        Act::ReadProfile { handle, .. } => {
            Ok(Answer::Profile { text: Some(format!("I am {handle}.\n\n<script>alert(1)</script>")) })
        }
        Act::Freeze { .. }
        | Act::PageOut { .. }
        | Act::Thaw { .. }
        | Act::Terminate { .. }
        | Act::TakeDown { .. }
        | Act::Destroy { .. } => Ok(Answer::Done),
    }
}
