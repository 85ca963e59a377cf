//! Containers that are frozen, and homes that are file systems of their own: nothing is lost by it and nothing left
//! behind. Against the real kernel; needs root, loop devices and Debian's busybox-static. `MATRIXOS_SOAK=1` takes a
//! thousand turns where otherwise a few dozen are taken.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use matrixos_runtime::protocol::Launch;
use matrixos_runtime::stats;
use matrixos_types::{Bytes, DiskQuota, DiskShare};
use nix::sched::{CloneFlags, unshare};

use common::{House, ends, until};

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("launcher") {
        return matrixos_launcher::run();
    }
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
    let mut arguments = Arguments::from_args();
    // They count what is left over on the machine, so they run one after the other.
    arguments.test_threads = Some(1);
    let tests: &[(&str, fn())] = &[
        ("a_frozen_container_stands_still_and_goes_on_where_it_was", frozen),
        ("a_frozen_container_can_be_taken_down", frozen_taken_down),
        ("a_frozen_container_outlives_the_launcher", frozen_outlives),
        ("a_home_of_its_own_is_held_to_its_share_and_kept", homes),
        ("a_home_in_use_survives_the_launcher", homes_outlive),
        ("turns_of_making_freezing_waking_and_removing_leave_nothing_behind", turns),
    ];
    let trials = tests.iter().map(|(name, test)| {
        Trial::test(*name, || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Writes ever higher numbers.
const COUNTING: &str = "i=0; while :; do i=$((i+1)); echo $i >n; done";

fn number(house: &House, launch: &Launch) -> u64 {
    // The file may be empty at the moment it is written anew.
    fs::read_to_string(house.home(launch).join("n")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn freeze(house: &House, launch: &Launch) {
    house.block(house.client().freeze(launch.container.clone())).expect("frozen");
}

fn thaw(house: &House, launch: &Launch) {
    house.block(house.client().thaw(launch.container.clone())).expect("thawed");
}

fn counts_on(house: &House, launch: &Launch) {
    let reached = number(house, launch);
    until("it counts on", || number(house, launch) > reached + 10);
}

fn frozen() {
    let house = House::new();
    let launch = house.person(1, COUNTING);
    let (running, _pidfd) = house.launch(&launch).expect("launched");
    counts_on(&house, &launch);
    freeze(&house, &launch);
    freeze(&house, &launch);
    assert!(stats::is_frozen(&house.config.groups, &launch.container));
    house.block(house.client().page_out(launch.container.clone())).expect("asked");
    let stood = number(&house, &launch);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(number(&house, &launch), stood, "it stands still");
    thaw(&house, &launch);
    thaw(&house, &launch);
    assert!(!stats::is_frozen(&house.config.groups, &launch.container));
    counts_on(&house, &launch);
    let observed = house.block(house.client().observe()).expect("observed");
    assert_eq!(observed[0].running, Some(running.identity), "the same process");
    house.take_down(&launch);
    house.block(house.client().freeze(launch.container.clone())).expect_err("there is nothing to freeze");
}

fn frozen_taken_down() {
    let house = House::new();
    let before = house.traces();
    let launch = house.person(2, "sleep 300 & sleep 300");
    let (_, pidfd) = house.launch(&launch).expect("launched");
    freeze(&house, &launch);
    house.take_down(&launch);
    assert!(ends(&pidfd, 5));
    assert_eq!(house.traces(), before);
}

fn frozen_outlives() {
    let mut house = House::new();
    let launch = house.person(3, COUNTING);
    let (running, _pidfd) = house.launch(&launch).expect("launched");
    counts_on(&house, &launch);
    freeze(&house, &launch);
    house.restart();
    let (again, _pidfd) = house.block(house.client().adopt(launch.container.clone())).expect("adopted");
    assert_eq!(again.identity, running.identity);
    assert!(stats::is_frozen(&house.config.groups, &launch.container));
    thaw(&house, &launch);
    counts_on(&house, &launch);
    house.take_down(&launch);
}

const SHARE: DiskShare = DiskShare { bytes: Bytes::mib(32), inodes: 1_024 };

/// Somebody whose home is a file system of its own. Their script runs from the start, since it moves into the image.
fn settler(house: &House, number: u16, script: &str) -> Launch {
    let mut launch = house.person(number, script);
    launch.limits.disk = SHARE;
    launch
}

fn loops() -> usize {
    fs::read_dir("/sys/block").unwrap().flatten().filter(|e| e.path().join("loop/backing_file").exists()).count()
}

/// A file of the home as the container's first process sees it.
fn inside(pid: i32, name: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/root/home/matrixos/{name}")).unwrap_or_default()
}

fn homes() {
    let house = House::with_disk(DiskQuota::Image);
    let (loops_before, before) = (loops(), house.traces());
    let script = "cat /dev/zero >big 2>/tmp/why; rm big; echo x >>marks; sleep 300";
    let launch = settler(&house, 4, script);
    for turn in 1..=2 {
        let (running, _pidfd) = house.launch(&launch).expect("launched");
        let pid = running.identity.pid;
        until("the script is through", || inside(pid, "marks").lines().count() == turn);
        let why = inside(pid, "../../tmp/why");
        assert!(why.contains("No space left on device"), "turn {turn}: {why}");
        assert_eq!(loops(), loops_before + 1);
        house.take_down(&launch);
        assert_eq!((loops(), house.traces()), (loops_before, before.clone()), "turn {turn}");
    }
    let folder = house.folder.path().join("users/user4");
    assert!(folder.join("disk.ext4").exists() && !folder.join("matrixos/marks").exists());
    house.block(house.client().destroy(launch.container.clone(), launch.seat, launch.handle.clone())).expect("gone");
    assert!(!folder.exists());
}

fn homes_outlive() {
    let mut house = House::with_disk(DiskQuota::Image);
    let loops_before = loops();
    let launch = settler(&house, 5, "echo x >>marks; sleep 300");
    let (running, _pidfd) = house.launch(&launch).expect("launched");
    until("it has begun", || inside(running.identity.pid, "marks").lines().count() == 1);
    house.restart();
    let (found, _pidfd) = house.launch(&launch).expect("found");
    assert!(!found.fresh);
    house.take_down(&launch);
    until("the image is let go of", || loops() == loops_before);
    let (running, _pidfd) = house.launch(&launch).expect("launched");
    until("nothing was lost", || inside(running.identity.pid, "marks").lines().count() == 2);
    house.take_down(&launch);
}

/// Everything that could pile up: on the machine, and in the launcher itself.
#[derive(Debug, PartialEq)]
struct Count {
    traces: usize,
    loops: usize,
    host_mounts: usize,
    launcher_mounts: usize,
    launcher_files: usize,
    rules: usize,
}

impl Count {
    fn of(house: &House) -> Self {
        let launcher = Path::new("/proc").join(house.child.id().to_string());
        let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
        let rules = Command::new("nft").args(["list", "ruleset"]).output().unwrap().stdout;
        Self {
            traces: house.traces().len(),
            loops: loops(),
            host_mounts: lines(Path::new("/proc/self/mountinfo")),
            launcher_mounts: lines(&launcher.join("mountinfo")),
            launcher_files: fs::read_dir(launcher.join("fd")).unwrap().count(),
            rules: rules.split(|byte| *byte == b'\n').count(),
        }
    }
}

fn turns() {
    let turns = if std::env::var_os("MATRIXOS_SOAK").is_some() { 1_000 } else { 30 };
    for disk in [DiskQuota::Nothing, DiskQuota::Image] {
        let house = House::with_disk(disk);
        // The first makes the bridge and its rules, which stay.
        let mut before = None;
        for turn in 0..turns {
            let launch = settler(&house, 6, "sleep 300");
            let (_, pidfd) = house.launch(&launch).expect("launched");
            if turn % 3 > 0 {
                freeze(&house, &launch);
            }
            if turn % 3 > 1 {
                thaw(&house, &launch);
            }
            if turn % 5 == 0 {
                let destroyed = house.client().destroy(launch.container.clone(), launch.seat, launch.handle.clone());
                house.block(destroyed).expect("destroyed");
            } else {
                house.take_down(&launch);
            }
            assert!(ends(&pidfd, 5));
            let before = before.get_or_insert_with(|| Count::of(&house));
            // The launcher looks after its walls meanwhile, which takes a descriptor for a moment.
            until(&format!("{disk:?}, turn {turn}: nothing more than {before:?}"), || Count::of(&house) == *before);
        }
    }
}
