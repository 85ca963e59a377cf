//! What the probe reported, from one run of each kind for all trials.

use std::sync::LazyLock;

use crate::common::House;
use crate::common::probe::{Attempt, Call};

/// The token that `House` gives to every gateway, in hexadecimal, so that no argument list contains it.
pub(crate) const MARKER: &str = "612d736563726574";

/// The three lists of attempts, in a container of our launcher.
pub(crate) static OURS: LazyLock<Vec<Attempt>> = LazyLock::new(|| {
    let house = House::new();
    let kinds = ["kernel".to_owned(), format!("status {MARKER}"), "limits".to_owned()];
    kinds.iter().flat_map(|kind| house.probe(1, kind)).collect()
});

/// Every system call, in a container of our launcher.
pub(crate) static CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| House::new().probe(1, "syscalls"));

/// The attempts that a pattern names: a whole name, or its beginning and a star.
pub(crate) fn matching<'a>(all: &'a [Attempt], pattern: &str) -> Vec<&'a Attempt> {
    all.iter().filter(|attempt| fits(&attempt.name, pattern)).collect()
}

pub(crate) fn fits(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |beginning| name.starts_with(beginning))
}
