//! The users' containers: what is wanted of each, what each is, and the way from one to the other.

mod activity;
mod actor;
mod credential;
mod exit;
mod export;
mod gateway;
mod idle;
mod lookout;
mod memory;
mod plan;
mod pressure;
mod profile;
mod ready;
mod resident;
mod resting;
mod state;
mod view;
mod visits;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use matrixos_netns::Network;
use matrixos_runtime::cgroups::Groups;
use matrixos_runtime::client::{CallError, LauncherClient};
use matrixos_runtime::protocol::{Limits, Observed, Running, Token};
use matrixos_runtime::stats::{self, Usage};
use matrixos_runtime::sys;
use matrixos_store::{self as records, Store, User};
use matrixos_types::computer::GATEWAY_PORT;
use matrixos_types::{Bytes, ContainerId, Handle, Seat, UserId};
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::clock::Clock;

pub use activity::{Activity, Visit};
use actor::{Actor, Wish, World};
pub use credential::GatewayKey;
use export::Exports;
pub use export::{Export, ExportError};
pub use idle::Sleep;
use lookout::Lookout;
pub use memory::KEPT_AT_MOST;
use memory::Memory;
use pressure::Pressure;
use profile::Profiles;
pub use resident::Resident;
use state::{Goal, State};
pub use view::{Condition, LaunchStep, StepName, StepState, View};

/// Launches under way at once: more would only make each of them slower.
const LAUNCHES_AT_ONCE: usize = 4;
/// Archives that are unpacked at once: somebody waits for each.
const UNPACKED_AT_ONCE: usize = 2;

/// What distinguishes one container from another, for as long as its account lives.
#[derive(Clone, Debug)]
pub struct Computer {
    /// The container.
    pub container: ContainerId,
    /// The owner's account.
    pub owner: UserId,
    /// The owner's seat.
    pub seat: Seat,
    /// The owner.
    pub handle: Handle,
    /// Where its gateway listens.
    pub address: SocketAddr,
    /// Its sizes.
    pub limits: Limits,
    groups: Groups,
}

impl Computer {
    /// What the kernel has counted of it.
    pub fn usage(&self) -> Result<Usage, stats::StatsError> {
        stats::usage(&self.groups, &self.container)
    }
}

/// A gateway that answers, and the token it demands.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its bearer token.
    pub token: Token,
}

/// A computer that was reached.
#[derive(Debug)]
pub struct Reached {
    /// Its gateway.
    pub endpoint: Endpoint,
    /// To be told about data that passes, if that is use of it.
    pub activity: Option<Arc<Activity>>,
    /// To be held for as long as the request is under way.
    pub visit: Option<Visit>,
}

/// Why a computer cannot be reached now.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotRunning {
    /// No such container.
    #[error("there is no such computer")]
    Unknown,
    /// It was stopped on purpose.
    #[error("this computer is stopped: {0}")]
    Stopped(String),
    /// It failed; the supervisor tries again by itself.
    #[error("this computer does not start: {0}")]
    Broken(String),
    /// It is still starting.
    #[error("this computer is still starting")]
    Late,
}

/// Why the containers could not be taken charge of.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The store did not answer.
    #[error("reading what is wanted of the containers: {0}")]
    Store(#[from] records::StoreError),
    /// The launcher did not answer.
    #[error("asking the launcher what runs: {0}")]
    Launcher(#[from] CallError),
}

/// How the containers are made.
pub struct Settings {
    /// Where their control groups lie.
    pub groups: Groups,
    /// Its network.
    pub network: Network,
    /// Sizes of new launches.
    pub limits: Limits,
    /// Digest of the image of new launches.
    pub image: String,
    /// When unused computers go to rest.
    pub sleep: Sleep,
    /// Memory that stays free for the host itself.
    pub memory_floor: Bytes,
    /// Told the address of a computer before it goes to rest.
    pub on_rest: Box<dyn Fn(SocketAddr) + Send + Sync>,
    /// Tells the time of day, for histories.
    pub clock: Arc<dyn Clock>,
}

/// All containers of this machine. Each is changed by a task of its own; this hands them wishes and reads their views.
pub struct Containers {
    store: Store,
    groups: Groups,
    network: Network,
    limits: Limits,
    clock: Arc<dyn Clock>,
    world: Arc<World>,
    tasks: Mutex<HashMap<ContainerId, Task>>,
    /// Whose address is whose.
    addresses: Mutex<HashMap<IpAddr, ContainerId>>,
    profiles: Arc<Profiles>,
    exports: Arc<Exports>,
}

struct Task {
    computer: Computer,
    wish: watch::Sender<Wish>,
    nudge: Arc<Notify>,
    activity: Arc<Activity>,
    memory: Arc<Memory>,
    view: watch::Receiver<View>,
}

impl Containers {
    /// Takes charge of what is wanted and of what runs: running containers are adopted as they are, half-made ones and
    /// those that nobody owns any more are removed.
    pub async fn take_charge(
        store: Store,
        launcher: LauncherClient,
        key: GatewayKey,
        settings: Settings,
    ) -> Result<Arc<Self>, BootError> {
        let found = launcher.observe().await?;
        let mut found: HashMap<_, _> = found.into_iter().map(|o| (o.container.clone(), o)).collect();
        let launches = Semaphore::new(LAUNCHES_AT_ONCE);
        let Settings { groups, network, limits, image, sleep, memory_floor, on_rest, clock } = settings;
        let pressure = Pressure::new("/proc/meminfo".into(), memory_floor);
        let (packing, unpacking) = (Semaphore::new(1), Semaphore::new(UNPACKED_AT_ONCE));
        let world = World { launcher, key, image, launches, packing, unpacking, pressure, sleep, on_rest };
        let world = Arc::new(world);
        let this = Arc::new(Self {
            store,
            groups,
            network,
            limits,
            clock,
            world,
            tasks: Mutex::default(),
            addresses: Mutex::default(),
            profiles: Arc::default(),
            exports: Arc::default(),
        });
        for (user, wish) in this.wanted().await? {
            let (state, process) = this.adopt(found.remove(&user.container)).await;
            this.employ(&user, wish, state, process);
        }
        for (_, orphan) in found {
            this.remove_orphan(orphan).await;
        }
        Ok(this)
    }

    /// Returns when those that everything depends on, the store and the launcher, have answered a question.
    pub async fn pulse(&self) -> Result<(), BootError> {
        self.store.run(|store| store.check_alive()).await?;
        Ok(self.world.launcher.answers().await?)
    }

    async fn wanted(&self) -> Result<Vec<(User, Wish)>, records::StoreError> {
        self.store
            .run(|store| {
                let mut all = Vec::new();
                for user in store.users()? {
                    let wanted = store.wanted(&user.container)?;
                    all.push((user, wish_of(wanted)));
                }
                Ok(all)
            })
            .await
    }

    async fn adopt(&self, found: Option<Observed>) -> (State, Option<AsyncFd<OwnedFd>>) {
        let Some(found) = found else { return (State::Absent, None) };
        match self.world.launcher.adopt(found.container.clone()).await {
            Ok((Running { identity, .. }, pidfd)) => match sys::watch(pidfd) {
                Ok(process) => {
                    info!(container = %found.container, pid = identity.pid, "adopted a running computer");
                    let frozen = stats::is_frozen(&self.groups, &found.container);
                    let state = if frozen { State::Frozen { identity } } else { State::Running { identity } };
                    (state, Some(process))
                }
                Err(_) => (State::Remains, None),
            },
            Err(_) => (State::Remains, None),
        }
    }

    async fn remove_orphan(&self, orphan: Observed) {
        warn!(container = %orphan.container, "removing a container that belongs to no account");
        if let Err(error) = self.world.launcher.take_down(orphan.container.clone(), orphan.seat).await {
            warn!(container = %orphan.container, %error, "could not remove it");
        }
    }

    /// Takes charge of a new account's container, which its account's transaction already wants running.
    pub fn welcome(&self, user: &User) {
        let wish = Wish { goal: Goal::Running, reason: "the account is new".to_owned() };
        self.employ(user, wish, State::Absent, None);
    }

    fn employ(&self, user: &User, wish: Wish, state: State, process: Option<AsyncFd<OwnedFd>>) {
        let Some(lease) = self.network.lease(user.seat) else {
            warn!(handle = %user.handle, seat = %user.seat, "the address pool is too small for this seat; enlarge network.pool");
            return;
        };
        let computer = Computer {
            container: user.container.clone(),
            owner: user.id,
            seat: user.seat,
            handle: user.handle.clone(),
            address: (lease.address, GATEWAY_PORT).into(),
            limits: self.limits,
            groups: self.groups.clone(),
        };
        let nudge = Arc::new(Notify::new());
        let memory = Arc::new(Memory::load(self.store.clone(), self.clock.clone(), &user.container));
        let activity = Arc::new(Activity::default());
        let state = if state == State::Absent && memory.archived() { State::Archived } else { state };
        let mut frozen = None;
        match &state {
            State::Frozen { .. } => {
                activity.begin_rest();
                frozen = Some(self.world.pressure.froze(activity.clone()));
            }
            State::Absent | State::Archived if memory.asleep() => activity.begin_rest(),
            _ => {}
        }
        let (wish, wishes) = watch::channel(wish);
        let (view_sender, view) = watch::channel(first_view(&state));
        let actor = Actor {
            computer: computer.clone(),
            world: self.world.clone(),
            wish: wishes,
            nudge: nudge.clone(),
            activity: activity.clone(),
            memory: memory.clone(),
            frozen,
            put_off: None,
            view: view_sender,
            lookout: Lookout::begin(&computer),
            state,
            process,
            failures: 0,
            since: Instant::now(),
        };
        tokio::spawn(actor.run());
        self.addresses().insert(lease.address.into(), user.container.clone());
        self.tasks().insert(user.container.clone(), Task { computer, wish, nudge, activity, memory, view });
    }

    /// Writes down what is wanted of a container, durably, and tells its task.
    pub async fn want(
        &self,
        container: &ContainerId,
        wanted: records::WantedState,
        reason: &str,
    ) -> Result<(), WantError> {
        if !self.tasks().contains_key(container) {
            return Err(WantError::Unknown);
        }
        let (id, why) = (container.clone(), reason.to_owned());
        self.store.run(move |store| store.set_wanted(&id, wanted, &why)).await?;
        let tasks = self.tasks();
        let task = tasks.get(container).ok_or(WantError::Unknown)?;
        task.wish.send_replace(Wish { goal: goal_of(wanted), reason: reason.to_owned() });
        if wanted == records::WantedState::Running {
            task.activity.call(reason);
        }
        task.nudge.notify_one();
        Ok(())
    }

    /// Waits until the container is `hoped`, or broken; at most `patience`. For the operator's commands.
    pub async fn settle(&self, container: &ContainerId, hoped: Condition, patience: Duration) -> Option<View> {
        let mut view = self.tasks().get(container)?.view.clone();
        let settled = |v: &View| v.condition == hoped || v.condition == Condition::Broken;
        let settled = timeout(patience, view.wait_for(settled)).await.ok()?.ok()?.clone();
        Some(settled)
    }

    /// Lets go of a destroyed container, once nothing of it is left; at most `patience`. True if it is gone.
    pub async fn part(&self, container: &ContainerId, patience: Duration) -> bool {
        let Some(mut view) = self.tasks().get(container).map(|t| t.view.clone()) else { return true };
        let gone = timeout(patience, view.wait_for(|v| v.condition == Condition::Absent)).await.is_ok();
        if gone {
            self.tasks().remove(container);
            self.addresses().retain(|_, whose| whose != container);
        }
        gone
    }

    /// How a container is now.
    pub fn view(&self, container: &ContainerId) -> Option<View> {
        self.tasks().get(container).map(|task| task.view.borrow().clone())
    }

    /// Every container with its view, by handle.
    pub fn list(&self) -> Vec<(Computer, View)> {
        let mut all: Vec<_> = self.tasks().values().map(|t| (t.computer.clone(), t.view.borrow().clone())).collect();
        all.sort_by(|a, b| a.0.handle.cmp(&b.0.handle));
        all
    }

    /// How many run, and how many there are.
    pub fn counts(&self) -> (usize, usize) {
        let tasks = self.tasks();
        let running = tasks.values().filter(|t| t.view.borrow().condition == Condition::Running).count();
        (running, tasks.len())
    }

    /// How many have their files in an archive.
    pub fn archived(&self) -> usize {
        self.tasks().values().filter(|task| task.memory.archived()).count()
    }

    /// The container's log, open for reading.
    pub async fn log(&self, container: &ContainerId) -> Result<OwnedFd, CallError> {
        self.world.launcher.open_log(container.clone()).await
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, ContainerId>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<ContainerId, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a wish could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum WantError {
    /// No such container.
    #[error("there is no such computer")]
    Unknown,
    /// The store did not take it.
    #[error("writing down what is wanted: {0}")]
    Store(#[from] records::StoreError),
}

fn first_view(state: &State) -> View {
    match state {
        State::Running { identity } => {
            let mut view = View::plain(Condition::Running, None);
            view.identity = Some(identity.clone());
            view
        }
        State::Frozen { identity } => {
            let mut view = View::plain(Condition::Frozen, None);
            view.identity = Some(identity.clone());
            view
        }
        _ => View::starting(),
    }
}

fn wish_of(wanted: Option<records::Wanted>) -> Wish {
    match wanted {
        Some(wanted) => Wish { goal: goal_of(wanted.state), reason: wanted.reason },
        None => Wish { goal: Goal::Stopped, reason: "nothing is recorded about what is wanted of it".to_owned() },
    }
}

fn goal_of(wanted: records::WantedState) -> Goal {
    match wanted {
        records::WantedState::Running => Goal::Running,
        records::WantedState::Stopped => Goal::Stopped,
        records::WantedState::Destroyed => Goal::Destroyed,
    }
}
