//! What a container's task remembers beyond a restart: whether it sleeps, until when it is kept awake, what happened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use matrixos_store::{Change, Keep, Rest, Store, StoreError};
use matrixos_types::ContainerId;
use tracing::warn;

use crate::clock::Clock;

/// The longest that somebody may ask to keep a computer awake for.
pub const KEPT_AT_MOST: Duration = Duration::from_secs(12 * 60 * 60);
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
        let none =
            || Rest { container: container.clone(), asleep: false, keep: None, profile: None, history: Vec::new() };
        Self { store, clock, rest: Mutex::new(found.unwrap_or_else(none)) }
    }

    /// Whether it was stopped because nobody used it.
    pub(super) fn asleep(&self) -> bool {
        self.lock().asleep
    }

    /// What happened to it, oldest first.
    pub(super) fn history(&self) -> Vec<Change> {
        self.lock().history.clone()
    }

    /// Remembers that it became `what`, and why. The same news twice is told once.
    pub(super) fn note(&self, what: &str, why: &str, asleep: bool) {
        let event = Change { at: self.now(), what: what.to_owned(), why: clean(why) };
        let mut rest = self.lock();
        let same = rest.history.last().is_some_and(|last| last.what == event.what && last.why == event.why);
        if same && rest.asleep == asleep {
            return;
        }
        rest.asleep = asleep;
        rest.history.push(event);
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

    /// Until when it is kept awake, if that is still to come.
    pub(super) fn keep(&self) -> Option<Keep> {
        self.lock().keep.clone().filter(|keep| keep.until > self.now())
    }

    /// Keeps it awake for so long (at most [`KEPT_AT_MOST`]), or no longer. Blocks until that is on the disk.
    pub(super) fn set_keep(&self, time: Option<Duration>, because: &str) -> Result<Option<Keep>, StoreError> {
        let until = |time: Duration| self.now() + time.min(KEPT_AT_MOST).as_secs();
        let keep = time.map(|time| Keep { until: until(time), because: clean(because) });
        let mut rest = self.lock();
        let changed = Rest { keep: keep.clone(), ..rest.clone() };
        self.store.put_rest(&changed)?;
        *rest = changed;
        Ok(keep)
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
