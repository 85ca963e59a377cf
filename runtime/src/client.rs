//! The supervisor's side of the launcher's socket: many calls in flight, each with a deadline.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use matrixos_types::{ContainerId, DiskShare, Handle, Seat};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::protocol::{Act, Answer, Failure, Launch, Observed, Reply, Request, Running};
use crate::sys;
use crate::wire::{self, Received};

/// How long the launcher may take for one act. It has shorter deadlines of its own.
const CALL_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take for all the files that somebody has.
const FILES_WITHIN: Duration = Duration::from_secs(20 * 60);

/// Why a call to the launcher brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The launcher answered that it could not do it.
    #[error("{0}")]
    Failed(Failure),
    /// The launcher is gone. The platform must be restarted; containers run on.
    #[error("the launcher is gone; restart the platform (the computers run on)")]
    Gone,
    /// No answer in time.
    #[error("the launcher did not answer within {} seconds", .0.as_secs())]
    Late(Duration),
    /// The answer does not belong to the question.
    #[error("the launcher gave an answer of the wrong kind")]
    Confused,
    /// The socket failed.
    #[error("speaking to the launcher: {0}")]
    Io(#[from] io::Error),
}

type Outcome = (Result<Answer, Failure>, Option<OwnedFd>);

/// A handle on the launcher; clones share the socket.
#[derive(Clone)]
pub struct LauncherClient {
    shared: Arc<Shared>,
}

struct Shared {
    socket: AsyncFd<OwnedFd>,
    next: AtomicU64,
    /// `None` once the launcher is gone.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Outcome>>>>,
}

impl LauncherClient {
    /// Takes over the supervisor's end of the socketpair, and reads replies in a task of the current runtime.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let flags = nix::fcntl::OFlag::O_NONBLOCK;
        nix::fcntl::fcntl(&socket, nix::fcntl::FcntlArg::F_SETFL(flags))?;
        let shared = Arc::new(Shared {
            socket: sys::watch(socket)?,
            next: AtomicU64::new(1),
            waiting: Mutex::new(Some(HashMap::new())),
        });
        tokio::spawn(read_replies(shared.clone()));
        Ok(Self { shared })
    }

    /// Starts a container, or finds it running. The descriptor is a pidfd of its first process.
    pub async fn launch(&self, launch: Launch) -> Result<(Running, OwnedFd), CallError> {
        running(self.call(Act::Launch(Box::new(launch))).await?)
    }

    /// Opens a pidfd on a container that runs already.
    pub async fn adopt(&self, container: ContainerId) -> Result<(Running, OwnedFd), CallError> {
        running(self.call(Act::Adopt { container }).await?)
    }

    /// Asks the container's first process to end.
    pub async fn terminate(&self, container: ContainerId) -> Result<(), CallError> {
        self.call(Act::Terminate { container }).await.map(drop)
    }

    /// Stops the container's processes where they are.
    pub async fn freeze(&self, container: ContainerId) -> Result<(), CallError> {
        self.call(Act::Freeze { container }).await.map(drop)
    }

    /// Hands a frozen container's memory back to the host.
    pub async fn page_out(&self, container: ContainerId) -> Result<(), CallError> {
        self.call(Act::PageOut { container }).await.map(drop)
    }

    /// Lets a frozen container go on.
    pub async fn thaw(&self, container: ContainerId) -> Result<(), CallError> {
        self.call(Act::Thaw { container }).await.map(drop)
    }

    /// Removes everything of the container but its files.
    pub async fn take_down(&self, container: ContainerId, seat: Option<Seat>) -> Result<(), CallError> {
        self.call(Act::TakeDown { container, seat }).await.map(drop)
    }

    /// Removes everything of the container, its files included.
    pub async fn destroy(&self, container: ContainerId, seat: Seat, handle: Handle) -> Result<(), CallError> {
        self.call(Act::Destroy { container, seat, handle }).await.map(drop)
    }

    /// Returns when the launcher has answered a question that changes nothing.
    pub async fn answers(&self) -> Result<(), CallError> {
        self.call(Act::Observe { after: None }).await.map(drop)
    }

    /// Lists what has runtime state.
    pub async fn observe(&self) -> Result<Vec<Observed>, CallError> {
        let mut all: Vec<Observed> = Vec::new();
        loop {
            let after = all.last().map(|last| last.container.clone());
            let (Answer::Observed { containers, more }, _) = self.call(Act::Observe { after }).await? else {
                return Err(CallError::Confused);
            };
            all.extend(containers);
            if !more {
                return Ok(all);
            }
        }
    }

    /// Opens the container's log for reading.
    pub async fn open_log(&self, container: ContainerId) -> Result<OwnedFd, CallError> {
        self.call(Act::OpenLog { container }).await?.1.ok_or(CallError::Confused)
    }

    /// Reads what a user says about themselves.
    pub async fn read_profile(&self, seat: Seat, handle: Handle) -> Result<Option<String>, CallError> {
        match self.call(Act::ReadProfile { seat, handle }).await? {
            (Answer::Profile { text }, _) => Ok(text),
            _ => Err(CallError::Confused),
        }
    }

    /// Packs a user's files. Says how many sockets, pipes and devices were left out.
    pub async fn archive(&self, container: ContainerId, seat: Seat, handle: Handle) -> Result<u64, CallError> {
        match self.call_within(Act::Archive { container, seat, handle }, None, FILES_WITHIN).await? {
            (Answer::Archived { left_out }, _) => Ok(left_out),
            _ => Err(CallError::Confused),
        }
    }

    /// Unpacks a user's files, if they are packed.
    pub async fn restore(
        &self,
        container: ContainerId,
        seat: Seat,
        handle: Handle,
        disk: DiskShare,
    ) -> Result<(), CallError> {
        self.call_within(Act::Restore { container, seat, handle, disk }, None, FILES_WITHIN).await.map(drop)
    }

    /// Begins to write a user's files, and what else is known `about` them, into a pipe. See [`Act::Export`].
    pub async fn export(
        &self,
        container: ContainerId,
        seat: Seat,
        handle: Handle,
        about: &[u8],
    ) -> Result<OwnedFd, CallError> {
        let mut file = File::from(memfd_create("about", MFdFlags::MFD_CLOEXEC).map_err(io::Error::from)?);
        file.write_all(about)?;
        file.rewind()?;
        let act = Act::Export { container, seat, handle };
        self.call_within(act, Some(file.into()), CALL_WITHIN).await?.1.ok_or(CallError::Confused)
    }

    async fn call(&self, act: Act) -> Result<(Answer, Option<OwnedFd>), CallError> {
        self.call_within(act, None, CALL_WITHIN).await
    }

    async fn call_within(
        &self,
        act: Act,
        fd: Option<OwnedFd>,
        within: Duration,
    ) -> Result<(Answer, Option<OwnedFd>), CallError> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (sender, outcome) = oneshot::channel();
        self.shared.lock().as_mut().ok_or(CallError::Gone)?.insert(id, sender);
        let exchange = async {
            self.send(&Request { id, act }, fd).await?;
            outcome.await.map_err(|_| CallError::Gone)
        };
        let exchanged = timeout(within, exchange).await;
        if let Some(waiting) = self.shared.lock().as_mut() {
            waiting.remove(&id);
        }
        let (result, fd) = exchanged.map_err(|_| CallError::Late(within))??;
        Ok((result.map_err(CallError::Failed)?, fd))
    }

    async fn send(&self, request: &Request, fd: Option<OwnedFd>) -> Result<(), CallError> {
        loop {
            let mut ready = self.shared.socket.writable().await?;
            match ready.try_io(|socket| wire::send(socket.as_fd(), request, fd.as_ref().map(AsFd::as_fd))) {
                Ok(sent) => return Ok(sent?),
                Err(_would_block) => {}
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Outcome>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands each reply to whoever waits for it, until the launcher is gone; then everybody's wait ends.
async fn read_replies(shared: Arc<Shared>) {
    while let Ok(mut ready) = shared.socket.readable().await {
        match ready.try_io(|socket| wire::receive::<Reply>(socket.as_fd())) {
            Ok(Ok(Received::Message(Reply { id, result }, fd))) => {
                let waiter = shared.lock().as_mut().and_then(|waiting| waiting.remove(&id));
                if let Some(waiter) = waiter {
                    let _ = waiter.send((result, fd));
                }
            }
            Ok(Ok(Received::Garbage(_))) | Err(_) => {}
            Ok(Ok(Received::End) | Err(_)) => break,
        }
    }
    *shared.lock() = None;
}

fn running(outcome: (Answer, Option<OwnedFd>)) -> Result<(Running, OwnedFd), CallError> {
    match outcome {
        (Answer::Running(running), Some(pidfd)) => Ok((running, pidfd)),
        _ => Err(CallError::Confused),
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).expect("a pair")
    }

    #[tokio::test]
    async fn answers_find_their_questions_in_any_order() {
        let (ours, theirs) = pair();
        let client = LauncherClient::new(ours).expect("a client");
        let launcher = std::thread::spawn(move || {
            let mut ids = Vec::new();
            for _ in 0..2 {
                let Ok(Received::Message(Request { id, act }, _)) = wire::receive(theirs.as_fd()) else {
                    panic!("no request")
                };
                ids.push((id, matches!(act, Act::Observe { .. })));
            }
            for (id, observe) in ids.into_iter().rev() {
                let result =
                    Ok(if observe { Answer::Observed { containers: Vec::new(), more: false } } else { Answer::Done });
                wire::send(theirs.as_fd(), &Reply { id, result }, None).expect("answered");
            }
        });
        let (observed, done) = tokio::join!(client.observe(), client.terminate(ContainerId::random()));
        assert!(observed.expect("an answer").is_empty());
        done.expect("an answer");
        launcher.join().expect("the launcher's thread");
    }

    #[tokio::test]
    async fn when_the_launcher_is_gone_every_call_ends_with_that_reason() {
        let (ours, theirs) = pair();
        let client = LauncherClient::new(ours).expect("a client");
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.observe().await }
        });
        tokio::task::yield_now().await;
        drop(theirs);
        let ended = waiting.await.expect("no panic");
        assert!(matches!(ended, Err(CallError::Gone | CallError::Io(_))), "{ended:?}");
        assert!(client.observe().await.is_err());
    }
}
