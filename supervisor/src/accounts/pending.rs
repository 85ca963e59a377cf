//! Things that are handed out and must come back once, soon: ceremonies and entry codes. In memory: a restart asks
//! people to try again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use matrixos_store::TokenHash;

use super::secret::{Secret, hash};

/// A bounded set of single-use secrets with a value each. When it is full, the oldest makes room: refusing would let
/// whoever fills it keep everybody out.
pub(super) struct Pending<T> {
    lifetime: Duration,
    most: usize,
    entries: Mutex<Entries<T>>,
}

struct Entries<T> {
    next: u64,
    by_age: BTreeMap<u64, TokenHash>,
    by_secret: HashMap<TokenHash, Entry<T>>,
}

struct Entry<T> {
    number: u64,
    until: SystemTime,
    value: T,
}

impl<T> Pending<T> {
    pub(super) fn new(lifetime: Duration, most: usize) -> Self {
        let entries = Entries { next: 0, by_age: BTreeMap::new(), by_secret: HashMap::new() };
        Self { lifetime, most, entries: Mutex::new(entries) }
    }

    /// Keeps `value` under a fresh secret.
    pub(super) fn put(&self, value: T, now: SystemTime) -> Secret {
        let mut entries = self.lock();
        while entries.by_secret.len() >= self.most
            && let Some((_, oldest)) = entries.by_age.pop_first()
        {
            entries.by_secret.remove(&oldest);
        }
        let secret = Secret::random();
        let number = entries.next;
        entries.next += 1;
        entries.by_age.insert(number, hash(secret.expose()));
        entries.by_secret.insert(hash(secret.expose()), Entry { number, until: now + self.lifetime, value });
        secret
    }

    /// Takes the value out, if it is there and not too old. It cannot be taken twice.
    pub(super) fn take(&self, secret: &str, now: SystemTime) -> Option<T> {
        let mut entries = self.lock();
        let entry = entries.by_secret.remove(&hash(secret))?;
        entries.by_age.remove(&entry.number);
        (entry.until > now).then_some(entry.value)
    }

    /// Looks at a value without taking it out.
    pub(super) fn look<R>(&self, secret: &str, now: SystemTime, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut entries = self.lock();
        let entry = entries.by_secret.get_mut(&hash(secret))?;
        (entry.until > now).then(|| look(&mut entry.value))
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn a_secret_works_once_and_not_for_long() {
        let pending = Pending::new(Duration::from_secs(60), 9);
        let (first, second) = (pending.put(1, START), pending.put(2, START));
        assert_eq!(pending.take("guess", START), None);
        assert_eq!(pending.look(first.expose(), START, |n| std::mem::replace(n, 7)), Some(1));
        assert_eq!(pending.take(first.expose(), START), Some(7));
        assert_eq!(pending.take(first.expose(), START), None);
        assert_eq!(pending.look(second.expose(), START + Duration::from_secs(60), |n| *n), None);
        assert_eq!(pending.take(second.expose(), START + Duration::from_secs(60)), None);
    }

    #[test]
    fn when_there_are_too_many_the_oldest_makes_room() {
        let pending = Pending::new(Duration::from_secs(60), 2);
        let secrets: Vec<_> = (0..5).map(|n| pending.put(n, START)).collect();
        let left: Vec<_> = secrets.iter().filter_map(|s| pending.take(s.expose(), START)).collect();
        assert_eq!(left, [3, 4]);
        assert!(pending.lock().by_age.is_empty());
    }
}
