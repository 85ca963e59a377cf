//! The system calls a container may make: an allow-list, reviewed as `packaging/seccomp.json` and compiled in.

use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompBuilder,
    LinuxSeccompOperator, LinuxSyscall, LinuxSyscallBuilder,
};
use serde::Deserialize;

const TEXT: &str = include_str!("../../packaging/seccomp.json");
/// `EPERM` of errno(3): forbidden.
const FORBIDDEN: u32 = 1;
/// `ENOSYS` of errno(3): programs fall back as on an older kernel.
const NOT_THERE: u32 = 38;

/// The reviewed list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the file is, for its reader.
    pub about: String,
    /// Calls that are let through.
    pub allow: Vec<Rule>,
    /// Calls that fail as if the kernel did not have them.
    pub absent: Vec<Rule>,
}

/// Some calls, and why they are in the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The reason.
    pub why: String,
    /// Names of system calls.
    pub calls: Vec<String>,
    /// A condition on an argument.
    pub when: Option<Condition>,
    /// A second one that must hold as well.
    pub and: Option<Condition>,
}

/// `argument & mask == equals`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Number of the argument, from 0.
    pub argument: usize,
    /// Bits that are looked at; all of them if absent.
    pub mask: Option<u64>,
    /// What they must be.
    pub equals: u64,
}

impl Profile {
    /// The profile that is compiled in.
    pub fn reviewed() -> Self {
        serde_json::from_str(TEXT).expect("a test parses the compiled-in file")
    }

    /// The profile as a container runtime takes it, for this machine's own architecture: system calls of any other
    /// one (int 0x80, x32) end the process.
    pub fn filter(&self) -> Result<LinuxSeccomp, OciSpecError> {
        let allowed = self.allow.iter().map(|rule| rule.syscall(LinuxSeccompAction::ScmpActAllow, None));
        let absent = self.absent.iter().map(|rule| rule.syscall(LinuxSeccompAction::ScmpActErrno, Some(NOT_THERE)));
        LinuxSeccompBuilder::default()
            .default_action(LinuxSeccompAction::ScmpActErrno)
            .default_errno_ret(FORBIDDEN)
            .architectures(vec![native()])
            .syscalls(allowed.chain(absent).collect::<Result<Vec<_>, _>>()?)
            .build()
    }
}

impl Rule {
    fn syscall(&self, action: LinuxSeccompAction, errno: Option<u32>) -> Result<LinuxSyscall, OciSpecError> {
        let mut syscall = LinuxSyscallBuilder::default().names(self.calls.clone()).action(action);
        if let Some(errno) = errno {
            syscall = syscall.errno_ret(errno);
        }
        let conditions = self.when.iter().chain(&self.and);
        let args = conditions.map(Condition::arg).collect::<Result<Vec<_>, _>>()?;
        if args.is_empty() { syscall.build() } else { syscall.args(args).build() }
    }
}

impl Condition {
    fn arg(&self) -> Result<LinuxSeccompArg, OciSpecError> {
        let arg = LinuxSeccompArgBuilder::default().index(self.argument);
        match self.mask {
            Some(mask) => arg.value(mask).value_two(self.equals).op(LinuxSeccompOperator::ScmpCmpMaskedEq).build(),
            None => arg.value(self.equals).op(LinuxSeccompOperator::ScmpCmpEq).build(),
        }
    }
}

/// One architecture only: each further one costs 6 ms at every start, and is attack surface.
fn native() -> Arch {
    if cfg!(target_arch = "aarch64") { Arch::ScmpArchAarch64 } else { Arch::ScmpArchX86_64 }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_rule_of_the_profile_says_why() {
        let profile = Profile::reviewed();
        for rule in profile.allow.iter().chain(&profile.absent) {
            assert!(rule.why.len() > 4 && !rule.calls.is_empty(), "{rule:?}");
            assert!(rule.calls.is_sorted(), "sorted lists are easier to review: {:?}", rule.calls);
        }
        assert!(profile.filter().is_ok());
    }

    #[test]
    fn the_profile_lets_no_dangerous_call_through() {
        let profile = Profile::reviewed();
        let allowed: HashSet<&str> = profile.allow.iter().flat_map(|r| &r.calls).map(String::as_str).collect();
        let dangerous = [
            "mount",
            "umount2",
            "pivot_root",
            "fsopen",
            "fsconfig",
            "fsmount",
            "fspick",
            "move_mount",
            "open_tree",
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
            "clock_adjtime",
            "unshare",
            "setns",
            "clone3",
            "io_uring_setup",
            "open_by_handle_at",
            "pidfd_getfd",
            "kcmp",
            "syslog",
            "reboot",
            "acct",
            "quotactl",
            "iopl",
            "ioperm",
            "modify_ldt",
            "chroot",
            "sethostname",
            "setdomainname",
            "vhangup",
            "nfsservctl",
            "lookup_dcookie",
            "fanotify_init",
            "name_to_handle_at",
            "memfd_secret",
        ];
        for call in dangerous {
            assert!(!allowed.contains(call), "{call}");
        }
        for conditional in ["clone", "socket", "socketpair", "mknod", "mknodat", "personality"] {
            let mut rules = profile.allow.iter().filter(|r| r.calls.iter().any(|c| c == conditional));
            assert!(rules.all(|r| r.when.is_some()), "{conditional} is allowed without a condition");
        }
    }

    #[test]
    fn clone_may_not_make_a_namespace() {
        let profile = Profile::reviewed();
        let rule = profile.allow.iter().find(|r| r.calls == ["clone"]).expect("a rule for clone");
        let when = rule.when.as_ref().expect("a condition");
        for namespace in [0x0002_0000_u64, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
        {
            assert_eq!(when.mask.expect("a mask") & namespace, namespace, "{namespace:#x}");
        }
        assert_eq!((when.argument, when.equals), (0, 0));
    }
}
