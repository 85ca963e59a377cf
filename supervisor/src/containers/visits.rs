//! Coming to a computer: reaching it, waking it, keeping it awake, asking what happened to it and who its owner is.

use std::sync::Arc;
use std::time::Duration;

use matrixos_store::{self as records, User};
use matrixos_types::ContainerId;
use tokio::time::timeout;

use super::gateway;
use super::memory::Memory;
use super::state::Goal;
use super::wishes::{Errand, WantError};
use super::{Activity, Condition, Containers, Endpoint, NotRunning, Reached, Resident, Task, View, Visit};

impl Containers {
    /// Waits until the container's gateway answers, waking it if it rests; at most `patience`. A request that is not
    /// `used` for anything neither wakes it nor keeps it awake.
    pub async fn reach(&self, container: &ContainerId, patience: Duration, used: bool) -> Result<Reached, NotRunning> {
        let (mut view, address, activity) = {
            let tasks = self.tasks();
            let task = tasks.get(container).ok_or(NotRunning::Unknown)?;
            (task.view.clone(), task.computer.address, task.activity.clone())
        };
        // Counted before the view is looked at: what is visited does not go to rest.
        let visit = used.then(|| activity.visit());
        let settled = |v: &View| matches!(v.condition, Condition::Running | Condition::Stopped | Condition::Broken);
        let view = match timeout(patience, view.wait_for(settled)).await {
            Err(_) => return Err(NotRunning::Late),
            Ok(Err(_)) => return Err(NotRunning::Unknown),
            Ok(Ok(view)) => view.clone(),
        };
        let reason = view.reason.unwrap_or_default();
        match view.condition {
            Condition::Running => {
                let endpoint = Endpoint { address, token: self.world.key.token(container) };
                Ok(Reached { endpoint, activity: used.then_some(activity), visit })
            }
            Condition::Stopped => Err(NotRunning::Stopped(reason)),
            _ => Err(NotRunning::Broken(reason)),
        }
    }

    /// Wakes a container that rests, or tries a broken one again at once, for a reason that its owner will read. Does not
    /// wait for it.
    pub fn wake(&self, container: &ContainerId, why: &str) -> Result<Errand, NotRunning> {
        let tasks = self.tasks();
        let task = tasks.get(container).ok_or(NotRunning::Unknown)?;
        let goal = task.wish.borrow().goal;
        if goal != Goal::Running {
            return Err(NotRunning::Stopped(task.wish.borrow().reason.clone()));
        }
        let errand = Errand::begin(task, goal);
        let broken = task.view.borrow().condition == Condition::Broken;
        task.activity.call(why);
        if broken {
            task.nudge.notify_one();
        }
        Ok(errand)
    }

    /// Whether a container rests, so that reaching it means waking it.
    pub fn rests(&self, container: &ContainerId) -> bool {
        let tasks = self.tasks();
        let resting = |task: &Task| {
            matches!(task.view.borrow().condition, Condition::Frozen | Condition::Asleep | Condition::Archived)
        };
        tasks.get(container).is_some_and(resting)
    }

    /// Whether a container starts with unpacking its files, which takes longer.
    pub fn is_unpacking(&self, container: &ContainerId) -> bool {
        self.view(container).is_some_and(|view| view.condition == Condition::Starting && view.reason.is_some())
    }

    /// Keeps a container awake for so long, at most [`KEPT_AT_MOST`], or no longer. Durable.
    pub async fn keep_awake(
        &self,
        container: &ContainerId,
        time: Option<Duration>,
        because: &str,
    ) -> Result<Option<records::Keep>, WantError> {
        let (memory, activity) = self.remembered(container)?;
        let because = because.to_owned();
        let keep = self.store.run(move |_| memory.set_keep(time, &because)).await?;
        if keep.is_some() {
            activity.call("it is to be kept awake");
        }
        Ok(keep)
    }

    /// The same, asked by a program in the computer.
    pub async fn lease(
        &self,
        resident: &Resident,
        time: Option<Duration>,
        because: &str,
    ) -> Result<Option<records::Keep>, WantError> {
        let (memory, _) = self.remembered(&resident.computer().container)?;
        let because = because.to_owned();
        Ok(self.store.run(move |_| memory.set_lease(time, &because)).await?)
    }

    /// Remembers when a computer has to be awake next for a job of its own, in seconds since 1970. Durable.
    pub async fn due(&self, resident: &Resident, at: Option<u64>) -> Result<(), WantError> {
        let (memory, _) = self.remembered(&resident.computer().container)?;
        Ok(self.store.run(move |_| memory.set_due(at)).await?)
    }

    /// Counts as use of the computer for as long as the value lives: work that is done for it elsewhere.
    pub fn busy(&self, resident: &Resident) -> Option<(Visit, Arc<Activity>)> {
        let (_, activity) = self.remembered(&resident.computer().container).ok()?;
        Some((activity.visit(), activity))
    }

    /// Tells the owner of a computer something on their desktop. False if it does not run now: nobody is woken for news.
    pub async fn tell(&self, container: &ContainerId, text: &str) -> bool {
        let address = {
            let tasks = self.tasks();
            let Some(task) = tasks.get(container) else { return false };
            if task.view.borrow().condition != Condition::Running {
                return false;
            }
            task.computer.address
        };
        let endpoint = Endpoint { address, token: self.world.key.token(container) };
        gateway::notify(&endpoint, text).await.is_ok()
    }

    fn remembered(&self, container: &ContainerId) -> Result<(Arc<Memory>, Arc<Activity>), WantError> {
        let tasks = self.tasks();
        let task = tasks.get(container).ok_or(WantError::Unknown)?;
        Ok((task.memory.clone(), task.activity.clone()))
    }

    /// What happened to a container, oldest first, and until when it is kept awake.
    pub fn history(&self, container: &ContainerId) -> Option<(Vec<records::Change>, Option<records::Keep>)> {
        self.tasks().get(container).map(|task| (task.memory.history(), task.memory.keep()))
    }

    /// Asks a frozen computer to give way if the host lacks memory; to be called every few seconds.
    pub fn relieve(&self) {
        self.world.pressure.relieve();
    }

    /// What a user says about themselves to everybody; at most half a minute old.
    pub async fn profile(&self, user: &User) -> Option<String> {
        let remembered = {
            let tasks = self.tasks();
            let task = tasks.get(&user.container)?;
            let rests = [Condition::Asleep, Condition::Archived, Condition::Stopped];
            rests.contains(&task.view.borrow().condition).then(|| task.memory.profile())
        };
        if let Some(profile) = remembered {
            return profile;
        }
        self.profiles.of(&self.world.launcher, user.seat, &user.handle).await
    }
}
