//! How often codes may be guessed. By account and address together, so that a stranger who guesses wrong does not keep
//! the owner out; and for six digits also by account, over all addresses that its owner has not been seen at, because a
//! crowd of addresses could otherwise try them all. Passkeys are not throttled here, and recovery codes cannot be
//! guessed: those two ways in stay open whatever strangers do.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::secret::hash;
use matrixos_store::TokenHash;

/// Guesses from one address at once, and the seconds after which one more is given.
const HERE: Rate = Rate { burst: 5, every: 120 };
/// Guesses at one account's six digits from all addresses that its owner was not seen at.
const ELSEWHERE: Rate = Rate { burst: 20, every: 90 };
/// Buckets that are kept.
const MOST: usize = 100_000;

#[derive(Clone, Copy)]
struct Rate {
    burst: u64,
    every: u64,
}

/// Guesses that were made, as the second at which they are all forgiven.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<TokenHash, u64>>);

/// An attempt that was let through; it is forgiven if it turns out right.
#[must_use]
pub(super) struct Attempt(Vec<(TokenHash, Rate)>);

impl Throttle {
    /// Lets an attempt at `account` through, or says how many seconds to wait. `shared` says that it counts among those
    /// of all strangers.
    pub(super) fn admit(&self, account: &str, address: Option<IpAddr>, shared: bool, now: u64) -> Result<Attempt, u64> {
        let network = address.map(network);
        let mut buckets = vec![(hash(&format!("{account}\0{network:?}")), HERE)];
        if shared {
            buckets.push((hash(&format!("{account}\0")), ELSEWHERE));
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = buckets.iter().map(|(key, rate)| wait(known.get(key).copied(), *rate, now)).max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        if known.len() + buckets.len() > MOST {
            make_room(&mut known, now);
        }
        for (key, rate) in &buckets {
            let forgiven = known.entry(*key).or_insert(now);
            *forgiven = (*forgiven).max(now) + rate.every;
        }
        Ok(Attempt(buckets))
    }

    /// The attempt was right, so it was no guess.
    pub(super) fn forgive(&self, attempt: Attempt) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, rate) in attempt.0 {
            if let Some(forgiven) = known.get_mut(&key) {
                *forgiven = forgiven.saturating_sub(rate.every);
            }
        }
    }

    /// Forgets what is forgiven.
    pub(super) fn tidy(&self, now: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, forgiven| *forgiven > now);
    }
}

/// Seconds until one more guess is allowed.
fn wait(forgiven: Option<u64>, rate: Rate, now: u64) -> u64 {
    let debt = forgiven.unwrap_or(0).saturating_sub(now);
    (debt + rate.every).saturating_sub(rate.burst * rate.every)
}

/// The half that is forgiven soonest goes.
fn make_room(known: &mut HashMap<TokenHash, u64>, now: u64) {
    known.retain(|_, forgiven| *forgiven > now);
    if known.len() + 2 > MOST {
        let mut times: Vec<u64> = known.values().copied().collect();
        let (_, middle, _) = times.select_nth_unstable(MOST / 2);
        let middle = *middle;
        known.retain(|_, forgiven| *forgiven > middle);
    }
}

/// What one subscriber or one small network has: IPv4 /24, IPv6 /48.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & 0xffff_ff00).into()),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !(u128::MAX >> 48)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn a_stranger_is_slowed_down_and_the_owner_is_not() {
        let throttle = Throttle::default();
        let (stranger, owner) = (address("192.0.2.7"), address("198.51.100.1"));
        let mut admitted = 0;
        for second in 0..600 {
            admitted += u64::from(throttle.admit("alice", stranger, true, second).is_ok());
        }
        assert_eq!(admitted, HERE.burst + 599 / HERE.every, "a few at once, then one in {} seconds", HERE.every);
        assert!(throttle.admit("alice", address("192.0.2.200"), true, 599).is_err(), "nor from the next address");
        assert!(throttle.admit("alice", owner, false, 599).is_ok());
        assert!(throttle.admit("bobby", stranger, true, 599).is_ok(), "another account is another matter");
    }

    #[test]
    fn a_crowd_of_addresses_cannot_try_all_codes_nor_keep_the_owner_out() {
        let throttle = Throttle::default();
        let crowd = (0..5_000u32).map(|n| Some(IpAddr::V4((0x0a00_0000 + (n << 8)).into())));
        let admitted = crowd.filter(|from| throttle.admit("alice", *from, true, 50).is_ok()).count();
        assert_eq!(admitted as u64, ELSEWHERE.burst);
        assert!(
            throttle.admit("alice", address("198.51.100.1"), true, 50).is_err(),
            "six digits from a new place wait"
        );
        assert!(throttle.admit("alice", address("198.51.100.1"), false, 50).is_ok(), "from a known one they do not");
    }

    #[test]
    fn what_was_right_is_forgiven() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            let attempt = throttle.admit("alice", address("192.0.2.7"), true, 5).expect("never too often");
            throttle.forgive(attempt);
        }
        throttle.tidy(5);
        assert!(throttle.0.lock().expect("whole").is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_are_remembered() {
        let throttle = Throttle::default();
        for _ in 0..HERE.burst {
            let _ = throttle.admit("alice", address("192.0.2.7"), false, 0);
        }
        for n in 0..MOST + 10 {
            let _ = throttle.admit(&format!("u{n}"), None, false, 0);
        }
        assert!(throttle.0.lock().expect("whole").len() <= MOST);
        assert!(throttle.admit("alice", address("192.0.2.7"), false, 0).is_err());
    }
}
