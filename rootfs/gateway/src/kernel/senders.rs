//! How often a visitor or an app may speak with the AI, which costs its owner money.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3_600);

/// When each sender spoke within the last hour.
pub(crate) struct Senders {
    each: usize,
    all: usize,
    spoke: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl Senders {
    /// So many messages of each in an hour, and so many of all together.
    pub(crate) fn new(each: usize, all: usize) -> Self {
        Self { each, all, spoke: Mutex::default() }
    }

    /// Whether this sender is heard now; if so, it counts.
    pub(crate) fn admits(&self, sender: &str) -> bool {
        self.admits_at(sender, Instant::now())
    }

    fn admits_at(&self, sender: &str, now: Instant) -> bool {
        let mut all = self.spoke.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, times| {
            times.retain(|time| now.duration_since(*time) < HOUR);
            !times.is_empty()
        });
        if all.values().map(VecDeque::len).sum::<usize>() >= self.all {
            return false;
        }
        let times = all.entry(sender.to_owned()).or_default();
        let admitted = times.len() < self.each;
        if admitted {
            times.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_heard_ten_times_an_hour_and_all_of_them_a_hundred_times() {
        let (senders, now) = (Senders::new(10, 100), Instant::now());
        assert_eq!((0..20).filter(|_| senders.admits_at("a", now)).count(), 10);
        assert_eq!((0..200).filter(|n| senders.admits_at(&format!("s{n}"), now)).count(), 90);
        assert!(senders.admits_at("a", now + HOUR));
    }
}
