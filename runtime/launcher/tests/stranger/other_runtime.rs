//! The same probe in the same configuration under runc, so that a check which only fits our launcher is noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use libtest_mimic::Trial;
use serde::de::DeserializeOwned;

use crate::common::House;
use crate::common::probe::{Attempt, Call, first, parse};
use crate::runs::{CALLS, MARKER, OURS, fits};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("runc_comes_to_the_same_outcomes", attempts), trial("runc_allows_the_same_system_calls", calls)]
}

/// Attempts that may differ, and why.
const DIFFERENCES: &[(&str, &str)] = &[];

/// The newest call that the profile names (landlock_restrict_self). runc answers ENOSYS for newer ones, so that
/// programs fall back; libcontainer answers EPERM. To the probe ENOSYS looks like a call that passes.
const NEWEST_IN_PROFILE: i32 = 446;

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
    let by_name = |all: &[Attempt]| -> BTreeMap<String, String> {
        all.iter().map(|a| (a.name.clone(), a.outcome.clone())).collect()
    };
    let (ours, theirs) = (by_name(&OURS), by_name(&theirs));
    let from_limits: BTreeSet<_> = ours.keys().filter(|n| !theirs.contains_key(*n)).cloned().collect();
    let mut wrong: Vec<_> = theirs
        .iter()
        .filter(|(name, outcome)| ours.get(*name) != Some(*outcome))
        .filter(|(name, _)| !DIFFERENCES.iter().any(|(pattern, _)| fits(name, pattern)))
        .map(|(name, outcome)| format!("{name}: {outcome} under runc, {:?} here", ours.get(name)))
        .collect();
    wrong.extend(from_limits.iter().filter(|n| n.starts_with("mount ")).map(|n| format!("{n}: only here")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn calls() {
    let theirs: Vec<Call> = under_runc(&House::new(), "syscalls");
    assert_eq!(theirs.len(), CALLS.len());
    let differ = |(a, b): &(&Call, &Call)| a != b && a.number <= NEWEST_IN_PROFILE;
    let wrong: Vec<_> = CALLS.iter().zip(&theirs).filter(differ).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
