//! Things that are handed out and must come back once, soon: ceremonies and entry codes. In memory: a restart asks
//! people to try again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use matrixos_store::TokenHash;

use super::secret::{Secret, hash};

/// A bounded set of single-use secrets with a value each.
pub(super) struct Pending<T> {
    lifetime: Duration,
    most: usize,
    entries: Mutex<HashMap<TokenHash, (SystemTime, T)>>,
}

impl<T> Pending<T> {
    pub(super) fn new(lifetime: Duration, most: usize) -> Self {
        Self { lifetime, most, entries: Mutex::default() }
    }

    /// Keeps `value` under a fresh secret. `None` if too many are pending.
    pub(super) fn put(&self, value: T, now: SystemTime) -> Option<Secret> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.most {
            entries.retain(|_, (until, _)| *until > now);
        }
        if entries.len() >= self.most {
            return None;
        }
        let secret = Secret::random();
        entries.insert(hash(secret.expose()), (now + self.lifetime, value));
        Some(secret)
    }

    /// Takes the value out, if it is there and not too old. It cannot be taken twice.
    pub(super) fn take(&self, secret: &str, now: SystemTime) -> Option<T> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, value) = entries.remove(&hash(secret))?;
        (until > now).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_works_once_and_not_for_long() {
        let pending = Pending::new(Duration::from_secs(60), 2);
        let start = SystemTime::UNIX_EPOCH;
        let first = pending.put(1, start).expect("room");
        let second = pending.put(2, start).expect("room");
        assert!(pending.put(3, start).is_none(), "bounded");
        assert_eq!(pending.take("guess", start), None);
        assert_eq!(pending.take(first.expose(), start), Some(1));
        assert_eq!(pending.take(first.expose(), start), None);
        assert_eq!(pending.take(second.expose(), start + Duration::from_secs(60)), None);
        pending.put(4, start).expect("room");
        pending.put(5, start).expect("room");
        assert!(pending.put(6, start + Duration::from_secs(61)).is_some(), "old ones make room");
    }
}
