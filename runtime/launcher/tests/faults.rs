//! Acts of the launcher that are cut short, processes that are killed, and process numbers that now belong to others:
//! whatever happens, an act can be repeated, nobody else is touched, and nothing is left. Needs root and Debian's
//! busybox-static.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd;
use std::process::{Child, Command};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use matrixos_runtime::protocol::{Act, Launch, Request};
use matrixos_runtime::{stats, wire};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

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
        ("freezing_and_waking_cut_short_leave_what_can_go_on_or_be_taken_down", rest_cut_short),
        ("taking_down_and_destroying_cut_short_are_finished_by_the_next_try", removal_cut_short),
        ("a_process_with_the_number_of_one_that_ended_is_neither_adopted_nor_asked_to_end", reused),
        ("a_first_process_that_is_killed_is_told_and_leaves_nothing", first_killed),
    ];
    let trials = tests.iter().map(|(name, test)| {
        Trial::test(*name, || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Counts up, so that it can be seen to go on.
const COUNTING: &str = "i=0; while :; do i=$((i+1)); echo $i >n; sleep 0.01; done";

fn number(house: &House, launch: &Launch) -> u64 {
    fs::read_to_string(house.home(launch).join("n")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Asks for something, and so many microseconds later kills the child that does it; every third time the launcher, too.
fn cut(house: &mut House, act: Act, turn: u64, micros: u64) {
    wire::send(house.socket.as_ref().unwrap().as_fd(), &Request { id: u64::MAX, act }, None).unwrap();
    std::thread::sleep(Duration::from_micros(micros));
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", house.child.id())).unwrap_or_default();
    for child in children.split_whitespace() {
        // The launcher's child that is at work; a container's first process runs another program.
        let program = fs::read_link(format!("/proc/{child}/exe")).unwrap_or_default();
        if program.to_string_lossy().contains("memfd") {
            let _ = kill(Pid::from_raw(child.parse().unwrap()), Signal::SIGKILL);
        }
    }
    if turn.is_multiple_of(3) {
        house.restart();
    }
}

fn rest_cut_short() {
    let mut house = House::new();
    let before = house.traces();
    for turn in 0..12 {
        let launch = house.person(1, COUNTING);
        let (running, _pidfd) = house.launch(&launch).expect("launched");
        until("it counts", || number(&house, &launch) > 0);
        let container = launch.container.clone();
        let act = match turn % 2 {
            0 => Act::Freeze { container: container.clone() },
            _ => Act::PageOut { container: container.clone() },
        };
        cut(&mut house, act, turn, turn * 150);
        let (again, _pidfd) = house.block(house.client().adopt(container.clone())).expect("it is there");
        assert_eq!(again.identity, running.identity, "turn {turn}");
        if turn < 6 {
            cut(&mut house, Act::Thaw { container: container.clone() }, turn, turn * 50);
            house.block(house.client().thaw(container.clone())).expect("thawed");
            assert!(!stats::is_frozen(&house.config.groups, &container), "turn {turn}");
            let reached = number(&house, &launch);
            until("it counts on", || number(&house, &launch) > reached + 2);
        }
        house.take_down(&launch);
        assert_eq!(house.traces(), before, "turn {turn}");
        fs::remove_file(house.home(&launch).join("n")).unwrap();
    }
}

fn removal_cut_short() {
    let mut house = House::new();
    let before = house.traces();
    for turn in 0..16 {
        let launch = house.person(2, "mkdir -p a/b/c; touch a/b/c/d; sleep 300 & sleep 300");
        let (_, pidfd) = house.launch(&launch).expect("launched");
        let (container, seat, handle) = (launch.container.clone(), launch.seat, launch.handle.clone());
        if turn % 4 < 2 {
            house.block(house.client().freeze(container.clone())).expect("frozen");
        }
        let destroys = turn % 2 == 0;
        let act = match destroys {
            true => Act::Destroy { container: container.clone(), seat, handle: handle.clone() },
            false => Act::TakeDown { container: container.clone(), seat: Some(seat) },
        };
        cut(&mut house, act, turn, turn * 400);
        if destroys {
            house.block(house.client().destroy(container, seat, handle)).expect("destroyed");
            assert!(!house.home(&launch).exists(), "turn {turn}");
        } else {
            house.take_down(&launch);
            assert!(house.home(&launch).is_dir(), "the files stay");
        }
        assert!(ends(&pidfd, 30), "turn {turn}");
        assert_eq!(house.traces(), before, "turn {turn}");
        assert!(house.block(house.client().observe()).expect("observed").is_empty());
    }
}

/// Somebody else's process on the host.
struct Bystander(Child);

impl Bystander {
    fn new() -> Self {
        Self(Command::new("sleep").arg("300").spawn().unwrap())
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn reused() {
    let mut house = House::new();
    let before = house.traces();
    let launch = house.person(3, "sleep 300");
    let (running, pidfd) = house.launch(&launch).expect("launched");
    let mut other = Bystander::new();
    // The number that was recorded is another's now; what else was recorded of the first process has stayed.
    let file = house.config.run.join("containers").join(launch.container.as_str()).join("record.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(record["identity"]["pid"], running.identity.pid);
    record["identity"]["pid"] = other.0.id().into();
    fs::write(&file, record.to_string()).unwrap();
    house.restart();
    let container = || launch.container.clone();
    let observed = house.block(house.client().observe()).expect("observed");
    assert!(observed.len() == 1 && observed[0].running.is_none(), "{observed:?}");
    house.block(house.client().adopt(container())).expect_err("it is another process");
    house.block(house.client().terminate(container())).expect("nobody is there to be asked");
    house.take_down(&launch);
    assert!(ends(&pidfd, 30), "what is in its group ends, whatever the record says");
    assert!(other.lives(), "and nobody else");
    // The same after a reboot: number and start time may be the same by chance.
    let (_, pidfd) = house.launch(&launch).expect("launched");
    let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    record["identity"]["boot"] = "another".into();
    fs::write(&file, record.to_string()).unwrap();
    house.block(house.client().adopt(container())).expect_err("it is of another boot");
    house.take_down(&launch);
    assert!(ends(&pidfd, 30));
    assert!(other.lives());
    assert_eq!(house.traces(), before);
}

fn first_killed() {
    let house = House::new();
    let before = house.traces();
    for turn in 0..4 {
        let launch = house.person(4, "sleep 300 & sleep 300");
        let (running, pidfd) = house.launch(&launch).expect("launched");
        if turn % 2 == 1 {
            house.block(house.client().freeze(launch.container.clone())).expect("frozen");
        }
        kill(Pid::from_raw(running.identity.pid), Signal::SIGKILL).unwrap();
        if turn % 2 == 1 {
            // On version 1 of control groups what is frozen ends when it is thawed.
            house.block(house.client().thaw(launch.container.clone())).expect("thawed");
        }
        assert!(ends(&pidfd, 30), "whoever holds it is told");
        until("it is no longer among those that run", || {
            house.block(house.client().observe()).expect("observed").iter().all(|found| found.running.is_none())
        });
        house.block(house.client().adopt(launch.container.clone())).expect_err("it has ended");
        let (again, pidfd) = house.launch(&launch).expect("launched over what was left");
        assert!(again.fresh && again.identity != running.identity);
        house.take_down(&launch);
        assert!(ends(&pidfd, 30));
        let left: BTreeSet<_> = house.traces();
        assert_eq!(left, before, "turn {turn}");
    }
}
