//! The system calls of a computer: `packaging/seccomp.json`, turned into the OCI profile of the native architecture.

use serde::Deserialize;
use serde_json::{Value, json};

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
    /// Instead of allowing the calls, fail them with this error number.
    pub errno: Option<u32>,
}

/// Parses the profile that is built into this program.
pub fn profile() -> Profile {
    serde_json::from_str(PROFILE).expect("the built-in profile is checked by a test")
}

/// The profile as the `linux.seccomp` object of the OCI runtime specification.
pub fn oci() -> Value {
    let rules: Vec<Value> = profile().rules.iter().map(rule).collect();
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": [native()],
        "syscalls": rules,
    })
}

fn rule(rule: &Rule) -> Value {
    let mut value = json!({ "names": rule.names, "action": "SCMP_ACT_ALLOW" });
    if let Some(errno) = rule.errno {
        value["action"] = json!("SCMP_ACT_ERRNO");
        value["errnoRet"] = json!(errno);
    }
    if !rule.args.is_empty() {
        value["args"] = json!(rule.args);
    }
    value
}

/// One architecture only: each further one lengthens the filter that every system call runs through.
fn native() -> &'static str {
    if cfg!(target_arch = "aarch64") { "SCMP_ARCH_AARCH64" } else { "SCMP_ARCH_X86_64" }
}

#[cfg(test)]
mod tests {
    use super::*;

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
