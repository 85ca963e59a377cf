//! The steps of a container's task that lead to rest and back.

use std::pin::pin;
use std::time::Duration;

use matrixos_runtime::client::CallError;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::activity::Activity;
use super::actor::{Actor, as_failure, failed};
use super::idle::Depth;
use super::state::{Goal, State};
use super::view::{Condition, View};
use super::wishes::Wish;
use super::{Computer, idle, lookout};

/// A moment: what is due now has been looked at and was put off.
const SOON: Duration = Duration::from_millis(100);
/// How often those that rest are looked at for jobs that have become due: the time of day may jump.
const JOBS_EVERY: Duration = Duration::from_secs(60);
/// How often the time of day is looked at while nothing runs: it may have been set meanwhile.
const LOOK_AT_THE_CLOCK: Duration = Duration::from_secs(3_600);
/// How long files that could not be packed are left alone.
const ARCHIVE_AGAIN: Duration = Duration::from_secs(24 * 3_600);
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
            // Were this lost with the supervisor, the next one would find it gone and start it.
            self.memory.settle().await;
            self.end().await;
        }
    }

    /// Packs its files, because nobody has used it for long. Whoever comes before that begins keeps it from it.
    pub(super) async fn archive(&mut self, wish: &Wish) {
        let world = self.world.clone();
        let _turn = tokio::select! {
            turn = world.packing.acquire() => turn.expect("the semaphore is never closed"),
            () = wanted(&self.activity, &mut self.wish) => return,
        };
        let Computer { container, seat, handle, .. } = self.computer.clone();
        let time = minutes(world.sleep.archive_after.unwrap_or_default());
        let mut packing = pin!(world.launcher.archive(container.clone(), seat, handle));
        let (packed, wanted) = tokio::select! {
            packed = &mut packing => (packed, false),
            () = wanted(&self.activity, &mut self.wish) => {
                // Whoever comes waits for their computer, not for the work that was to be done while nobody came.
                let _ = world.launcher.let_be(container).await;
                (packing.await, true)
            }
        };
        match packed {
            Ok(left_out) => {
                let what = if wish.goal == Goal::Stopped { "it was stopped" } else { "nobody used it" };
                let sockets = match left_out {
                    0 => String::new(),
                    count => format!(" ({count} sockets or pipes were left out)"),
                };
                self.memory.note_archived(&format!("{what} for {time}{sockets}"));
                self.state = State::Archived;
            }
            // It is as it was, or archived already: whoever launches it finds out.
            Err(_) if wanted => {}
            Err(error) => self.not_archived(wish, &error),
        }
    }

    /// It stays as it is. Trying again at once would only fail again.
    fn not_archived(&mut self, wish: &Wish, error: &CallError) {
        warn!(handle = %self.computer.handle, %error, "could not pack its files; trying again later");
        self.put_off = Some(Instant::now() + ARCHIVE_AGAIN);
        if wish.goal == Goal::Running {
            self.memory.note("asleep", &format!("its files could not be packed: {error}"), true);
        }
    }

    /// Unpacks its files, because it is wanted again.
    pub(super) async fn restore(&mut self) {
        let world = self.world.clone();
        let why = self.why_awake().unwrap_or_else(|| self.wish.borrow().reason.clone());
        self.view.send_replace(View::unpacking());
        let _turn = world.unpacking.acquire().await.expect("the semaphore is never closed");
        let Computer { container, seat, handle, limits, .. } = self.computer.clone();
        match world.launcher.restore(container, seat, handle, limits.disk).await {
            Ok(()) => {
                self.memory.note_unpacked(&why);
                self.state = State::Absent;
            }
            Err(error) => self.broken(as_failure(error)),
        }
    }

    /// How long nothing need be done unless something happens: until the next look, or until it could be time to let it
    /// rest more deeply.
    pub(super) fn pause(&self) -> Duration {
        let due = idle::due(self.depth(), self.used(), self.world.sleep).filter(|_| self.memory.keep().is_none());
        let look = match self.state {
            State::Running { .. } => Some(self.lookout.next()),
            State::Absent | State::Archived => Some(LOOK_AT_THE_CLOCK),
            _ => None,
        };
        due.into_iter().chain(look).chain(self.until_a_job()).min().unwrap_or(lookout::EVERY).max(SOON)
    }

    /// How long one that rests need not be looked at for the sake of a job.
    fn until_a_job(&self) -> Option<Duration> {
        let rests = self.depth_now() != Depth::Awake && self.wish.borrow().goal == Goal::Running;
        self.memory.until_due().filter(|_| rests).map(|time| time.min(JOBS_EVERY))
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

/// Returns when somebody calls, or something else is wanted of the container.
async fn wanted(activity: &Activity, wish: &mut watch::Receiver<Wish>) {
    tokio::select! {
        () = activity.called() => {}
        Ok(()) = wish.changed() => {}
    }
}

/// A time as people say it.
fn minutes(time: Duration) -> String {
    let (count, unit) = match time.as_secs() {
        seconds @ 0..120 => (seconds, "second"),
        seconds @ 120..7_200 => (seconds / 60, "minute"),
        seconds @ 7_200..172_800 => (seconds / 3_600, "hour"),
        seconds => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
