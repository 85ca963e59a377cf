//! What a container's task remembers beyond a restart: whether it sleeps, until when it is kept awake, what happened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use matrixos_store::{Change, Keep, Rest, Store, StoreError};
use matrixos_types::ContainerId;
use tracing::warn;

use crate::clock::Clock;

/// The longest that somebody may ask to keep a computer awake for.
pub const KEPT_AT_MOST: Duration = Duration::from_secs(12 * 60 * 60);
/// So many seconds before a job is due its computer is woken.
const AHEAD: u64 = 1;
/// So many seconds after it was due a computer that is awake still counts as busy with beginning it.
const IN_TIME: u64 = 30;
/// Events that are remembered; the oldest go first.
const EVENTS: usize = 50;
/// Longest reason, in characters.
const REASON: usize = 200;

/// Shared by a container's task and those who ask about it.
pub(super) struct Memory {
    store: Store,
    clock: Arc<dyn Clock>,
    rest: Mutex<Rest>,
}

impl Memory {
    /// What the store knows.
    pub(super) fn load(store: Store, clock: Arc<dyn Clock>, container: &ContainerId) -> Self {
        let found = store.rest(container).unwrap_or_else(|error| {
            warn!(%container, %error, "the history could not be read");
            None
        });
        let this = Self { store, clock, rest: Mutex::new(found.unwrap_or_else(|| Rest::of_a_new(container))) };
        let now = this.now();
        let mut rest = this.lock();
        // It may have fallen asleep before that was written down.
        rest.since = rest.since.or(rest.asleep.then_some(now));
        drop(rest);
        this
    }

    /// Whether it was stopped because nobody used it.
    pub(super) fn asleep(&self) -> bool {
        self.lock().asleep
    }

    /// How long it has not run, asleep or stopped. By the time of day, so that a restart changes nothing.
    pub(super) fn still(&self) -> Duration {
        let (mut rest, now) = (self.lock(), self.now());
        // Counted from when the clock was set back, if it was: it would not be archived for as long as it was ahead.
        rest.since = rest.since.map(|since| since.min(now));
        rest.since.map_or(Duration::ZERO, |since| Duration::from_secs(now - since))
    }

    /// Whether its files are in an archive.
    pub(super) fn archived(&self) -> bool {
        self.lock().archived
    }

    /// What happened to it, oldest first.
    pub(super) fn history(&self) -> Vec<Change> {
        self.lock().history.clone()
    }

    /// Remembers that it became `what`, and why. The same news twice is told once.
    pub(super) fn note(&self, what: &str, why: &str, asleep: bool) {
        self.change(what, why, |rest, now| {
            rest.asleep = asleep;
            rest.since = asleep.then(|| rest.since.unwrap_or(now));
        });
    }

    /// Returns when what was noted is on the disk, if the store still takes anything.
    pub(super) async fn settle(&self) {
        if let Err(error) = self.store.run(|store| store.settle_rest()).await {
            warn!(%error, "the history could not be written");
        }
    }

    /// Remembers that it was stopped on purpose, and why.
    pub(super) fn note_stopped(&self, why: &str) {
        self.change("stopped", why, |rest, now| {
            rest.asleep = false;
            rest.since = rest.since.or(Some(now));
        });
    }

    /// Remembers that its files were packed, and why. It goes on to be asleep, or stopped.
    pub(super) fn note_archived(&self, why: &str) {
        self.change("archived", why, |rest, _| rest.archived = true);
    }

    /// Remembers that its files were unpacked, and why. If nobody uses it after all, its time begins anew.
    pub(super) fn note_unpacked(&self, why: &str) {
        self.change("unpacked", why, |rest, now| {
            rest.archived = false;
            rest.since = rest.since.map(|_| now);
        });
    }

    /// Written with the next news; who makes it run finds out by themselves whether its files are packed.
    pub(super) fn set_archived(&self) {
        self.lock().archived = true;
    }

    fn change(&self, what: &str, why: &str, change: impl FnOnce(&mut Rest, u64)) {
        let event = Change { at: self.now(), what: what.to_owned(), why: clean(why) };
        let mut rest = self.lock();
        let before = (rest.asleep, rest.since, rest.archived);
        change(&mut rest, event.at);
        let same = rest.history.last().is_some_and(|last| last.what == event.what && last.why == event.why);
        if same && (rest.asleep, rest.since, rest.archived) == before {
            return;
        }
        if !same {
            rest.history.push(event);
        }
        let surplus = rest.history.len().saturating_sub(EVENTS);
        rest.history.drain(..surplus);
        if let Err(error) = self.store.note_rest(&rest) {
            warn!(container = %rest.container, %error, "the history could not be written");
        }
    }

    /// What its owner said about themselves when it ran last.
    pub(super) fn profile(&self) -> Option<String> {
        self.lock().profile.clone()
    }

    /// Remembers what its owner says about themselves; written with the next news.
    pub(super) fn set_profile(&self, profile: Option<String>) {
        self.lock().profile = profile;
    }

    /// Until when it is kept awake, by whoever asked for longest, if that is still to come.
    pub(super) fn keep(&self) -> Option<Keep> {
        let (mut guard, now) = (self.lock(), self.now());
        let rest = &mut *guard;
        // Whoever was allowed so much when the clock was ahead has no more than that from now on.
        for keep in [&mut rest.keep, &mut rest.lease].into_iter().flatten() {
            keep.until = keep.until.min(now + KEPT_AT_MOST.as_secs());
        }
        let asked = [&rest.keep, &rest.lease].into_iter().flatten();
        asked.filter(|keep| keep.until > now).max_by_key(|keep| keep.until).cloned()
    }

    /// Keeps it awake for so long (at most [`KEPT_AT_MOST`]), or no longer: its owner's word, which ends what a program
    /// in it has asked for, too. Blocks until that is on the disk.
    pub(super) fn set_keep(&self, time: Option<Duration>, because: &str) -> Result<Option<Keep>, StoreError> {
        let keep = time.map(|time| self.kept_for(time, because));
        self.write(|rest| {
            rest.keep.clone_from(&keep);
            rest.lease = rest.lease.take().filter(|_| keep.is_some());
        })?;
        Ok(keep)
    }

    /// The same for a program in it. The owner's own word stays.
    pub(super) fn set_lease(&self, time: Option<Duration>, because: &str) -> Result<Option<Keep>, StoreError> {
        let lease = time.map(|time| self.kept_for(time, because));
        self.write(|rest| rest.lease.clone_from(&lease))?;
        Ok(lease)
    }

    /// Remembers when it has to be awake next for a job of its own. Blocks until that is on the disk.
    pub(super) fn set_due(&self, at: Option<u64>) -> Result<(), StoreError> {
        self.write(|rest| rest.due = at)
    }

    /// How long until it has to be awake for a job, if it has one.
    pub(super) fn until_due(&self) -> Option<Duration> {
        let due = self.lock().due?;
        Some(Duration::from_secs(due.saturating_sub(self.now())))
    }

    /// Whether it has to be awake now for a job. A computer that rests is woken for one that it has missed; one that is
    /// awake has either begun it by itself or never will.
    pub(super) fn is_due(&self, rests: bool) -> bool {
        let Some(due) = self.lock().due else { return false };
        let now = self.now();
        due <= now + AHEAD && (rests || now <= due + IN_TIME)
    }

    /// To be said when it goes to rest: it has had its chance to begin what was due. Written with the next news.
    pub(super) fn forget_what_was_due(&self) {
        let now = self.now();
        let mut rest = self.lock();
        rest.due = rest.due.filter(|&due| due > now);
    }

    fn kept_for(&self, time: Duration, because: &str) -> Keep {
        Keep { until: self.now() + time.min(KEPT_AT_MOST).as_secs(), because: clean(because) }
    }

    /// Changes what is remembered, durably.
    fn write(&self, change: impl FnOnce(&mut Rest)) -> Result<(), StoreError> {
        let mut rest = self.lock();
        let mut changed = rest.clone();
        change(&mut changed);
        self.store.put_rest(&changed)?;
        *rest = changed;
        Ok(())
    }

    fn now(&self) -> u64 {
        self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    fn lock(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reason as it may be shown: no control characters, not too long.
fn clean(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::SystemTime;

    use matrixos_testkit::HandClock;

    use super::*;

    struct Hand(Arc<HandClock>);

    impl Clock for Hand {
        fn now(&self) -> SystemTime {
            self.0.now()
        }
    }

    const DAY: Duration = Duration::from_secs(86_400);

    fn memory(folder: &tempfile::TempDir, clock: &Arc<HandClock>) -> Memory {
        let store = Store::open(&folder.path().join("store")).expect("a store");
        let container = ContainerId::parse("c0000000000000001").expect("an id");
        Memory::load(store, Arc::new(Hand(clock.clone())), &container)
    }

    #[test]
    fn how_long_it_has_not_run_survives_a_restart_and_ends_with_the_next_start() {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), Arc::new(HandClock::default()));
        let first = memory(&folder, &clock);
        assert_eq!(first.still(), Duration::ZERO);
        first.note("asleep", "nobody used it", true);
        clock.advance(DAY);
        first.note("asleep", "its files could not be packed", true);
        drop(first);
        clock.advance(DAY);
        let second = memory(&folder, &clock);
        assert_eq!(second.still(), 2 * DAY);
        second.note_stopped("the operator stopped it");
        assert_eq!(second.still(), 2 * DAY, "stopped, it does not run either");
        second.note_archived("nobody used it for two days");
        second.note_unpacked("somebody came");
        assert!(!second.archived() && second.still() == Duration::ZERO);
        clock.advance(DAY);
        assert_eq!(second.still(), DAY);
        second.note("running", "somebody came", false);
        clock.advance(DAY);
        assert_eq!(second.still(), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_awake_for_longer_than_is_allowed_and_nobody_from_the_archive() {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), Arc::new(HandClock::default()));
        let memory = memory(&folder, &clock);
        memory.set_keep(Some(KEPT_AT_MOST), "work").expect("written").expect("kept");
        memory.note("asleep", "nobody used it", true);
        clock.set_back(3_650 * DAY);
        assert!(memory.keep().is_some() && memory.still() == Duration::ZERO);
        clock.advance(KEPT_AT_MOST);
        assert_eq!(memory.keep(), None, "and not ten years later");
        clock.advance(30 * DAY);
        assert_eq!(memory.still(), KEPT_AT_MOST + 30 * DAY);
    }

    #[test]
    fn a_clock_that_jumps_ahead_ends_what_was_asked_for_and_makes_nothing_of_what_runs() {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), Arc::new(HandClock::default()));
        let memory = memory(&folder, &clock);
        memory.note("running", "somebody came", false);
        memory.set_keep(Some(KEPT_AT_MOST), "work").expect("written").expect("kept");
        clock.advance(40 * DAY);
        assert_eq!((memory.keep(), memory.still()), (None, Duration::ZERO));
        memory.note("asleep", "nobody used it", true);
        assert_eq!(memory.still(), Duration::ZERO, "its time begins when it falls asleep");
    }

    struct Hands(AtomicU64);

    impl Clock for Hands {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
        }
    }

    fn remembering(at: u64) -> (tempfile::TempDir, Arc<Hands>, Memory) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("store")).expect("a store");
        let hands = Arc::new(Hands(AtomicU64::new(at)));
        let memory = Memory::load(store, hands.clone(), &ContainerId::random());
        (folder, hands, memory)
    }

    #[test]
    fn a_job_wakes_what_rests_just_before_its_time_and_is_not_waited_for_for_ever() {
        let (_folder, hands, memory) = remembering(1_000);
        assert_eq!((memory.until_due(), memory.is_due(true)), (None, false));
        memory.set_due(Some(1_060)).expect("written");
        assert_eq!(memory.until_due(), Some(Duration::from_secs(60)));
        let due_at = |now: u64, rests: bool| {
            hands.0.store(now, Ordering::SeqCst);
            memory.is_due(rests)
        };
        assert!(!due_at(1_058, true) && due_at(1_059, true) && due_at(1_060, true));
        // Missed while nothing ran: made up for. Awake all the time: it has not been begun, and never will be.
        assert!(due_at(9_000, true) && due_at(1_090, false) && !due_at(1_091, false));
        memory.forget_what_was_due();
        assert!(!due_at(9_000, true));
        memory.set_due(Some(10_000)).expect("written");
        memory.forget_what_was_due();
        assert_eq!(memory.until_due(), Some(Duration::from_secs(1_000)), "what is still to come is kept");
    }

    #[test]
    fn nobody_keeps_a_computer_awake_for_longer_than_is_allowed_and_every_wish_ends() {
        let (_folder, hands, memory) = remembering(1_000);
        let year = Duration::from_secs(365 * 24 * 3_600);
        let kept = memory.set_keep(Some(year), "work").expect("written").expect("kept");
        assert_eq!(kept.until, 1_000 + KEPT_AT_MOST.as_secs());
        let lease = memory.set_lease(Some(year), "a program").expect("written").expect("kept");
        assert_eq!(lease.until, kept.until);
        hands.0.store(kept.until, Ordering::SeqCst);
        assert_eq!(memory.keep(), None);
    }
}
