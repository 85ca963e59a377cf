//! The duties of a first process: nobody else reaps orphans, and nobody may read its secrets.

use std::io;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast;

/// A process that has ended, with its exit code unless a signal ended it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) pid: i32,
    pub(crate) code: Option<i32>,
}

/// Keeps the owner's other programs from reading this process's memory and environment, where the token is.
pub fn hide() -> io::Result<()> {
    Ok(nix::sys::prctl::set_dumpable(false)?)
}

/// Waits for every child, its own and orphans, and tells who has ended.
pub(crate) async fn reap(ended: broadcast::Sender<Ended>) -> io::Result<()> {
    let mut children = signal(SignalKind::child())?;
    loop {
        loop {
            match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => drop(ended.send(Ended { pid: pid.as_raw(), code: Some(code) })),
                Ok(WaitStatus::Signaled(pid, ..)) => drop(ended.send(Ended { pid: pid.as_raw(), code: None })),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        children.recv().await;
    }
}

/// What the platform (or the owner) asks of this computer by a signal.
///
/// Kept from before anybody can know that the gateway is there: a first process ignores a signal it has no handler for,
/// any other one dies of it.
pub(crate) struct Requests {
    terminate: Signal,
    interrupt: Signal,
}

impl Requests {
    pub(crate) fn heed() -> io::Result<Requests> {
        Ok(Requests { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when it is asked to end.
    pub(crate) async fn until_end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
