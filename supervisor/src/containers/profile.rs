//! What users say about themselves, kept for a while: strangers ask for it, and may not keep the launcher busy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use matrixos_runtime::client::LauncherClient;
use matrixos_types::{Handle, Seat};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

/// How long a text is shown before it is read anew.
const FRESH: Duration = Duration::from_secs(30);
/// How long somebody waits for a text; then they are shown what is kept, or nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the launcher is left alone between two readings.
const PAUSE: Duration = Duration::from_millis(25);
/// Texts that are kept, each of at most 16 KiB.
const KEPT: usize = 1_000;

/// The texts, and the one turn at reading another.
pub(super) struct Profiles {
    kept: Mutex<HashMap<Handle, Kept>>,
    turn: Arc<Semaphore>,
}

struct Kept {
    text: Option<String>,
    read: Instant,
}

impl Default for Profiles {
    fn default() -> Self {
        Self { kept: Mutex::default(), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Profiles {
    /// What that user says, if they say anything and it can be read.
    pub(super) async fn of(self: &Arc<Self>, launcher: &LauncherClient, seat: Seat, handle: &Handle) -> Option<String> {
        if let Some(text) = self.kept(handle, FRESH) {
            return text;
        }
        let _ = timeout(PATIENCE, self.renew(launcher, seat, handle)).await;
        self.kept(handle, Duration::MAX).flatten()
    }

    /// Whoever comes to the turn first reads for all who wait with them.
    async fn renew(self: &Arc<Self>, launcher: &LauncherClient, seat: Seat, handle: &Handle) {
        let Ok(turn) = self.turn.clone().acquire_owned().await else { return };
        if self.kept(handle, FRESH).is_some() {
            return;
        }
        // A task of its own: a stranger who goes away does not make the turn shorter.
        let (this, launcher, handle) = (self.clone(), launcher.clone(), handle.clone());
        let _ = tokio::spawn(async move { this.read(&launcher, seat, handle, turn).await }).await;
    }

    async fn read(&self, launcher: &LauncherClient, seat: Seat, handle: Handle, turn: OwnedSemaphorePermit) {
        let text = launcher.read_profile(seat, handle.clone()).await.unwrap_or_else(|error| {
            tracing::debug!(%handle, %error, "a profile is not shown");
            None
        });
        self.keep(handle, text);
        tokio::spawn(async move {
            sleep(PAUSE).await;
            drop(turn);
        });
    }

    /// What is kept of that user, if it is not older than that.
    fn kept(&self, handle: &Handle, at_most: Duration) -> Option<Option<String>> {
        self.lock().get(handle).filter(|kept| kept.read.elapsed() < at_most).map(|kept| kept.text.clone())
    }

    fn keep(&self, handle: Handle, text: Option<String>) {
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.read).map(|(handle, _)| handle.clone());
            oldest.and_then(|oldest| kept.remove(&oldest));
        }
        kept.insert(handle, Kept { text, read: Instant::now() });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Handle, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use matrixos_testkit::launcher;

    use super::*;

    fn handle(number: usize) -> Handle {
        Handle::parse(&format!("user{number}")).expect("a handle")
    }

    #[tokio::test]
    async fn a_crowd_of_strangers_makes_the_launcher_read_once() {
        let (socket, read) = launcher::failing_and_counting();
        let (launcher, seat) = (LauncherClient::new(socket).expect("a client"), Seat::new(1).expect("a seat"));
        let profiles = Arc::new(Profiles::default());
        let crowd: Vec<_> = (0..500)
            .map(|_| {
                let (profiles, launcher) = (profiles.clone(), launcher.clone());
                tokio::spawn(async move { profiles.of(&launcher, seat, &handle(1)).await })
            })
            .collect();
        for one in crowd {
            assert!(one.await.expect("no panic").is_some_and(|text| text.contains("user1")));
        }
        assert_eq!(read.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn the_launcher_is_left_alone_between_two_readings_even_if_nobody_waits() {
        let (socket, read) = launcher::failing_and_counting();
        let (launcher, seat) = (LauncherClient::new(socket).expect("a client"), Seat::new(1).expect("a seat"));
        let profiles = Arc::new(Profiles::default());
        let begun = Instant::now();
        for number in 0..40 {
            let _ = timeout(Duration::from_millis(2), profiles.of(&launcher, seat, &handle(number))).await;
        }
        let most = begun.elapsed().as_millis() / PAUSE.as_millis() + 2;
        let read = read.load(Ordering::SeqCst);
        assert!(read >= 1 && u128::from(read) <= most, "{read} readings, at most {most}");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let profiles = Profiles::default();
        (0..KEPT + 10).for_each(|number| profiles.keep(handle(number), None));
        assert_eq!(profiles.lock().len(), KEPT);
        assert!(profiles.kept(&handle(0), FRESH).is_none() && profiles.kept(&handle(KEPT + 9), FRESH).is_some());
    }
}
