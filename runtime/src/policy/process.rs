//! The first process of a container: who it is, what it knows, and what it may never have.

use std::collections::HashSet;

use matrixos_types::computer::{DOMAIN_ENV, GATEWAY_PATH, HANDLE_ENV, HOME, HOME_ID, TOKEN_ENV};
use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Capability, LinuxCapabilities, LinuxCapabilitiesBuilder, PosixRlimit, PosixRlimitBuilder, PosixRlimitType, Process,
    ProcessBuilder, User, UserBuilder,
};

use super::Ground;
use crate::protocol::Launch;

/// Programs of one's own come first.
const PATH: &str = "/home/matrixos/.local/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin";
/// Of -1000 to 1000 (proc(5)): when the whole machine runs out of memory, computers end before the platform does.
const OOM_SCORE: i32 = 300;

/// A resource limit of every process, see getrlimit(2).
#[derive(Clone, Copy, Debug)]
pub struct Rlimit {
    /// Which resource.
    pub typ: PosixRlimitType,
    /// The soft limit.
    pub soft: u64,
    /// The hard limit.
    pub hard: u64,
}

/// Resource limits that do not depend on the size of the container: open files; locked memory, POSIX message queues
/// and pending signals, which the kernel counts per user; no core files, no real-time priority, no raised priority.
pub const RLIMITS: [Rlimit; 7] = [
    Rlimit { typ: PosixRlimitType::RlimitNofile, soft: 16_384, hard: 65_536 },
    Rlimit { typ: PosixRlimitType::RlimitMemlock, soft: 8 << 20, hard: 8 << 20 },
    Rlimit { typ: PosixRlimitType::RlimitMsgqueue, soft: 819_200, hard: 819_200 },
    Rlimit { typ: PosixRlimitType::RlimitSigpending, soft: 4_096, hard: 4_096 },
    Rlimit { typ: PosixRlimitType::RlimitCore, soft: 0, hard: 0 },
    Rlimit { typ: PosixRlimitType::RlimitRtprio, soft: 0, hard: 0 },
    Rlimit { typ: PosixRlimitType::RlimitNice, soft: 0, hard: 0 },
];

/// The gateway, as its user, with nothing else.
pub(super) fn gateway(launch: &Launch, ground: &Ground) -> Result<Process, OciSpecError> {
    ProcessBuilder::default()
        .terminal(false)
        .user(owner()?)
        .args(vec![GATEWAY_PATH.to_owned()])
        .env(environment(launch, ground))
        .cwd(HOME)
        .no_new_privileges(true)
        .capabilities(no_capabilities()?)
        .rlimits(RLIMITS.iter().map(rlimit).collect::<Result<Vec<_>, _>>()?)
        .oom_score_adj(OOM_SCORE)
        .build()
}

fn owner() -> Result<User, OciSpecError> {
    // Naming the one group makes libcontainer call setgroups; an empty list would leave the launcher's groups.
    UserBuilder::default().uid(HOME_ID).gid(HOME_ID).additional_gids(vec![HOME_ID]).umask(0o022_u32).build()
}

fn environment(launch: &Launch, ground: &Ground) -> Vec<String> {
    let all = [
        ("PATH", PATH),
        ("HOME", HOME),
        ("USER", "matrixos"),
        ("LANG", "C.UTF-8"),
        ("TERM", "xterm-256color"),
        (TOKEN_ENV, launch.token.0.as_str()),
        (HANDLE_ENV, launch.handle.as_str()),
        (DOMAIN_ENV, ground.domain.as_str()),
    ];
    all.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn no_capabilities() -> Result<LinuxCapabilities, OciSpecError> {
    let none = HashSet::<Capability>::new;
    LinuxCapabilitiesBuilder::default()
        .bounding(none())
        .effective(none())
        .inheritable(none())
        .permitted(none())
        .ambient(none())
        .build()
}

fn rlimit(limit: &Rlimit) -> Result<PosixRlimit, OciSpecError> {
    PosixRlimitBuilder::default().typ(limit.typ).soft(limit.soft).hard(limit.hard).build()
}
