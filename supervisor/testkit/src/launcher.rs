//! A launcher that speaks the real protocol but makes nothing: for tests of what stands above it. Containers
//! themselves are tested with the real one.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use matrixos_runtime::frames::Frames;
use matrixos_runtime::protocol::{Act, Answer, Failure, FailureKind, Reply, Request};
use matrixos_runtime::wire::{self, Received};
use matrixos_types::Handle;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe;

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

/// [`failing`], and everything that it is asked. Packing fails while `fails` says so.
pub fn noting(fails: Arc<AtomicBool>) -> (OwnedFd, Arc<Mutex<Vec<Act>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    let (socket, _) = start(move |act| {
        noted.lock().expect("no panic").push(act.clone());
        if matches!(act, Act::Archive { .. } | Act::Restore { .. }) && fails.load(Ordering::SeqCst) {
            let message = "the disk has no room".to_owned();
            return Some(Err(Failure { kind: FailureKind::Exhausted, step: "files".to_owned(), message }));
        }
        Some(answer(act))
    });
    (socket, asked)
}

fn start(answer: impl Fn(&Act) -> Option<Result<Answer, Failure>> + Send + 'static) -> (OwnedFd, Arc<AtomicU64>) {
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).expect("a socketpair");
    let read = Arc::new(AtomicU64::new(0));
    let count = read.clone();
    std::thread::spawn(move || {
        while let Ok(Received::Message(Request { id, act }, fd)) = wire::receive::<Request>(theirs.as_fd()) {
            count.fetch_add(u64::from(matches!(act, Act::ReadProfile { .. })), Ordering::SeqCst);
            let Some(result) = answer(&act) else { continue };
            let export = match &act {
                Act::Export { handle, .. } => Some(export(handle.clone(), fd.expect("what is known of the account"))),
                _ => None,
            };
            let export = export.as_ref().map(AsFd::as_fd);
            if wire::send(theirs.as_fd(), &Reply { id, result }, export).is_err() {
                return;
            }
        }
    });
    (ours, read)
}

/// An export that is no tar.gz: it repeats what is known of the account and then counts. That of a user whose handle
/// begins with `torn` breaks off, and that of one whose handle begins with `long` goes on until nobody reads any more.
fn export(handle: Handle, about: OwnedFd) -> OwnedFd {
    let (reader, writer) = pipe().expect("a pipe");
    std::thread::spawn(move || -> io::Result<()> {
        let mut out = Frames::new(File::from(writer));
        io::copy(&mut File::from(about), &mut out)?;
        out.flush()?;
        let most = if handle.as_str().starts_with("long") { u64::MAX } else { 1_000 };
        for number in 0..most {
            writeln!(out, "{number}")?;
            out.flush()?;
        }
        if handle.as_str().starts_with("torn") { Ok(()) } else { out.finish() }
    });
    reader
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
        | Act::Restore { .. }
        | Act::Export { .. }
        | Act::Destroy { .. } => Ok(Answer::Done),
        Act::Archive { .. } => Ok(Answer::Archived { left_out: 0 }),
    }
}
