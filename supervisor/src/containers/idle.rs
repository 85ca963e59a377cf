//! How deeply a computer may rest: a pure decision.

use std::time::Duration;

/// When unused computers go to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleep {
    /// Unused for so long, a computer is frozen: it keeps its memory and connections, and goes on within a millisecond.
    pub freeze_after: Duration,
    /// Unused for so long, it is stopped: it keeps its files, and starts again when somebody comes.
    pub stop_after: Duration,
}

impl Default for Sleep {
    fn default() -> Self {
        Self { freeze_after: Duration::from_secs(5 * 60), stop_after: Duration::from_secs(30 * 60) }
    }
}

/// How deeply it rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// It serves.
    Awake,
    /// Its processes are stopped where they are.
    Frozen,
    /// It does not run.
    Asleep,
}

/// What is known of its use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    /// How long it has not been used.
    pub(super) idle: Duration,
    /// Somebody has called since it went to rest.
    pub(super) called: bool,
    /// Somebody has asked to keep it awake for now, or it has a job to do.
    pub(super) kept: bool,
    /// The host needs memory.
    pub(super) demoted: bool,
}

/// The depth that a computer should have, given the depth it has. Only a call wakes it.
pub(super) fn depth(now: Depth, used: Use, sleep: Sleep) -> Depth {
    if used.called || used.kept {
        return Depth::Awake;
    }
    let due = if used.idle >= sleep.stop_after || (used.demoted && now == Depth::Frozen) {
        Depth::Asleep
    } else if used.idle >= sleep.freeze_after {
        Depth::Frozen
    } else {
        Depth::Awake
    };
    due.max(now)
}

/// How long until a computer that nobody uses meanwhile will be due to rest more deeply; `None` if it cannot.
pub(super) fn due(now: Depth, idle: Duration, sleep: Sleep) -> Option<Duration> {
    match now {
        Depth::Awake => Some(sleep.freeze_after.saturating_sub(idle)),
        Depth::Frozen => Some(sleep.stop_after.saturating_sub(idle)),
        Depth::Asleep => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_depth() -> impl Strategy<Value = Depth> {
        prop_oneof![Just(Depth::Awake), Just(Depth::Frozen), Just(Depth::Asleep)]
    }

    fn any_use() -> impl Strategy<Value = Use> {
        (0u64..4_000, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(idle, called, kept, demoted)| Use {
            idle: Duration::from_secs(idle),
            called,
            kept,
            demoted,
        })
    }

    proptest! {
        #[test]
        fn whoever_is_called_or_kept_is_awake_and_nobody_else_wakes(now in any_depth(), used in any_use()) {
            let next = depth(now, used, Sleep::default());
            if used.called || used.kept {
                prop_assert_eq!(next, Depth::Awake);
            } else {
                prop_assert!(next >= now);
            }
        }

        #[test]
        fn the_longer_unused_the_deeper(now in any_depth(), used in any_use(), more in 0u64..4_000) {
            let longer = Use { idle: used.idle + Duration::from_secs(more), ..used };
            prop_assert!(depth(now, longer, Sleep::default()) >= depth(now, used, Sleep::default()));
        }

        #[test]
        fn memory_pressure_ends_only_what_is_frozen(idle in 0u64..200) {
            let used = Use { idle: Duration::from_secs(idle), called: false, kept: false, demoted: true };
            prop_assert_eq!(depth(Depth::Awake, used, Sleep::default()), Depth::Awake);
            prop_assert_eq!(depth(Depth::Frozen, used, Sleep::default()), Depth::Asleep);
        }
    }

    #[test]
    fn what_is_due_is_so_after_that_time_and_not_before() {
        let sleep = Sleep::default();
        for now in [Depth::Awake, Depth::Frozen] {
            let at = |idle| depth(now, Use { idle, called: false, kept: false, demoted: false }, sleep);
            let idle = Duration::from_secs(100);
            let wait = due(now, idle, sleep).expect("it can rest more deeply");
            assert_eq!(at(idle + wait - Duration::from_millis(1)), now);
            assert!(at(idle + wait) > now);
        }
        assert_eq!(due(Depth::Asleep, Duration::ZERO, sleep), None);
    }

    #[test]
    fn five_minutes_freeze_and_thirty_stop() {
        let at =
            |minutes: u64| Use { idle: Duration::from_secs(minutes * 60), called: false, kept: false, demoted: false };
        let depth = |minutes| depth(Depth::Awake, at(minutes), Sleep::default());
        assert_eq!(
            (depth(4), depth(5), depth(29), depth(30)),
            (Depth::Awake, Depth::Frozen, Depth::Frozen, Depth::Asleep)
        );
    }
}
