//! What is wanted of a container, and what is: two values that the planner compares.

use std::time::Duration;

use matrixos_runtime::protocol::Identity;
use tokio::time::Instant;

/// What the store wants of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// It should serve its owner.
    Running,
    /// It should not run; the files stay.
    Stopped,
    /// It and its files should be gone for good.
    Destroyed,
}

/// What a container is, as far as the kernel and the launcher have told us.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    /// Nothing of it runs or is left over.
    Absent,
    /// Nothing of it runs, and its files are in an archive.
    Archived,
    /// Something may be left over of it: found half made, or its first process has ended.
    Remains,
    /// Its gateway answers.
    Running {
        /// The first process, beyond doubt.
        identity: Identity,
    },
    /// Its processes are stopped where they are; its connections are kept.
    Frozen {
        /// The first process, beyond doubt.
        identity: Identity,
    },
    /// The last launch failed, or it ended without being asked to.
    Broken {
        /// Failures in a row.
        failures: u32,
        /// When the next launch may be tried.
        retry_at: Instant,
    },
    /// The user's files are deleted as well. Final.
    Gone,
}

/// How long to wait after `failures` failures in a row: half a second, doubling, at most a minute.
pub(super) fn back_off(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(7);
    (Duration::from_millis(500) * 2u32.pow(doublings)).min(Duration::from_secs(60))
}
