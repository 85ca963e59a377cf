//! A circuit breaker: while the provider fails, callers are told at once instead of waiting for it, one after another.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// So many failures in a row open it.
const FAILURES: u32 = 5;
/// It stays open for so long; then one call is let through to look.
const OPEN_FOR: Duration = Duration::from_secs(10);

/// Counts failures of the provider in a row.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the next call may look whether the provider works again.
    look: Option<Instant>,
}

/// How the circuit to the provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Calls go through.
    Closed,
    /// The provider fails; calls are refused for a moment.
    Open,
}

impl Breaker {
    /// Lets a call through, or says after how long it may try again.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        let mut state = self.lock();
        let Some(look) = state.look else { return Ok(()) };
        let now = Instant::now();
        if now < look {
            return Err(look - now);
        }
        // The others go on waiting until this one knows more.
        state.look = Some(now + OPEN_FOR);
        Ok(())
    }

    /// A call has shown whether the provider works.
    pub(super) fn report(&self, works: bool) {
        let mut state = self.lock();
        if works {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.look = Some(Instant::now() + OPEN_FOR);
        }
    }

    pub(super) fn circuit(&self) -> Circuit {
        if self.lock().look.is_some() { Circuit::Open } else { Circuit::Closed }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_failures_in_a_row_callers_are_told_at_once_and_one_looks_again() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES - 1 {
            breaker.report(false);
        }
        breaker.report(true);
        for _ in 0..FAILURES {
            assert_eq!(breaker.admit(), Ok(()));
            breaker.report(false);
        }
        assert_eq!((breaker.admit(), breaker.circuit()), (Err(OPEN_FOR), Circuit::Open));
        tokio::time::advance(OPEN_FOR).await;
        assert_eq!(breaker.admit(), Ok(()), "one looks");
        assert!(breaker.admit().is_err(), "the others wait for what it finds");
        breaker.report(true);
        assert_eq!((breaker.admit(), breaker.circuit()), (Ok(()), Circuit::Closed));
    }
}
