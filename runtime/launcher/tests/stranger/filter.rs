//! For every system call: what the container allows is what `packaging/seccomp.json` says, no more and no less. The
//! file is read here in a way of its own, so that a mistake in its translation shows.

use libseccomp::ScmpSyscall;
use libtest_mimic::Trial;
use matrixos_runtime::seccomp::{Rule, profile};

use crate::common::probe::Call;
use crate::runs::CALLS;
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("every_system_call_is_allowed_or_refused_as_the_profile_says", every_call),
        trial("the_profile_names_only_calls_that_exist", names_exist),
    ]
}

/// The kernel lets `uretprobe` and `uprobe` pass every filter, since tracing tools plant them into programs that know
/// nothing of it (Linux 6.14); outside of such a place they end the caller or fail.
#[cfg(target_arch = "x86_64")]
const BEYOND_ANY_FILTER: &[i32] = &[335, 336];
#[cfg(not(target_arch = "x86_64"))]
const BEYOND_ANY_FILTER: &[i32] = &[];

fn every_call() {
    let rules = profile().rules;
    let mut wrong = Vec::new();
    for call in CALLS.iter().filter(|call| !BEYOND_ANY_FILTER.contains(&call.number)) {
        let expected = expected(&rules, call);
        if call.outcome != expected {
            wrong.push(format!("{} {:x?}: {}, not {expected}", call.number, call.args, call.outcome));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(CALLS.len() > 700 && CALLS.iter().any(|c| c.outcome == "allowed"));
}

/// Allowed if any rule allows it, else what the rule says that names it, else EPERM.
fn expected(rules: &[Rule], call: &Call) -> &'static str {
    let named = || rules.iter().filter(|r| r.names.iter().any(|n| number(n) == Some(call.number)) && fits(r, call));
    match named().find(|rule| rule.errno.is_none()).or_else(|| named().next()).map(|rule| rule.errno) {
        Some(None) => "allowed",
        Some(Some(38)) => "ENOSYS",
        Some(Some(other)) => panic!("name the error {other} here"),
        None => "EPERM",
    }
}

fn fits(rule: &Rule, call: &Call) -> bool {
    let holds = |arg: &serde_json::Value| {
        let field = |name: &str| arg[name].as_u64().unwrap();
        let actual = call.args[usize::try_from(field("index")).unwrap()];
        match arg["op"].as_str().unwrap() {
            "SCMP_CMP_EQ" => actual == field("value"),
            "SCMP_CMP_MASKED_EQ" => actual & field("value") == field("valueTwo"),
            other => panic!("teach this test {other}"),
        }
    };
    let excepted = rule.unless.is_some_and(|unless| call.args[unless.index as usize] as u32 == unless.value);
    rule.args.iter().all(holds) && !excepted
}

/// The number of a call on this architecture. Names of other architectures have pretended, negative numbers.
pub(crate) fn number(name: &str) -> Option<i32> {
    ScmpSyscall::from_name(name).ok().map(|call| call.as_raw_syscall()).filter(|number| *number >= 0)
}

/// A misspelt name would be skipped by the runtime in silence.
fn names_exist() {
    for rule in profile().rules {
        for name in &rule.names {
            assert!(ScmpSyscall::from_name(name).is_ok(), "{name}, for {}", rule.why);
        }
    }
}
