//! The launcher as seen by the supervisor: typed calls over its socket, bounded in number and in time.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use matrixos_types::{ContainerId, Handle, Seat};
use tokio::io::unix::AsyncFd;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::protocol::{Act, Answer, Failure, Launch, Observed, Reply, Request, Running};
use crate::wire::{self, WireError};

/// Calls under way at once; further ones wait for their turn.
const IN_FLIGHT: usize = 64;
/// How long a call may take. The launcher gives up earlier, and then says what it was doing.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long the deletion of a user's tree may take.
const DESTROY_DEADLINE: Duration = Duration::from_secs(600);

/// Why a call had no success.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The launcher tried, or refused to.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The launcher is not there any more; the supervisor has to be restarted.
    #[error("the launcher has ended; restart the service")]
    Gone,
    /// No answer in time.
    #[error("the launcher did not answer within {} seconds", .0.as_secs())]
    Late(Duration),
    /// The request could not be sent.
    #[error("the request could not be sent to the launcher")]
    Send(#[source] WireError),
    /// The answer is not one to this request.
    #[error("the launcher's answer does not fit the request")]
    Misfit,
}

/// A connection to the launcher; clones share it. When the last one is dropped the socket closes, and the launcher ends.
#[derive(Clone, Debug)]
pub struct LauncherClient {
    connection: Arc<Connection>,
}

#[derive(Debug)]
struct Connection {
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    socket: AsyncFd<OwnedFd>,
    /// Calls that wait for a reply; `None` once the launcher has ended.
    waiting: Mutex<Option<Waiting>>,
    turns: Semaphore,
    next: AtomicU64,
}

type Waiting = HashMap<u64, oneshot::Sender<Arrived>>;
type Arrived = (Result<Answer, Failure>, Vec<OwnedFd>);

impl LauncherClient {
    /// A client on the supervisor's end of the launcher's socket. Must be called within a tokio runtime.
    pub fn from_fd(socket: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        let shared = Arc::new(Shared {
            socket: watch(socket)?,
            waiting: Mutex::new(Some(HashMap::new())),
            turns: Semaphore::new(IN_FLIGHT),
            next: AtomicU64::new(1),
        });
        let reader = tokio::spawn(read_replies(shared.clone()));
        Ok(Self { connection: Arc::new(Connection { shared, reader }) })
    }

    /// Starts a container, or finds it running. The pidfd becomes readable when its first process ends.
    pub async fn launch(&self, launch: Launch) -> Result<(Running, OwnedFd), CallError> {
        as_running(self.call(Act::Launch(Box::new(launch)), DEADLINE).await?)
    }

    /// Takes charge of a container that runs already.
    pub async fn adopt(&self, container: ContainerId) -> Result<(Running, OwnedFd), CallError> {
        as_running(self.call(Act::Adopt { container }, DEADLINE).await?)
    }

    /// Asks the gateway to end; its pidfd tells when it has.
    pub async fn terminate(&self, container: ContainerId) -> Result<(), CallError> {
        as_done(self.call(Act::Terminate { container }, DEADLINE).await?)
    }

    /// Ends whatever is left of a container and removes its traces; the user's files stay.
    pub async fn take_down(&self, container: ContainerId, seat: Seat) -> Result<(), CallError> {
        as_done(self.call(Act::TakeDown { container, seat }, DEADLINE).await?)
    }

    /// [`take_down`](Self::take_down), and deletes the user's files for good.
    pub async fn destroy(&self, container: ContainerId, seat: Seat, handle: Handle) -> Result<(), CallError> {
        as_done(self.call(Act::Destroy { container, seat, handle }, DESTROY_DEADLINE).await?)
    }

    /// Every container that has runtime state, running or half made.
    pub async fn observe(&self) -> Result<Vec<Observed>, CallError> {
        let mut all: Vec<Observed> = Vec::new();
        loop {
            let after = all.last().map(|o| o.container.clone());
            match self.call(Act::Observe { after }, DEADLINE).await?.0 {
                Answer::Observed { containers, more } if !more || !containers.is_empty() => {
                    all.extend(containers);
                    if !more {
                        return Ok(all);
                    }
                }
                _ => return Err(CallError::Misfit),
            }
        }
    }

    /// Opens the container's log, what its gateway wrote to stdout and stderr, for reading.
    pub async fn open_log(&self, container: ContainerId) -> Result<OwnedFd, CallError> {
        match self.call(Act::OpenLog { container }, DEADLINE).await? {
            (Answer::Done, mut fds) => fds.pop().ok_or(CallError::Misfit),
            _ => Err(CallError::Misfit),
        }
    }

    async fn call(&self, act: Act, deadline: Duration) -> Result<(Answer, Vec<OwnedFd>), CallError> {
        let shared = &self.connection.shared;
        match timeout(deadline, shared.exchange(act)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(CallError::Late(deadline)),
        }
    }
}

impl Drop for Connection {
    /// The reader shares the socket: without it gone, the launcher would never see the end.
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    async fn exchange(&self, act: Act) -> Result<(Answer, Vec<OwnedFd>), CallError> {
        let _turn = self.turns.acquire().await.map_err(|_| CallError::Gone)?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut reply = Expected { shared: self, id, reply: self.expect(id)? };
        self.send(&Request { id, act }).await?;
        let (result, fds) = (&mut reply.reply).await.map_err(|_| CallError::Gone)?;
        Ok((result?, fds))
    }

    fn expect(&self, id: u64) -> Result<oneshot::Receiver<Arrived>, CallError> {
        let (sender, receiver) = oneshot::channel();
        self.waiting().as_mut().ok_or(CallError::Gone)?.insert(id, sender);
        Ok(receiver)
    }

    async fn send(&self, request: &Request) -> Result<(), CallError> {
        loop {
            let mut ready = self.socket.writable().await.map_err(|_| CallError::Gone)?;
            match wire::send(self.socket.as_fd(), request, &[]) {
                Err(WireError::NotReady) => ready.clear_ready(),
                Err(WireError::Closed) => return Err(CallError::Gone),
                other => return other.map_err(CallError::Send),
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the table of waiting calls, given up when the call ends in any way.
struct Expected<'a> {
    shared: &'a Shared,
    id: u64,
    reply: oneshot::Receiver<Arrived>,
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.shared.waiting().as_mut() {
            waiting.remove(&self.id);
        }
    }
}

/// Hands out replies until the launcher ends; then every waiting call learns of it, and later ones fail at once.
async fn read_replies(shared: Arc<Shared>) {
    while let Ok(mut ready) = shared.socket.readable().await {
        match wire::receive::<Reply>(shared.socket.as_fd()) {
            Ok((reply, fds)) => deliver(&shared, reply, fds),
            Err(WireError::NotReady) => ready.clear_ready(),
            Err(e) if e.is_message_fault() => {}
            Err(_) => break,
        }
    }
    shared.waiting().take();
}

/// A reply that nobody waits for any more came too late: its descriptors are closed by dropping them.
fn deliver(shared: &Shared, reply: Reply, fds: Vec<OwnedFd>) {
    let waiting = shared.waiting().as_mut().and_then(|waiting| waiting.remove(&reply.id));
    if let Some(waiting) = waiting {
        let _ = waiting.send((reply.result, fds));
    }
}

/// Registers a descriptor, for example a pidfd, with the runtime. Must be called within a tokio runtime.
#[expect(
    deprecated,
    reason = "the deprecated call is unsound only for types that exchange their descriptor; OwnedFd cannot"
)]
pub fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

fn as_running((answer, mut fds): (Answer, Vec<OwnedFd>)) -> Result<(Running, OwnedFd), CallError> {
    match (answer, fds.pop()) {
        (Answer::Running(running), Some(pidfd)) => Ok((running, pidfd)),
        _ => Err(CallError::Misfit),
    }
}

fn as_done((answer, _): (Answer, Vec<OwnedFd>)) -> Result<(), CallError> {
    if matches!(answer, Answer::Done) { Ok(()) } else { Err(CallError::Misfit) }
}
