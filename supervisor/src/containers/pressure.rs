//! Memory of the whole host: who may start, and who gives way.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use matrixos_types::Bytes;
use tokio::time::sleep;

use super::activity::Activity;

/// What a computer takes to start, until it shows in the host's own figures.
const START: u64 = 32 << 20;
/// Those who may wait for memory at once; one more is refused.
const QUEUE: usize = 256;
/// How long one waits for others to give way.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// The host's memory, as far as starting computers is concerned.
pub(super) struct Pressure {
    meminfo: PathBuf,
    /// What stays free for the host itself.
    floor: Bytes,
    starting: AtomicU64,
    waiting: AtomicUsize,
    /// Frozen computers, the one that was frozen first in front.
    frozen: Mutex<BTreeMap<u64, Arc<Activity>>>,
    next: AtomicU64,
}

/// There is not enough memory, and nobody left to give way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this machine has no memory to spare at the moment")]
pub(super) struct NoMemory;

/// Leave to start; given back when the start is over.
pub(super) struct Leave<'a>(&'a Pressure);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.starting.fetch_sub(START, Ordering::SeqCst);
    }
}

impl Pressure {
    pub(super) fn new(meminfo: PathBuf, floor: Bytes) -> Self {
        Self {
            meminfo,
            floor,
            starting: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            frozen: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    /// Waits until there is memory to start a computer, asking frozen ones to give way.
    pub(super) async fn admit(&self) -> Result<Leave<'_>, NoMemory> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= QUEUE {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(NoMemory);
        }
        let admitted = tokio::time::timeout(PATIENCE, self.until_admitted()).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        admitted.map_err(|_| NoMemory)
    }

    async fn until_admitted(&self) -> Leave<'_> {
        loop {
            let starting = self.starting.fetch_add(START, Ordering::SeqCst) + START;
            if self.available() >= self.floor.0 + starting {
                return Leave(self);
            }
            self.starting.fetch_sub(START, Ordering::SeqCst);
            self.relieve();
            sleep(PAUSE).await;
        }
    }

    /// Asks the computer that was frozen first to give way. To be called now and then as well.
    pub(super) fn relieve(&self) {
        if self.available() < self.floor.0 + START
            && let Some((_, oldest)) = self.frozen().pop_first()
        {
            oldest.demote();
        }
    }

    /// A computer was frozen. Returns how to take that back.
    pub(super) fn froze(&self, activity: Arc<Activity>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        self.frozen().insert(number, activity);
        number
    }

    /// It is frozen no longer.
    pub(super) fn thawed(&self, number: u64) {
        self.frozen().remove(&number);
    }

    fn frozen(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<Activity>>> {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `MemAvailable` (proc_meminfo(5)), in bytes. A host that does not say has enough.
    fn available(&self) -> u64 {
        let text = fs::read_to_string(&self.meminfo).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
        line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()).map_or(u64::MAX, |kib| kib << 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(available_mib: u64) -> (tempfile::NamedTempFile, Pressure) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        say(&file, available_mib);
        let pressure = Pressure::new(file.path().to_owned(), Bytes::mib(100));
        (file, pressure)
    }

    fn say(file: &tempfile::NamedTempFile, available_mib: u64) {
        fs::write(file.path(), format!("MemTotal: 1 kB\nMemAvailable: {} kB\n", available_mib << 10)).expect("written");
    }

    #[tokio::test(start_paused = true)]
    async fn starts_are_counted_until_they_show_and_refused_without_memory() {
        let (_file, pressure) = host(170);
        let first = pressure.admit().await.expect("32 of 70");
        let second = pressure.admit().await.expect("64 of 70");
        assert_eq!(pressure.admit().await.err(), Some(NoMemory), "96 of 70");
        drop((first, second));
        assert!(pressure.admit().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_computer_that_was_frozen_first_gives_way_first() {
        let (file, pressure) = host(110);
        let (first, second, third) = (Arc::new(Activity::default()), Arc::default(), Arc::default());
        pressure.froze(Arc::clone(&first));
        let number = pressure.froze(Arc::clone(&second));
        pressure.froze(Arc::clone(&third));
        pressure.relieve();
        assert!(first.is_demoted() && !second.is_demoted());
        pressure.thawed(number);
        pressure.relieve();
        assert!(third.is_demoted() && !second.is_demoted(), "who was thawed is left alone");
        say(&file, 900);
        assert!(pressure.admit().await.is_ok());
    }
}
