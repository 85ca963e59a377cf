//! How deeply a computer may rest: a pure decision.

use std::time::Duration;

/// When unused computers go to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleep {
    /// Unused for so long, a computer is frozen: it keeps its memory and connections, and goes on within a millisecond.
    pub freeze_after: Duration,
    /// Unused for so long, it is stopped: it keeps its files, and starts again when somebody comes.
    pub stop_after: Duration,
    /// Not running for so long, its files are packed into an archive, and unpacked when somebody comes. `None` for never.
    pub archive_after: Option<Duration>,
}

impl Default for Sleep {
    fn default() -> Self {
        Self {
            freeze_after: Duration::from_secs(5 * 60),
            stop_after: Duration::from_secs(30 * 60),
            archive_after: Some(Duration::from_secs(30 * 24 * 3600)),
        }
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
    /// It does not run, and its files are in an archive.
    Archived,
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
    /// How long it has not run. Nothing for one that runs.
    pub(super) still: Duration,
}

/// The depth that a computer should have, given the depth it has. Only a call wakes it.
pub(super) fn depth(now: Depth, used: Use, sleep: Sleep) -> Depth {
    if used.called || used.kept {
        return Depth::Awake;
    }
    let archived = |after| now >= Depth::Asleep && used.still >= after;
    let due = if sleep.archive_after.is_some_and(archived) {
        Depth::Archived
    } else if used.idle >= sleep.stop_after || (used.demoted && now == Depth::Frozen) {
        Depth::Asleep
    } else if used.idle >= sleep.freeze_after {
        Depth::Frozen
    } else {
        Depth::Awake
    };
    due.max(now)
}

/// How long until a computer that nobody uses meanwhile will be due to rest more deeply; `None` if it cannot.
pub(super) fn due(now: Depth, used: Use, sleep: Sleep) -> Option<Duration> {
    match now {
        Depth::Awake => Some(sleep.freeze_after.saturating_sub(used.idle)),
        Depth::Frozen => Some(sleep.stop_after.saturating_sub(used.idle)),
        Depth::Asleep => sleep.archive_after.map(|after| after.saturating_sub(used.still)),
        Depth::Archived => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nobody comes, and it has been unused and still for so many seconds.
    fn left_alone(seconds: u64) -> Use {
        let time = Duration::from_secs(seconds);
        Use { idle: time, called: false, kept: false, demoted: false, still: time }
    }

    fn any_depth() -> impl Strategy<Value = Depth> {
        prop_oneof![Just(Depth::Awake), Just(Depth::Frozen), Just(Depth::Asleep), Just(Depth::Archived)]
    }

    fn any_use() -> impl Strategy<Value = Use> {
        let times = (0u64..4_000, prop_oneof![0u64..4_000, 2_500_000u64..2_700_000]);
        (times, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|((idle, still), called, kept, demoted)| Use {
            idle: Duration::from_secs(idle),
            called,
            kept,
            demoted,
            still: Duration::from_secs(still),
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
        fn the_longer_unused_the_deeper(now in any_depth(), used in any_use(), more in 0u64..4_000_000) {
            let more = Duration::from_secs(more);
            let longer = Use { idle: used.idle + more, still: used.still + more, ..used };
            prop_assert!(depth(now, longer, Sleep::default()) >= depth(now, used, Sleep::default()));
        }

        #[test]
        fn memory_pressure_ends_only_what_is_frozen(idle in 0u64..200) {
            let used = Use { demoted: true, still: Duration::ZERO, ..left_alone(idle) };
            prop_assert_eq!(depth(Depth::Awake, used, Sleep::default()), Depth::Awake);
            prop_assert_eq!(depth(Depth::Frozen, used, Sleep::default()), Depth::Asleep);
        }

        #[test]
        fn only_what_does_not_run_is_archived_and_only_if_that_is_wanted(now in any_depth(), used in any_use()) {
            let never = Sleep { archive_after: None, ..Sleep::default() };
            prop_assert!(depth(now, used, never) < Depth::Archived || now == Depth::Archived);
            if now < Depth::Asleep {
                prop_assert!(depth(now, used, Sleep::default()) < Depth::Archived);
            }
        }
    }

    #[test]
    fn what_is_due_is_so_after_that_time_and_not_before() {
        let sleep = Sleep::default();
        for now in [Depth::Awake, Depth::Frozen, Depth::Asleep] {
            let used = left_alone(100);
            let wait = due(now, used, sleep).expect("it can rest more deeply");
            let at = |time| depth(now, Use { idle: used.idle + time, still: used.still + time, ..used }, sleep);
            assert_eq!(at(wait - Duration::from_millis(1)), now);
            assert!(at(wait) > now);
        }
        assert_eq!(due(Depth::Archived, left_alone(0), sleep), None);
        assert_eq!(due(Depth::Asleep, left_alone(0), Sleep { archive_after: None, ..sleep }), None);
    }

    #[test]
    fn five_minutes_freeze_thirty_stop_and_thirty_days_archive() {
        let depth = |now, minutes: u64| depth(now, left_alone(minutes * 60), Sleep::default());
        let awake = |minutes| depth(Depth::Awake, minutes);
        assert_eq!(
            (awake(4), awake(5), awake(29), awake(30)),
            (Depth::Awake, Depth::Frozen, Depth::Frozen, Depth::Asleep)
        );
        let days = |days: u64| depth(Depth::Asleep, days * 24 * 60);
        assert_eq!((days(29), days(30)), (Depth::Asleep, Depth::Archived));
    }
}
