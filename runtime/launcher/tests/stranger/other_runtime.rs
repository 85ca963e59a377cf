//! The same probe in the same configuration under runc, so that a check which only fits our launcher is noticed.

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::Trial;
use matrixos_runtime::seccomp::profile;
use serde::de::DeserializeOwned;

use crate::common::House;
use crate::common::probe::{Attempt, Call, first, parse};
use crate::filter::number;
use crate::runs::{CALLS, MARKER, REACH};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("runc_comes_to_the_same_outcomes", attempts), trial("runc_allows_the_same_system_calls", calls)]
}

/// The one written difference: for calls newer than the newest that the profile names, runc answers ENOSYS, so that
/// programs fall back, and libcontainer EPERM. To the probe ENOSYS looks like a call that passes.
fn newest_in_profile() -> Option<i32> {
    profile().rules.iter().flat_map(|rule| &rule.names).filter_map(|name| number(name)).max()
}

fn under_runc<T: DeserializeOwned>(house: &House, arguments: &str) -> Vec<T> {
    house.install_probe();
    let launch = house.person(1, &format!("exec {} </dev/null >out 2>&1", first(arguments)));
    house.plant_setuid(&launch);
    house.bundle(&launch).runc(&["run"]);
    parse(&fs::read_to_string(house.home(&launch).join("out")).unwrap())
}

fn attempts() {
    let house = House::new();
    let mut theirs: Vec<Attempt> = under_runc(&house, "kernel");
    theirs.extend(under_runc::<Attempt>(&house, &format!("status {MARKER}")));
    let pair = |a: &Attempt| (a.name.clone(), a.outcome.clone());
    let ours: BTreeSet<_> = REACH.iter().map(pair).collect();
    let theirs: BTreeSet<_> = theirs.iter().map(pair).collect();
    let wrong: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(wrong.is_empty(), "only under one of the two: {wrong:#?}");
}

fn calls() {
    let theirs: Vec<Call> = under_runc(&House::new(), "syscalls");
    assert_eq!(theirs.len(), CALLS.len());
    let newest = newest_in_profile();
    let differ = |(a, b): &(&Call, &Call)| a != b && Some(a.number) <= newest;
    let wrong: Vec<_> = CALLS.iter().zip(&theirs).filter(differ).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
