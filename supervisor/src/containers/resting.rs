//! The steps of a container's task that lead to rest and back.

use std::time::Duration;

use tokio::time::timeout;
use tracing::warn;

use super::actor::{Actor, Wish, failed};
use super::idle::Depth;
use super::state::{Goal, State};
use super::view::Condition;
use super::{idle, lookout};

/// A moment: what is due now has been looked at and was put off.
const SOON: Duration = Duration::from_millis(100);
/// How often those that rest are looked at for jobs that have become due: the time of day may jump.
const JOBS_EVERY: Duration = Duration::from_secs(60);
/// Long enough.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
/// How long reading the profile may take before it ends.
const PROFILE_WITHIN: Duration = Duration::from_secs(1);

impl Actor {
    /// Says that it goes to rest. False if somebody has come meanwhile: then it stays awake.
    fn may_rest(&mut self, condition: Condition) -> bool {
        let depth = self.depth();
        self.memory.forget_what_was_due();
        self.activity.begin_rest();
        self.view.send_modify(|view| view.condition = condition);
        // Whoever came before this looked at the view has been counted; whoever comes after it will call.
        if self.depth() == depth {
            (self.world.on_rest)(self.computer.address);
            return true;
        }
        self.activity.end_rest();
        self.view.send_modify(|view| view.condition = Condition::Running);
        false
    }

    pub(super) async fn freeze(&mut self) {
        let State::Running { identity } = self.state.clone() else { return };
        if !self.may_rest(Condition::Frozen) {
            return;
        }
        let container = self.computer.container.clone();
        if let Err(error) = self.world.launcher.freeze(container.clone()).await {
            warn!(handle = %self.computer.handle, %error, "could not freeze it; trying again later");
            self.activity.end_rest();
            self.view.send_modify(|view| view.condition = Condition::Running);
            return;
        }
        self.state = State::Frozen { identity };
        self.frozen = Some(self.world.pressure.froze(self.activity.clone()));
        self.memory.note("frozen", &format!("nobody used it for {}", minutes(self.world.sleep.freeze_after)), false);
        // Nothing waits for it: a visitor may come at once.
        let launcher = self.world.launcher.clone();
        tokio::spawn(async move { _ = launcher.page_out(container).await });
    }

    pub(super) async fn thaw(&mut self) {
        let State::Frozen { identity } = self.state.clone() else { return };
        let why = self.why_awake().unwrap_or_else(|| "it is to be kept awake".to_owned());
        if let Err(error) = self.world.launcher.thaw(self.computer.container.clone()).await {
            return self.broken(failed("thaw", error.to_string()));
        }
        self.left_the_frozen();
        self.state = State::Running { identity };
        self.activity.end_rest();
        self.view.send_modify(|view| view.condition = Condition::Running);
        self.memory.note("running", &why, false);
    }

    pub(super) fn left_the_frozen(&mut self) {
        if let Some(number) = self.frozen.take() {
            self.world.pressure.thawed(number);
        }
    }

    /// Stops it because nobody uses it: the next use starts it.
    pub(super) async fn fall_asleep(&mut self) {
        let why = match self.activity.is_demoted() {
            true => "the machine needed its memory".to_owned(),
            false => format!("nobody used it for {}", minutes(self.world.sleep.stop_after)),
        };
        if self.may_rest(Condition::Asleep) {
            self.memory.note("asleep", &why, true);
            self.end().await;
        }
    }

    /// How long nothing need be done unless something happens: until the next look, or until it could be time to let it
    /// rest more deeply.
    pub(super) fn pause(&self) -> Duration {
        let depth = self.depth();
        let due = idle::due(depth, self.activity.idle(), self.world.sleep).filter(|_| self.memory.keep().is_none());
        let look = matches!(self.state, State::Running { .. }).then(|| self.lookout.next());
        let job = self.memory.until_due().filter(|_| depth != Depth::Awake).map(|time| time.min(JOBS_EVERY));
        due.into_iter().chain(look).chain(job).min().unwrap_or(lookout::EVERY).max(SOON)
    }

    /// How long one that does not run need not be looked at.
    pub(super) fn until_a_job(&self, wish: &Wish) -> Duration {
        let due = self.memory.until_due().filter(|_| wish.goal == Goal::Running);
        due.map_or(NEVER, |time| time.clamp(SOON, JOBS_EVERY))
    }

    /// Who or what wants it awake, if that is known.
    pub(super) fn why_awake(&self) -> Option<String> {
        let job = || self.memory.is_due(true).then(|| "a job of it is due".to_owned());
        self.activity.why_called().or_else(job)
    }

    /// While it does not run its files may not be at hand, and strangers still ask who its owner is.
    pub(super) async fn remember_the_profile(&self) {
        let reading = self.world.launcher.read_profile(self.computer.seat, self.computer.handle.clone());
        if let Ok(Ok(profile)) = timeout(PROFILE_WITHIN, reading).await {
            self.memory.set_profile(profile);
        }
    }
}

/// A time as people say it.
fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    }
}
