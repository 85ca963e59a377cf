//! Group commit: writers that wait at the same time share one settlement of the disk.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use matrixos_types::fail;

use crate::error::StoreError;

/// What can be settled: afterwards everything written before the call survives `kill -9` and a power cut.
pub(crate) trait Disk {
    /// Settles, and remembers `number` as the last settlement.
    fn settle(&self, number: u64) -> Result<(), StoreError>;
}

pub(crate) struct Durable<D> {
    disk: D,
    turn: Mutex<Turn>,
    done: Condvar,
}

struct Turn {
    /// The settlement that the next writer needs.
    next: u64,
    /// The last settlement that is done.
    finished: u64,
    settling: bool,
    /// Set for ever once a settlement has failed: what the disk holds is not known any more.
    failure: Option<Failure>,
}

enum Failure {
    Full,
    Other(String),
}

impl Failure {
    fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            other => Self::Other(other.to_string()),
        }
    }

    fn again(&self) -> StoreError {
        match self {
            Self::Full => StoreError::Full,
            Self::Other(why) => StoreError::Broken(why.clone()),
        }
    }
}

impl<D: Disk> Durable<D> {
    /// `finished` is the last settlement that the disk remembers.
    pub(crate) fn new(disk: D, finished: u64) -> Self {
        let turn = Turn { next: finished + 1, finished, settling: false, failure: None };
        Self { disk, turn: Mutex::new(turn), done: Condvar::new() }
    }

    /// What is settled.
    pub(crate) fn disk(&self) -> &D {
        &self.disk
    }

    /// Fails if a settlement has failed: whatever is written from then on may be found after a restart, or not.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.lock().failure.as_ref().map_or(Ok(()), |failure| Err(failure.again()))
    }

    /// Returns when everything written before the call is on the disk.
    pub(crate) fn settle(&self) -> Result<(), StoreError> {
        let mut turn = self.lock();
        let mine = turn.next;
        while turn.finished < mine {
            if let Some(failure) = &turn.failure {
                return Err(failure.again());
            }
            turn = if turn.settling {
                self.done.wait(turn).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.lead(turn)?
            };
        }
        Ok(())
    }

    /// Settles for everybody who waits.
    fn lead<'a>(&'a self, mut turn: MutexGuard<'a, Turn>) -> Result<MutexGuard<'a, Turn>, StoreError> {
        // Writers from now on need the settlement after this one, for they may come too late for it.
        let number = turn.next;
        turn.next += 1;
        turn.settling = true;
        drop(turn);
        let broken = fail::disk_is_broken().then(|| io::Error::other("the disk is broken").into());
        let settled = broken.map_or_else(|| self.disk.settle(number), Err);
        let mut turn = self.lock();
        turn.settling = false;
        self.done.notify_all();
        match settled {
            Ok(()) => {
                fail::effect("settle");
                turn.finished = number;
            }
            Err(error) => {
                turn.failure = Some(Failure::of(&error));
                return Err(error);
            }
        }
        Ok(turn)
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Remembers how many writes there were when the latest settlement began; fails at a given one.
    #[derive(Default)]
    struct Counting {
        written: AtomicU64,
        settled: AtomicU64,
        settlements: AtomicU64,
        fails_at: u64,
    }

    impl Disk for Arc<Counting> {
        fn settle(&self, number: u64) -> Result<(), StoreError> {
            let written = self.written.load(Ordering::SeqCst);
            std::thread::yield_now();
            if number == self.fails_at {
                return Err(io::Error::from(io::ErrorKind::StorageFull).into());
            }
            self.settlements.fetch_add(1, Ordering::SeqCst);
            self.settled.fetch_max(written, Ordering::SeqCst);
            Ok(())
        }
    }

    #[test]
    fn nobody_is_told_before_their_own_write_is_settled_and_settlements_are_shared() {
        let disk = Arc::new(Counting::default());
        let durable = Durable::new(disk.clone(), 0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let mine = disk.written.fetch_add(1, Ordering::SeqCst) + 1;
                        durable.settle().expect("settled");
                        assert!(disk.settled.load(Ordering::SeqCst) >= mine);
                    }
                });
            }
        });
        assert!(disk.settlements.load(Ordering::SeqCst) <= 4_000);
    }

    #[test]
    fn after_a_failed_settlement_nothing_is_acknowledged_any_more() {
        let disk = Arc::new(Counting { fails_at: 8, ..Counting::default() });
        let durable = Durable::new(disk.clone(), 6);
        durable.settle().expect("the seventh");
        durable.check().expect("nothing has failed");
        assert!(matches!(durable.settle(), Err(StoreError::Full)), "the one that failed says why");
        assert!(matches!(durable.settle(), Err(StoreError::Full)), "and so do all after it");
        assert!(matches!(durable.check(), Err(StoreError::Full)));
        assert_eq!(disk.settlements.load(Ordering::SeqCst), 1, "the disk is left alone");
    }
}
