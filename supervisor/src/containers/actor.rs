//! One task per container: it alone changes that container, one step of the plan at a time. So a thousand
//! simultaneous requests for a container that does not run start it once.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use matrixos_runtime::client::{CallError, LauncherClient};
use matrixos_runtime::protocol::{Failure, FailureKind, Identity, Launch};
use matrixos_runtime::sys;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

use super::activity::Activity;
use super::credential::GatewayKey;
use super::idle::{self, Depth, Sleep, Use};
use super::lookout::Lookout;
use super::memory::Memory;
use super::plan::{Step, plan};
use super::pressure::Pressure;
use super::state::{Goal, State, back_off};
use super::view::{Condition, View};
use super::{Computer, Endpoint, exit, gateway, ready};

/// How long a gateway may take from its start to its first answer.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long a gateway may take to end after it was asked to.
const END_WITHIN: Duration = Duration::from_secs(10);
/// A container that ran this long before it ended starts its count of failures anew.
const STEADY: Duration = Duration::from_secs(60);

/// What every actor needs of the world.
pub(super) struct World {
    pub(super) launcher: LauncherClient,
    pub(super) key: GatewayKey,
    /// Digest of the image that new launches use.
    pub(super) image: String,
    /// Bounds the launches under way at once.
    pub(super) launches: Semaphore,
    /// Bounds the archives that are made at once, for which nobody waits.
    pub(super) packing: Semaphore,
    /// Bounds those that are unpacked at once.
    pub(super) unpacking: Semaphore,
    pub(super) pressure: Pressure,
    pub(super) sleep: Sleep,
    /// Told the address of a computer before it goes to rest: connections that are kept for later must go.
    pub(super) on_rest: Box<dyn Fn(SocketAddr) + Send + Sync>,
}

/// What is wanted of the container, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) goal: Goal,
    pub(super) reason: String,
}

/// The task's own data.
pub(super) struct Actor {
    pub(super) computer: Computer,
    pub(super) world: Arc<World>,
    pub(super) wish: watch::Receiver<Wish>,
    /// "Try again now", said by somebody who does not want to wait for the back-off.
    pub(super) nudge: Arc<Notify>,
    pub(super) activity: Arc<Activity>,
    pub(super) memory: Arc<Memory>,
    pub(super) view: watch::Sender<View>,
    pub(super) state: State,
    pub(super) process: Option<AsyncFd<OwnedFd>>,
    pub(super) lookout: Lookout,
    pub(super) failures: u32,
    pub(super) since: Instant,
    /// Its number among the frozen ones.
    pub(super) frozen: Option<u64>,
    /// Packing its files failed, and is not tried again before that moment.
    pub(super) put_off: Option<Instant>,
}

impl Actor {
    /// Follows the plan until the container is destroyed or the supervisor lets go of it.
    pub(super) async fn run(mut self) {
        loop {
            let wish = self.wish.borrow_and_update().clone();
            match plan(wish.goal, self.depth(), &self.state) {
                Step::Launch => self.launch().await,
                Step::Freeze => self.freeze().await,
                Step::Thaw => self.thaw().await,
                Step::Stop if wish.goal == Goal::Running => self.fall_asleep().await,
                Step::Stop => self.stop().await,
                Step::TakeDown => self.take_down().await,
                Step::Archive => self.archive(&wish).await,
                Step::Restore => self.restore().await,
                Step::Destroy => self.destroy().await,
                Step::WaitUntil(moment) => self.wait(moment).await,
                Step::Rest if !self.rest(&wish).await => return,
                Step::Rest => {}
            }
        }
    }

    /// How deeply it may rest now.
    pub(super) fn depth(&self) -> Depth {
        idle::depth(self.depth_now(), self.used(), self.world.sleep)
    }

    /// How deeply it rests. What is stopped on purpose does so whoever calls.
    pub(super) fn depth_now(&self) -> Depth {
        match self.state {
            State::Frozen { .. } => Depth::Frozen,
            State::Absent if self.is_stopped() || self.memory.asleep() => Depth::Asleep,
            State::Archived if self.is_stopped() || self.memory.asleep() => Depth::Archived,
            _ => Depth::Awake,
        }
    }

    pub(super) fn used(&self) -> Use {
        let put_off = self.put_off.is_some_and(|moment| Instant::now() < moment);
        Use {
            idle: self.activity.idle(),
            called: !self.is_stopped() && self.activity.is_called(),
            kept: !self.is_stopped() && self.is_wanted_awake(),
            demoted: self.activity.is_demoted(),
            still: if put_off { Duration::ZERO } else { self.memory.still() },
        }
    }

    fn is_wanted_awake(&self) -> bool {
        self.memory.keep().is_some() || self.memory.is_due(self.depth_now() != Depth::Awake)
    }

    fn is_stopped(&self) -> bool {
        self.wish.borrow().goal == Goal::Stopped
    }

    async fn launch(&mut self) {
        let world = self.world.clone();
        self.view.send_replace(View::starting());
        let why = self.why_awake().unwrap_or_else(|| self.wish.borrow().reason.clone());
        let leave = match world.pressure.admit().await {
            Ok(leave) => leave,
            Err(error) => return self.broken(failed("memory", error.to_string())),
        };
        let _turn = world.launches.acquire().await.expect("the semaphore is never closed");
        let launched = self.try_launch().await;
        drop(leave);
        match launched {
            Ok(identity) => {
                info!(handle = %self.computer.handle, pid = identity.pid, why, "computer runs");
                self.activity.end_rest();
                self.memory.note("running", &why, false);
                self.since = Instant::now();
                self.lookout = Lookout::begin(&self.computer);
                self.state = State::Running { identity };
            }
            Err(failure) if failure.kind == FailureKind::Archived => {
                self.memory.set_archived();
                self.state = State::Archived;
            }
            Err(failure) => self.broken(failure),
        }
    }

    async fn try_launch(&mut self) -> Result<Identity, Failure> {
        let (running, pidfd) = self.world.launcher.launch(self.request()).await.map_err(as_failure)?;
        self.view.send_modify(|view| view.launched(&running));
        let process = sys::watch(pidfd).map_err(|e| failed("watch", e.to_string()))?;
        let started = Instant::now();
        tokio::select! {
            waited = timeout(READY_WITHIN, ready::until_ready(self.computer.address)) => waited.map_err(|_| unready())?,
            _ = process.readable() => return Err(self.ended_early().await),
        }
        self.view.send_modify(|view| view.ready(running.identity.clone(), started.elapsed()));
        self.process = Some(process);
        Ok(running.identity)
    }

    fn request(&self) -> Launch {
        Launch {
            container: self.computer.container.clone(),
            seat: self.computer.seat,
            handle: self.computer.handle.clone(),
            image: self.world.image.clone(),
            token: self.world.key.token(&self.computer.container),
            credential: self.world.key.credential(&self.computer.container),
            limits: self.computer.limits,
        }
    }

    async fn ended_early(&self) -> Failure {
        let log = exit::last_words(&self.world.launcher, &self.computer.container).await;
        failed("start", format!("the computer's first program ended before it answered{log}"))
    }

    async fn stop(&mut self) {
        self.view.send_modify(|view| view.condition = Condition::Stopping);
        self.end().await;
    }

    pub(super) async fn end(&mut self) {
        self.remember_the_profile().await;
        if matches!(self.state, State::Frozen { .. }) {
            // Frozen, it could not hear that it is to end.
            let _ = self.world.launcher.thaw(self.computer.container.clone()).await;
            self.left_the_frozen();
        }
        if let Err(e) = self.world.launcher.terminate(self.computer.container.clone()).await {
            warn!(handle = %self.computer.handle, error = %e, "could not ask the computer to end; it will be killed");
        } else if let Some(process) = &self.process {
            let _ = timeout(END_WITHIN, process.readable()).await;
        }
        self.process = None;
        self.state = State::Remains;
    }

    async fn take_down(&mut self) {
        let done = self.world.launcher.take_down(self.computer.container.clone(), Some(self.computer.seat)).await;
        let left = if self.memory.archived() { State::Archived } else { State::Absent };
        self.after_removal(done, left).await;
    }

    async fn destroy(&mut self) {
        let Computer { container, seat, handle, .. } = self.computer.clone();
        let done = self.world.launcher.destroy(container, seat, handle).await;
        self.after_removal(done, State::Gone).await;
    }

    /// A removal that failed is tried again after a pause; the state stays, so the plan stays.
    async fn after_removal(&mut self, done: Result<(), CallError>, next: State) {
        match done {
            Ok(()) => self.state = next,
            Err(e) => {
                self.failures += 1;
                warn!(handle = %self.computer.handle, error = %e, "could not remove the container; trying again");
                sleep_until(Instant::now() + back_off(self.failures)).await;
            }
        }
    }

    async fn wait(&mut self, moment: Instant) {
        tokio::select! {
            () = sleep_until(moment) => self.state = State::Remains,
            () = self.nudge.notified() => self.state = State::Remains,
            changed = self.wish.changed() => if changed.is_err() { sleep_until(moment).await },
        }
    }

    /// Waits for something to happen. False if nothing ever will.
    async fn rest(&mut self, wish: &Wish) -> bool {
        if self.state == State::Gone {
            self.view.send_replace(View::plain(Condition::Absent, Some(wish.reason.clone())));
            return false;
        }
        if matches!(self.state, State::Absent | State::Archived) {
            self.show_absent(wish);
            if wish.goal == Goal::Running && self.depth() == Depth::Awake {
                // Somebody came in between.
                return true;
            }
        }
        let pause = self.pause();
        let Some(process) = self.process.take() else {
            return tokio::select! {
                changed = self.wish.changed() => changed.is_ok(),
                () = self.activity.called() => true,
                () = sleep(pause) => true,
            };
        };
        tokio::select! {
            changed = self.wish.changed() => {
                self.process = Some(process);
                changed.is_ok()
            }
            _ = process.readable() => {
                self.exited().await;
                true
            }
            () = self.activity.called() => {
                self.process = Some(process);
                true
            }
            () = sleep(pause) => {
                self.process = Some(process);
                self.look().await;
                true
            }
        }
    }

    fn show_absent(&mut self, wish: &Wish) {
        let archived = self.state == State::Archived;
        let (condition, reason) = match wish.goal {
            Goal::Running => {
                self.activity.begin_rest();
                let condition = if archived { Condition::Archived } else { Condition::Asleep };
                (condition, self.memory.history().last().map(|event| event.why.clone()))
            }
            _ => {
                if !archived || self.memory.asleep() {
                    self.memory.note_stopped(&wish.reason);
                }
                let packed = if archived { "; its files are packed" } else { "" };
                (Condition::Stopped, Some(format!("{}{packed}", wish.reason)))
            }
        };
        self.view.send_replace(View::plain(condition, reason));
    }

    /// Notices work, what the owner should know, and that it does not answer any more.
    async fn look(&mut self) {
        if !matches!(self.state, State::Running { .. }) || !self.lookout.is_time() {
            return;
        }
        let sight = self.lookout.look(&self.computer);
        if sight.works {
            self.activity.touch();
        }
        if let Some(news) = sight.news {
            self.memory.note("running", &news, false);
            self.tell(news);
        }
        if !self.lookout.answers(&self.computer).await {
            self.broken(failed("health", "the computer did not answer any more, so it is started anew".to_owned()));
        }
    }

    /// Tells the owner. Nothing waits for it.
    fn tell(&self, news: String) {
        let (handle, endpoint) = (self.computer.handle.clone(), self.endpoint());
        info!(%handle, news, "told the owner");
        tokio::spawn(async move {
            if let Err(error) = gateway::notify(&endpoint, &news).await {
                warn!(%handle, %error, "the owner could not be told");
            }
        });
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint { address: self.computer.address, token: self.world.key.token(&self.computer.container) }
    }

    async fn exited(&mut self) {
        if self.since.elapsed() >= STEADY {
            self.failures = 0;
        }
        let why = exit::reason(&self.world.launcher, &self.computer).await;
        self.broken(failed("run", why));
    }

    pub(super) fn broken(&mut self, failure: Failure) {
        self.failures += 1;
        let pause = back_off(self.failures);
        warn!(handle = %self.computer.handle, error = %failure, retry_in = ?pause, "computer is broken");
        self.view.send_modify(|view| view.failed(&failure));
        self.memory.note("broken", &failure.to_string(), false);
        self.left_the_frozen();
        self.state = State::Broken { failures: self.failures, retry_at: Instant::now() + pause };
    }
}

pub(super) fn failed(step: &str, message: String) -> Failure {
    Failure { kind: FailureKind::Failed, step: step.to_owned(), message }
}

fn unready() -> Failure {
    failed("desktop", format!("the computer did not answer within {} seconds of its start", READY_WITHIN.as_secs()))
}

pub(super) fn as_failure(error: CallError) -> Failure {
    match error {
        CallError::Failed(failure) => failure,
        other => failed("launcher", other.to_string()),
    }
}
