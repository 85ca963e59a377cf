//! The system calls of a computer: `packaging/seccomp.json`, turned into the OCI profile of the native architecture.

use serde::Deserialize;
use serde_json::{Value, json};

const MASKED_EQ: &str = "SCMP_CMP_MASKED_EQ";

const PROFILE: &str = include_str!("../../packaging/seccomp.json");

/// The reviewed profile, as written.
#[derive(Debug, Deserialize)]
pub struct Profile {
    /// In order; a call that no rule names fails with EPERM.
    pub rules: Vec<Rule>,
}

/// One rule of the profile.
#[derive(Debug, Deserialize)]
pub struct Rule {
    /// What needs it.
    pub why: String,
    /// System calls by name.
    pub names: Vec<String>,
    /// Conditions on the arguments, in the OCI form; all must hold.
    #[serde(default)]
    pub args: Vec<Value>,
    /// The calls are allowed unless this argument has this value.
    pub unless: Option<Unless>,
    /// Instead of allowing the calls, fail them with this error number.
    pub errno: Option<u32>,
}

/// An argument of 32 bits (the kernel ignores the others) that must not have a value.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Unless {
    /// Which argument, from 0.
    pub index: u32,
    /// The forbidden value.
    pub value: u32,
}

/// Parses the profile that is built into this program.
pub fn profile() -> Profile {
    serde_json::from_str(PROFILE).expect("the built-in profile is checked by a test")
}

/// The profile as the `linux.seccomp` object of the OCI runtime specification.
pub fn oci() -> Value {
    let rules: Vec<Value> = profile().rules.iter().flat_map(rules).collect();
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": [native()],
        "syscalls": rules,
    })
}

/// The rule in the OCI form, which is several where a value is excepted.
fn rules(rule: &Rule) -> Vec<Value> {
    match rule.unless {
        None => vec![oci_rule(rule, &rule.args)],
        Some(unless) => differing_bits(unless).map(|arg| oci_rule(rule, &[arg])).collect(),
    }
}

/// "Is not" for 32 bits of an argument. The filter's own comparison is of all 64 bits, so that a bit beyond would pass
/// it. A number differs from another exactly if one of its bits does: one condition for each, any of which allows.
fn differing_bits(unless: Unless) -> impl Iterator<Item = Value> {
    (0..32).map(move |bit| {
        let (mask, other) = (1_u32 << bit, !unless.value & (1 << bit));
        json!({ "index": unless.index, "value": mask, "valueTwo": other, "op": MASKED_EQ })
    })
}

fn oci_rule(rule: &Rule, args: &[Value]) -> Value {
    let mut value = json!({ "names": rule.names, "action": "SCMP_ACT_ALLOW" });
    if let Some(errno) = rule.errno {
        value["action"] = json!("SCMP_ACT_ERRNO");
        value["errnoRet"] = json!(errno);
    }
    if !args.is_empty() {
        value["args"] = json!(args);
    }
    value
}

/// libcontainer 0.7 takes the two values of a masked comparison the wrong way round: it would compare no bit with
/// nothing, which allows everything. This turns them in a `linux.seccomp` object, so that what it loads is what is
/// written. The launcher's test of every system call fails on the day that libcontainer is corrected.
pub(crate) fn turn_masks(seccomp: &mut Value) {
    let rules = seccomp["syscalls"].as_array_mut().into_iter().flatten();
    for arg in rules.filter_map(|rule| rule["args"].as_array_mut()).flatten().filter(|arg| arg["op"] == MASKED_EQ) {
        let (mask, value) = (arg["value"].take(), arg["valueTwo"].take());
        (arg["value"], arg["valueTwo"]) = (value, mask);
    }
}

/// One architecture only: each further one lengthens the filter that every system call runs through.
fn native() -> &'static str {
    if cfg!(target_arch = "aarch64") { "SCMP_ARCH_AARCH64" } else { "SCMP_ARCH_X86_64" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excepted_value_is_the_only_one_that_no_condition_matches() {
        let unless = Unless { index: 1, value: 0x5412 };
        let passes = |number: u64| {
            differing_bits(unless).any(|arg| {
                let field = |name: &str| arg[name].as_u64().expect("a number");
                number & field("value") == field("valueTwo")
            })
        };
        assert!(!passes(0x5412) && !passes(0x1_0000_5412));
        assert!((0..0x2_0000).filter(|n| *n != 0x5412).all(passes) && passes(0xffff_ffff));
    }

    #[test]
    fn every_rule_has_a_reason_and_no_call_that_reaches_beyond_the_container_is_allowed() {
        let allowed: Vec<_> = profile().rules.into_iter().filter(|r| r.errno.is_none()).collect();
        assert!(allowed.iter().all(|r| r.why.len() > 3 && !r.names.is_empty()));
        let forbidden = [
            "mount",
            "umount2",
            "pivot_root",
            "fsopen",
            "fsmount",
            "fspick",
            "open_tree",
            "move_mount",
            "mount_setattr",
            "bpf",
            "perf_event_open",
            "userfaultfd",
            "keyctl",
            "add_key",
            "request_key",
            "ptrace",
            "process_vm_readv",
            "process_vm_writev",
            "kexec_load",
            "kexec_file_load",
            "init_module",
            "finit_module",
            "delete_module",
            "swapon",
            "swapoff",
            "clock_settime",
            "settimeofday",
            "adjtimex",
            "setns",
            "unshare",
            "reboot",
            "syslog",
            "acct",
            "quotactl",
            "open_by_handle_at",
            "pidfd_getfd",
            "kcmp",
            "iopl",
            "ioperm",
            "clone3",
            "io_uring_setup",
            "sethostname",
        ];
        for call in forbidden {
            assert!(!allowed.iter().any(|r| r.names.iter().any(|n| n == call)), "{call} is allowed");
        }
    }
}
