//! What can be shown of a container to its owner, to an operator and to waiting requests.

use std::time::Duration;

use matrixos_runtime::protocol::{Failure, Identity, Running};
use serde::{Deserialize, Serialize};

/// The word for a container's condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Not made yet.
    Absent,
    /// Being launched.
    Starting,
    /// Its gateway answers.
    Running,
    /// Its processes are stopped where they are, because nobody uses it.
    Frozen,
    /// It does not run, because nobody uses it: the next use starts it.
    Asleep,
    /// It has not been used for weeks, so its files are packed as well: the next use unpacks them and starts it.
    Archived,
    /// Being stopped.
    Stopping,
    /// Stopped on purpose.
    Stopped,
    /// It failed; a new try comes by itself.
    Broken,
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Absent => "absent",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Frozen => "frozen",
            Self::Asleep => "asleep",
            Self::Archived => "archived",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Broken => "broken",
        })
    }
}

/// A container as seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Its condition.
    pub condition: Condition,
    /// Why it is so, where that is worth saying.
    pub reason: Option<String>,
    /// The first process while it runs.
    pub identity: Option<Identity>,
    /// The steps of the latest launch.
    pub steps: Vec<LaunchStep>,
}

/// One step of a launch, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaunchStep {
    /// Which one.
    pub name: StepName,
    /// How far it is.
    pub state: StepState,
    /// How long it took, in milliseconds, once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
}

/// The steps an owner is shown, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// The user's tree.
    Home,
    /// Network, namespaces, limits, first process.
    Container,
    /// The gateway answers.
    Desktop,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Under way.
    Doing,
    /// Done.
    Done,
    /// Failed.
    Failed,
}

impl View {
    /// A container in `condition`, with nothing more to say than perhaps why.
    pub fn plain(condition: Condition, reason: Option<String>) -> Self {
        Self { condition, reason, identity: None, steps: Vec::new() }
    }

    /// A launch that has just begun.
    pub fn starting() -> Self {
        use StepState::{Doing, Waiting};
        let step = |name, state| LaunchStep { name, state, ms: None };
        let steps =
            vec![step(StepName::Home, Doing), step(StepName::Container, Waiting), step(StepName::Desktop, Waiting)];
        Self { steps, ..Self::plain(Condition::Starting, None) }
    }

    /// A start that begins with unpacking the files.
    pub fn unpacking() -> Self {
        Self { reason: Some("its files are being unpacked".to_owned()), ..Self::starting() }
    }

    /// The launcher has answered: home and container are done, with the times it measured.
    pub fn launched(&mut self, running: &Running) {
        let home: u64 = running.steps.iter().filter(|(name, _)| name == "home").map(|(_, micros)| micros).sum();
        let all: u64 = running.steps.iter().map(|(_, micros)| micros).sum();
        self.finish(StepName::Home, Duration::from_micros(home));
        self.finish(StepName::Container, Duration::from_micros(all - home));
        self.set(StepName::Desktop, StepState::Doing, None);
    }

    /// The gateway answers after `waited`.
    pub fn ready(&mut self, identity: Identity, waited: Duration) {
        self.finish(StepName::Desktop, waited);
        self.condition = Condition::Running;
        self.identity = Some(identity);
    }

    /// The launch failed in whatever step was under way.
    pub fn failed(&mut self, failure: &Failure) {
        self.condition = Condition::Broken;
        self.identity = None;
        self.reason = Some(failure.to_string());
        if let Some(step) = self.steps.iter_mut().find(|s| s.state == StepState::Doing) {
            step.state = StepState::Failed;
        }
    }

    fn finish(&mut self, name: StepName, took: Duration) {
        self.set(name, StepState::Done, Some((took.as_secs_f64() * 10_000.0).round() / 10.0));
    }

    fn set(&mut self, name: StepName, state: StepState, ms: Option<f64>) {
        if let Some(step) = self.steps.iter_mut().find(|s| s.name == name) {
            (step.state, step.ms) = (state, ms);
        }
    }
}
