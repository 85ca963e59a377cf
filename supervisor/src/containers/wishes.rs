//! What is wanted of a container: written down, told to its task, and waited for by whoever asked.

use std::time::Duration;

use matrixos_store::{self as records, WantedState};
use matrixos_types::ContainerId;
use tokio::sync::watch;
use tokio::time::timeout;

use super::state::Goal;
use super::{Condition, Containers, Task, View};

/// What is wanted of a container, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) goal: Goal,
    pub(super) reason: String,
    /// Grows with every wish, in the order in which they were written down.
    pub(super) generation: u64,
}

impl Wish {
    /// A new account's, which its own transaction has written down.
    pub(super) fn of_a_new_account() -> Self {
        Self { goal: Goal::Running, reason: "the account is new".to_owned(), generation: 1 }
    }
}

impl From<Option<records::Wanted>> for Wish {
    fn from(wanted: Option<records::Wanted>) -> Self {
        match wanted {
            Some(wanted) => Self { goal: goal_of(wanted.state), reason: wanted.reason, generation: wanted.generation },
            None => {
                let reason = "nothing is recorded about what is wanted of it".to_owned();
                Self { goal: Goal::Stopped, reason, generation: 0 }
            }
        }
    }
}

fn goal_of(wanted: WantedState) -> Goal {
    match wanted {
        WantedState::Running => Goal::Running,
        WantedState::Stopped => Goal::Stopped,
        WantedState::Destroyed => Goal::Destroyed,
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

/// Something that was asked of a container and is under way.
#[derive(Debug)]
pub struct Errand {
    goal: Goal,
    wish: watch::Receiver<Wish>,
    view: watch::Receiver<View>,
}

/// What came of an errand.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The container is as hoped, or this try has failed.
    Settled(View),
    /// Somebody else has asked for something else meanwhile, for this reason.
    Overtaken(String),
    /// It is still on its way.
    Late,
}

impl Errand {
    pub(super) fn begin(task: &Task, goal: Goal) -> Self {
        let mut view = task.view.clone();
        view.mark_unchanged();
        Self { goal, wish: task.wish.subscribe(), view }
    }

    /// Waits until the container is `hoped`, or broken anew; at most `patience`.
    pub async fn settle(mut self, hoped: Condition, patience: Duration) -> Outcome {
        timeout(patience, self.outcome(hoped)).await.unwrap_or(Outcome::Late)
    }

    async fn outcome(&mut self, hoped: Condition) -> Outcome {
        // That it was broken before is no answer.
        let mut news = false;
        loop {
            if let Some(reason) = self.overtaken() {
                return Outcome::Overtaken(reason);
            }
            let view = self.view.borrow_and_update().clone();
            if view.condition == hoped || (news && view.condition == Condition::Broken) {
                return Outcome::Settled(view);
            }
            let told = tokio::select! {
                changed = self.view.changed() => {
                    news = true;
                    changed
                }
                changed = self.wish.changed() => changed,
            };
            if told.is_err() {
                // Its task is over: it was destroyed.
                return Outcome::Late;
            }
        }
    }

    fn overtaken(&mut self) -> Option<String> {
        let wish = self.wish.borrow_and_update();
        (wish.goal != self.goal).then(|| wish.reason.clone())
    }
}

impl Containers {
    /// Writes down what is wanted of a container, durably, and tells its task.
    pub async fn want(&self, container: &ContainerId, wanted: WantedState, reason: &str) -> Result<Errand, WantError> {
        if !self.tasks().contains_key(container) {
            return Err(WantError::Unknown);
        }
        let (id, why) = (container.clone(), reason.to_owned());
        let generation = self.store.run(move |store| store.set_wanted(&id, wanted, &why)).await?;
        let tasks = self.tasks();
        let task = tasks.get(container).ok_or(WantError::Unknown)?;
        let errand = Errand::begin(task, goal_of(wanted));
        let wish = Wish { goal: goal_of(wanted), reason: reason.to_owned(), generation };
        // Two who ask at the same time may come here in the other order than to the store, whose word is kept.
        let is_latest = task.wish.send_if_modified(|latest| {
            let later = wish.generation > latest.generation;
            if later {
                *latest = wish;
            }
            later
        });
        if is_latest && wanted == WantedState::Running {
            task.activity.call(reason);
        }
        task.nudge.notify_one();
        Ok(errand)
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
}
