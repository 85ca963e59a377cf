//! What the host sees of a container: mounts, descriptors, devices, groups, and that nothing has changed outside.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use libtest_mimic::Trial;
use matrixos_runtime::cgroups::{self, Layout};

use crate::common::probe::Attempt;
use crate::common::{House, until};
use crate::runs::{OURS, matching};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("every_mount_is_one_of_the_list_with_its_options", mounts),
        trial("mounts_name_no_other_user_and_no_secret", mounts_name_nobody),
        trial("the_host_is_unchanged_after_all_attempts", host_unchanged),
        trial("the_first_process_holds_nothing_of_the_host_but_its_log", first_process),
        trial("every_process_stays_in_its_control_groups", groups),
        trial("the_groups_limits_are_those_of_the_plan", limits),
        trial("only_harmless_devices_may_be_opened", devices),
    ]
}

/// Mount points (a star stands for any end) and the options each must have.
const MOUNTS: &[(&str, &[&str])] = &[
    ("/", &["ro"]),
    ("/proc", &["nosuid", "nodev", "noexec"]),
    ("/dev", &["nosuid", "noexec"]),
    ("/dev/pts", &["nosuid", "noexec"]),
    ("/dev/shm", &["nosuid", "nodev", "noexec"]),
    ("/dev/mqueue", &["nosuid", "nodev", "noexec"]),
    ("/tmp", &["nosuid", "nodev"]),
    ("/var/tmp", &["nosuid", "nodev"]),
    ("/run", &["nosuid", "nodev"]),
    ("/home/matrixos", &["nosuid", "nodev"]),
    ("/dev/null", &[]),
    ("/dev/zero", &[]),
    ("/dev/full", &[]),
    ("/dev/tty", &[]),
    ("/dev/random", &[]),
    ("/dev/urandom", &[]),
    ("/proc/bus", &["ro"]),
    ("/proc/fs", &["ro"]),
    ("/proc/irq", &["ro"]),
    ("/proc/sys", &["ro"]),
    ("/proc/sysrq-trigger", &["ro"]),
];

/// The masks: an empty read-only folder, or `/dev/null`.
const MASKS: &[&str] = &[
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
];

fn mounts() {
    let seen = matching(&OURS, "mount /*");
    for attempt in &seen {
        let point = attempt.name.trim_start_matches("mount ");
        let options: Vec<_> = attempt.outcome.split(',').collect();
        if let Some((_, wanted)) = MOUNTS.iter().find(|(p, _)| *p == point) {
            assert!(wanted.iter().all(|w| options.contains(w)), "{attempt:?} has not {wanted:?}");
        } else {
            assert!(MASKS.contains(&point), "a mount that nobody asked for: {attempt:?}");
            assert!(options.contains(&"ro") || attempt.detail.starts_with("/null "), "no mask: {attempt:?}");
        }
    }
    let mounted = |point: &str| seen.iter().any(|a| a.name == format!("mount {point}"));
    for point in MOUNTS.iter().map(|(p, _)| p).chain(MASKS) {
        // What the running kernel does not have cannot be masked.
        assert!(mounted(point) || !Path::new(point).exists(), "{point} is not mounted");
    }
}

/// A bind mount shows its path within the host's file system; it may name the owner's tree and the image, no more.
fn mounts_name_nobody() {
    let seen = matching(&OURS, "mount /*");
    assert!(seen.iter().all(|a| !a.detail.contains("a-secret")));
    let roots: Vec<_> =
        seen.iter().filter_map(|a| a.detail.split(' ').next()).filter(|r| r.matches('/').count() > 1).collect();
    assert!(roots.iter().all(|r| r.ends_with("/users/user1/matrixos") || r.contains("/images/roots/")), "{roots:?}");
    assert!(roots.len() <= 2, "{roots:?}");
}

const SETTINGS: &[&str] = &[
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/randomize_va_space",
    "/proc/modules",
    "/proc/swaps",
];

fn host_unchanged() {
    let settings = || SETTINGS.iter().map(|path| fs::read(path).ok()).collect::<Vec<_>>();
    let house = House::new();
    // What the launcher's links and firewall need of the kernel is loaded with the first container.
    house.run(1, "true");
    let (before, modules_before) = (settings(), modules());
    let (wall, steady) = (SystemTime::now(), Instant::now());
    let attempts: Vec<Attempt> = house.probe(1, "kernel");
    assert!(attempts.len() > 100);
    let drift = wall.elapsed().unwrap().abs_diff(steady.elapsed());
    assert!(drift < Duration::from_millis(200), "the clock was set: {drift:?}");
    assert!(before == settings(), "a setting of the host has changed");
    assert_eq!(modules(), modules_before, "a computer made the kernel load something");
    // Others may mount things meanwhile; what counts is that nothing of this installation shows outside.
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let ours = [house.folder.path(), &house.config.run].map(|path| path.display().to_string());
    assert!(!ours.iter().any(|path| mounts.contains(path)), "a mount has escaped: {mounts}");
    let odd = special_files(&house.home(&house.person(1, "")));
    assert!(odd.is_empty(), "special files in the home: {odd:?}");
}

/// The names of the loaded modules: how often each is in use changes all the time.
fn modules() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/modules").unwrap_or_default();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn special_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let special = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_block_device() || t.is_char_device()));
    special.map(|e| e.path()).collect()
}

/// The gateway's place: a container whose first process waits.
fn waiting(house: &House) -> (matrixos_runtime::protocol::Launch, i32) {
    house.install_probe();
    let launch = house.person(1, "exec /bin/probe first /bin/sh -c 'sleep 300 & sleep 300'");
    let (running, _) = house.launch(&launch).unwrap();
    until("its children run", || processes(house, &launch).len() >= 3);
    (launch, running.identity.pid)
}

fn processes(house: &House, launch: &matrixos_runtime::protocol::Launch) -> Vec<i32> {
    let group = house.config.groups.group(&launch.container);
    let folder = Layout::of_host().directory(Path::new(cgroups::ROOT), "pids", &group);
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn first_process() {
    let house = House::new();
    let (launch, pid) = waiting(&house);
    let mut open: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .map(|e| (e.file_name().into_string().unwrap(), fs::read_link(e.path()).unwrap()))
        .collect();
    open.sort();
    let log = house.config.run.join("containers").join(launch.container.as_str()).join("log");
    let expected = [("0", Path::new("/dev/null")), ("1", &log), ("2", &log)];
    let expected: Vec<_> = expected.map(|(number, path)| (number.to_owned(), path.to_owned())).into();
    assert_eq!(open, expected);
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let names: Vec<_> = environment
        .split(|b| *b == 0)
        .filter_map(|v| String::from_utf8_lossy(v).split_once('=').map(|(n, _)| n.to_owned()))
        .collect();
    assert!(!names.iter().any(|n| n.starts_with("LISTEN_") || n == "MATRIXOS_LAUNCHER"), "{names:?}");
}

fn groups() {
    let house = House::new();
    let (launch, pid) = waiting(&house);
    let group = house.config.groups.group(&launch.container);
    for process in processes(&house, &launch).into_iter().chain([pid]) {
        let text = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap();
        // `number:controllers:path`. Beside version 1 controllers there may be hierarchies that limit nothing.
        let limits =
            |line: &&str| Layout::of_host() == Layout::Unified || !line.starts_with("0::") && !line.contains(":name=");
        let outside: Vec<_> = text.lines().filter(limits).filter(|l| !l.ends_with(&format!(":{group}"))).collect();
        assert!(text.contains(&group));
        assert!(outside.is_empty(), "process {process} is outside of {group}: {outside:?}");
    }
}

/// Controller and file on either layout, and what it must say for the default limits.
fn limits() {
    let house = House::new();
    let (launch, _) = waiting(&house);
    let group = house.config.groups.group(&launch.container);
    let (memory, pids) = (launch.limits.memory.0.to_string(), launch.limits.pids.to_string());
    let quota = (launch.limits.cpu_milli * 100).to_string();
    let expected: Vec<(&str, &str, String)> = match Layout::of_host() {
        Layout::Unified => vec![
            ("memory", "memory.max", memory),
            ("memory", "memory.swap.max", "0".to_owned()),
            ("pids", "pids.max", pids),
            ("cpu", "cpu.max", format!("{quota} 100000")),
        ],
        Layout::PerController => vec![
            ("memory", "memory.limit_in_bytes", memory.clone()),
            ("memory", "memory.memsw.limit_in_bytes", memory),
            ("pids", "pids.max", pids),
            ("cpu", "cpu.cfs_quota_us", quota),
        ],
    };
    for (controller, file, value) in expected {
        let path = Layout::of_host().directory(Path::new(cgroups::ROOT), controller, &group).join(file);
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), value, "{file}");
    }
}

/// Version 1 shows its list; on a unified host a program of the kernel decides, which only an attempt can show.
fn devices() {
    let house = House::new();
    let (launch, _) = waiting(&house);
    if Layout::of_host() == Layout::Unified {
        return;
    }
    let group = house.config.groups.group(&launch.container);
    let folder = Layout::of_host().directory(Path::new(cgroups::ROOT), "devices", &group);
    let text = fs::read_to_string(folder.join("devices.list")).unwrap();
    // libcontainer 0.7 adds, whatever the configuration says: making any node, the console, and tun. None of them can
    // be reached: mknod is refused twice, and the container has no such node.
    let added = ["b *:* m", "c *:* m", "c 5:1 rwm", "c 10:200 rwm"];
    let harmless = ["c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:2", "c 136:*"];
    for line in text.lines() {
        assert!(added.contains(&line) || harmless.iter().any(|h| line.starts_with(h)), "{line}");
    }
    assert!(!text.contains("a *:*") && text.contains("c 1:3"), "{text}");
}
