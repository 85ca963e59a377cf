//! Whether a computer is used: data that passes, work that it does, and who waits for it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What is known of one computer's use; shared by its task and everybody who reaches for it.
#[derive(Debug)]
pub struct Activity {
    epoch: Instant,
    /// Milliseconds from the epoch to the latest use.
    last: AtomicU64,
    /// Requests that are under way.
    visits: AtomicUsize,
    /// True while it is frozen or asleep: then whoever uses it calls.
    resting: AtomicBool,
    called: AtomicBool,
    /// The host needs its memory.
    demoted: AtomicBool,
    call: Notify,
    /// Who called first.
    why: Mutex<Option<String>>,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            last: AtomicU64::new(0),
            visits: AtomicUsize::new(0),
            resting: AtomicBool::new(false),
            called: AtomicBool::new(false),
            demoted: AtomicBool::new(false),
            call: Notify::new(),
            why: Mutex::default(),
        }
    }
}

impl Activity {
    /// It is used now: data passes, or it works.
    pub fn touch(&self) {
        self.call("data arrived for it");
    }

    /// Somebody wants it awake, and says why. For one that is awake this is use like any other: were it remembered as a
    /// call, it would never rest again.
    pub(super) fn call(&self, why: &str) {
        let now = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.fetch_max(now, Ordering::SeqCst);
        if self.resting.load(Ordering::SeqCst) {
            self.why().get_or_insert_with(|| why.to_owned());
            self.called.store(true, Ordering::SeqCst);
            self.call.notify_one();
        }
    }

    /// Begins a visit, which lasts until the value is dropped.
    pub(super) fn visit(self: &Arc<Self>) -> Visit {
        self.visits.fetch_add(1, Ordering::SeqCst);
        self.call("somebody came");
        Visit(self.clone())
    }

    /// How long it has not been used; nothing while somebody visits.
    pub(super) fn idle(&self) -> Duration {
        if self.visits.load(Ordering::SeqCst) > 0 {
            return Duration::ZERO;
        }
        self.epoch.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::SeqCst)))
    }

    /// To be said before it is frozen or stopped for lack of use: from here on, use is a call.
    pub(super) fn begin_rest(&self) {
        self.resting.store(true, Ordering::SeqCst);
    }

    /// To be said when it is awake.
    pub(super) fn end_rest(&self) {
        self.resting.store(false, Ordering::SeqCst);
        self.called.store(false, Ordering::SeqCst);
        self.demoted.store(false, Ordering::SeqCst);
        *self.why() = None;
        self.touch();
    }

    /// Asks it to give its memory back, if it is frozen.
    pub(super) fn demote(&self) {
        self.demoted.store(true, Ordering::SeqCst);
        self.call.notify_one();
    }

    /// Whether it was asked to give its memory back.
    pub(super) fn is_demoted(&self) -> bool {
        self.demoted.load(Ordering::SeqCst)
    }

    /// Why it was called, if it was.
    pub(super) fn why_called(&self) -> Option<String> {
        self.why().clone()
    }

    fn why(&self) -> MutexGuard<'_, Option<String>> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody has called since it went to rest.
    pub(super) fn is_called(&self) -> bool {
        self.called.load(Ordering::SeqCst)
    }

    /// Returns when somebody calls, or it is asked to give way.
    pub(super) async fn called(&self) {
        self.call.notified().await;
    }
}

/// A visit under way: its computer does not go to rest.
#[derive(Debug)]
pub struct Visit(Arc<Activity>);

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.touch();
        self.0.visits.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_computer_is_idle_from_its_last_use_and_never_while_somebody_visits() {
        let activity = Arc::new(Activity::default());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(activity.idle(), Duration::from_secs(60));
        let visit = activity.visit();
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(activity.idle(), Duration::ZERO);
        drop(visit);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(activity.idle(), Duration::from_secs(5));
    }

    #[tokio::test]
    async fn use_at_rest_is_a_call_and_use_while_awake_is_none() {
        let activity = Arc::new(Activity::default());
        activity.touch();
        activity.call("its owner signed in");
        assert!(!activity.is_called() && activity.why_called().is_none());
        activity.begin_rest();
        drop(activity.visit());
        activity.called().await;
        assert!(activity.is_called());
        activity.end_rest();
        assert!(!activity.is_called());
    }
}
