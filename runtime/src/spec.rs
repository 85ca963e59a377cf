//! Policy in, confined container out: the OCI runtime configuration of a computer, as a pure function.

use std::net::SocketAddrV4;
use std::path::PathBuf;

use matrixos_types::computer::{
    API_KEY_ENV, API_URL_ENV, DOMAIN_ENV, GATEWAY_PATH, HANDLE_ENV, HOME, HOME_ID, TOKEN_ENV,
};
use matrixos_types::{Bytes, DiskShare, Seat};
use oci_spec::runtime::Spec;
use serde_json::{Value, json};

use crate::cgroups::Layout;
use crate::protocol::{Launch, Limits};
use crate::seccomp;

/// A value that was made by the confining function of this module and has not been changed since.
#[derive(Clone, Debug, PartialEq)]
pub struct Confined<T>(T);

impl<T> Confined<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }
}

impl Confined<Spec> {
    /// The same configuration in libcontainer's reading.
    pub fn for_libcontainer(&self) -> Spec {
        let mut value = serde_json::to_value(&self.0).expect("plain data");
        seccomp::turn_masks(&mut value["linux"]["seccomp"]);
        serde_json::from_value(value).expect("only numbers have changed places")
    }
}

/// Where the parts of one container lie on the host, and how the host counts.
#[derive(Clone, Debug)]
pub struct Place {
    /// Root of the unpacked image; shared by all containers, mounted read-only.
    pub image_root: PathBuf,
    /// The user's tree; becomes the home.
    pub home: PathBuf,
    /// True if the kernel holds the home to its share of the disk.
    pub disk_is_held: bool,
    /// Control group, absolute within the hierarchy.
    pub group: String,
    /// Layout of the host's control groups.
    pub layout: Layout,
    /// The domain below which the computer has its name.
    pub domain: String,
    /// The platform's door for computers on this one's bridge, if it has one.
    pub services: Option<SocketAddrV4>,
}

/// The limits, brought into the range that the protocol documents.
pub fn clamp(limits: Limits) -> Limits {
    let disk = limits.disk.bytes.0.clamp(16 << 20, 16 << 40);
    Limits {
        memory: Bytes(limits.memory.0.clamp(64 << 20, 64 << 30)),
        cpu_milli: limits.cpu_milli.clamp(50, 64_000),
        pids: limits.pids.clamp(16, 32_768),
        disk: DiskShare { bytes: Bytes(disk), inodes: limits.disk.inodes.clamp(1_024, disk / 4_096) },
    }
}

/// The configuration of a user's container (OCI runtime specification 1.2, `config.json`): its own user namespace and
/// every other one, no capability, no new privileges, a system-call allow-list, a read-only root, and hard limits.
pub fn confine(launch: &Launch, place: &Place) -> Confined<Spec> {
    let limits = clamp(launch.limits);
    let value = json!({
        "ociVersion": "1.2.0",
        "root": { "path": place.image_root, "readonly": true },
        "hostname": launch.handle,
        "process": process(launch, place, limits),
        "mounts": mounts(place, limits),
        "linux": linux(launch.seat, place, limits),
    });
    Confined(serde_json::from_value(value).expect("the shape is fixed; golden files keep it"))
}

fn process(launch: &Launch, place: &Place, limits: Limits) -> Value {
    let mut env = vec![
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin".to_owned(),
        format!("HOME={HOME}"),
        "USER=matrixos".to_owned(),
        "SHELL=/bin/bash".to_owned(),
        "LANG=C.UTF-8".to_owned(),
        format!("{HANDLE_ENV}={}", launch.handle),
        format!("{DOMAIN_ENV}={}", place.domain),
        format!("{TOKEN_ENV}={}", launch.token.0),
        format!("MATRIX_MEMORY_LIMIT={}", limits.memory.0),
        format!("MATRIX_CPU_MILLI={}", limits.cpu_milli),
    ];
    if let Some(services) = place.services {
        env.push(format!("{API_URL_ENV}=http://{services}"));
        env.push(format!("{API_KEY_ENV}={}", launch.credential.0));
    }
    if place.disk_is_held {
        env.push(format!("MATRIX_DISK_LIMIT={}", limits.disk.bytes.0));
    }
    json!({
        "terminal": false,
        "user": { "uid": HOME_ID, "gid": HOME_ID, "umask": 0o022 },
        "args": [GATEWAY_PATH],
        "env": env,
        "cwd": HOME,
        "noNewPrivileges": true,
        "capabilities": { "bounding": [], "effective": [], "inheritable": [], "permitted": [], "ambient": [] },
        // Tenants are killed before the platform when the whole machine runs out of memory.
        "oomScoreAdj": 500,
        "rlimits": [
            { "type": "RLIMIT_NOFILE", "soft": 8192, "hard": 8192 },
            { "type": "RLIMIT_CORE", "soft": 0, "hard": 0 },
            { "type": "RLIMIT_MEMLOCK", "soft": 65_536, "hard": 65_536 },
            // Linux's default: ten queues' worth of mq_open(3) without attributes.
            { "type": "RLIMIT_MSGQUEUE", "soft": 819_200, "hard": 819_200 },
            // A second wall behind the control group's: every seat has user ids of its own, so it is counted per seat.
            { "type": "RLIMIT_NPROC", "soft": limits.pids, "hard": limits.pids },
            { "type": "RLIMIT_SIGPENDING", "soft": 1024, "hard": 1024 },
        ],
    })
}

/// No `/sys` at all: nothing a computer does needs it, and it tells much about the host.
///
/// What lies on a tmpfs counts as memory and outlives its writer, so all of them together leave a quarter of the
/// memory for programs: a full `/tmp` must not end the gateway.
fn mounts(place: &Place, limits: Limits) -> Value {
    let part = |of: u64| format!("size={}k", limits.memory.0 / of / 1024);
    let tmpfs = |at: &str, more: &[&str]| {
        let options: Vec<_> = ["nosuid", "nodev"].iter().chain(more).copied().collect();
        json!({ "destination": at, "type": "tmpfs", "source": "tmpfs", "options": options })
    };
    json!([
        { "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"] },
        { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "noexec", "strictatime", "mode=755", "size=64k"] },
        // Pseudo-terminals are counted for the whole machine (kernel.pty.max): one computer must not take them all.
        { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", "max=256"] },
        tmpfs("/dev/shm", &["noexec", "mode=1777", &part(8), "nr_inodes=4k"]),
        { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] },
        tmpfs("/tmp", &["mode=1777", &part(2), "nr_inodes=16k"]),
        tmpfs("/var/tmp", &["mode=1777", &part(8), "nr_inodes=16k"]),
        tmpfs("/run", &["mode=755", "size=16m", "nr_inodes=4k"]),
        { "destination": HOME, "type": "bind", "source": place.home, "options": ["bind", "rw", "nosuid", "nodev"] },
    ])
}

fn linux(seat: Seat, place: &Place, limits: Limits) -> Value {
    let ids = json!([{ "containerID": 0, "hostID": seat.first_id(), "size": Seat::ID_RANGE }]);
    let namespaces: Vec<_> =
        ["user", "pid", "network", "mount", "ipc", "uts", "cgroup"].map(|kind| json!({ "type": kind })).into();
    json!({
        "namespaces": namespaces,
        "uidMappings": ids,
        "gidMappings": ids,
        "cgroupsPath": place.group,
        "resources": resources(place.layout, limits),
        "seccomp": seccomp::oci(),
        "maskedPaths": MASKED,
        "readonlyPaths": READ_ONLY,
    })
}

fn resources(layout: Layout, limits: Limits) -> Value {
    let mut resources = json!({
        "devices": devices(),
        "memory": { "limit": limits.memory.0, "swap": limits.memory.0 },
        "cpu": { "quota": u64::from(limits.cpu_milli) * 100, "period": 100_000 },
        "pids": { "limit": limits.pids },
    });
    if layout == Layout::Unified {
        // On this layout `swap` counts memory and swap together and libcontainer 0.7 leaves equal values as "max".
        resources["unified"] = json!({ "memory.swap.max": "0" });
    }
    resources
}

/// Nothing but the devices every program expects (runtime specification, "Default Devices").
fn devices() -> Value {
    let node = |major: u32, minor: Option<u32>| match minor {
        Some(minor) => json!({ "allow": true, "type": "c", "major": major, "minor": minor, "access": "rw" }),
        None => json!({ "allow": true, "type": "c", "major": major, "access": "rw" }),
    };
    let null_zero_full_random_urandom = [3, 5, 7, 8, 9].map(|minor| node(1, Some(minor)));
    let tty_ptmx_pts = [node(5, Some(0)), node(5, Some(2)), node(136, None)];
    let mut rules = vec![json!({ "allow": false, "access": "rwm" })];
    rules.extend(null_zero_full_random_urandom.into_iter().chain(tty_ptmx_pts));
    json!(rules)
}

/// What of `/proc` says things about the host, its hardware, or how busy the neighbours are: Docker's list and a few more.
/// `/sys` is not mounted; its entries are for the day that somebody mounts it.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/cmdline",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/latency_stats",
    "/proc/modules",
    "/proc/pressure",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/softirqs",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/devices/system/cpu",
    "/sys/firmware",
];

/// What of `/proc` could change the host.
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
