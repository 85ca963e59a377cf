//! What the probe reported, from one run of each kind for all trials.

use std::sync::LazyLock;

use crate::common::House;
use crate::common::probe::{Attempt, Call};

/// The token that `House` gives to every gateway, in hexadecimal, so that no argument list contains it.
pub(crate) const MARKER: &str = "612d736563726574";

/// What is tried, in a container of our launcher: what would reach the kernel, and what can be read.
pub(crate) static REACH: LazyLock<Vec<Attempt>> = LazyLock::new(|| {
    let house = House::new();
    [house.probe(1, "kernel"), house.probe(1, &format!("status {MARKER}"))].concat()
});

/// What is tried, in a container of our launcher: what can be used up.
static LIMITS: LazyLock<Vec<Attempt>> = LazyLock::new(|| House::new().probe(1, "limits"));

/// All attempts in containers of our launcher.
pub(crate) static OURS: LazyLock<Vec<Attempt>> = LazyLock::new(|| [REACH.clone(), LIMITS.clone()].concat());

/// Every system call, in a container of our launcher.
pub(crate) static CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| House::new().probe(1, "syscalls"));

/// The attempts that a pattern names: a whole name, or its beginning and a star.
pub(crate) fn matching<'a>(all: &'a [Attempt], pattern: &str) -> Vec<&'a Attempt> {
    all.iter().filter(|attempt| fits(&attempt.name, pattern)).collect()
}

pub(crate) fn fits(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |beginning| name.starts_with(beginning))
}
