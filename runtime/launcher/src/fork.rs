//! Children of this process: each does one thing, says what came of it through a pipe, and ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::unistd::{ForkResult, Pid, fork, pipe2, setpgid};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Forks a child that does the work, writes what came of it into a pipe and ends.
#[allow(unsafe_code)]
pub(crate) fn spawn<T: Serialize>(work: impl FnOnce() -> T, panicked: impl FnOnce() -> T) -> io::Result<(Pid, File)> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    // SAFETY: this process has one thread, so the child may run ordinary code: no lock can be held by another thread.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok((child, File::from(reader))),
        ForkResult::Child => {
            drop(reader);
            // Neither it nor what libcontainer forks may outlive a launcher that is killed or gives up on it.
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
            let _ = set_pdeathsig(Signal::SIGKILL);
            // A container must inherit neither blocked nor ignored signals; Rust's runtime ignores SIGPIPE.
            let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
            // SAFETY: restores a default; no handler of this program is replaced.
            let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            write(writer, &outcome.unwrap_or_else(|_| panicked()));
            std::process::exit(0);
        }
    }
}

fn write<T: Serialize>(pipe: OwnedFd, outcome: &T) {
    // Fits into an empty pipe (64 KiB) at once; nothing better can be done if it does not.
    let bytes = serde_json::to_vec(outcome).unwrap_or_default();
    let _ = File::from(pipe).write_all(&bytes);
}

/// What the child wrote, if it came that far. The pipe does not block: a half-made container may still hold its other end.
pub(crate) fn read<T: DeserializeOwned>(pipe: &mut File) -> Option<T> {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    serde_json::from_slice(&bytes).ok()
}
