//! The launcher against the real kernel, in a network namespace of its own. Its containers run a shell script from
//! their owner's home instead of the gateway. Needs root and Debian's busybox-static.
#![allow(clippy::unwrap_used)]

mod bench;
mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{House, ends, until};
use libtest_mimic::{Arguments, Trial};
use matrixos_runtime::client::CallError;
use matrixos_runtime::protocol::{FailureKind, Launch, Limits};
use matrixos_runtime::stats;
use matrixos_types::computer::{GATEWAY_PATH, HOME};
use matrixos_types::{Bytes, Seat};
use nix::sched::{CloneFlags, unshare};

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("launcher") {
        return matrixos_launcher::run();
    }
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
    let mut arguments = Arguments::from_args();
    // They count what is left over on the machine, so they run one after the other.
    arguments.test_threads = Some(1);
    let tests: &[(&str, fn())] = &[
        ("the_first_process_is_confined", the_first_process_is_confined),
        ("limits_are_real", limits_are_real),
        ("a_container_leaves_nothing_behind", a_container_leaves_nothing_behind),
        ("containers_outlive_the_launcher_and_are_adopted_by_the_next", containers_outlive_the_launcher),
        ("a_launch_cut_short_at_any_moment_can_be_taken_down", a_launch_cut_short),
        ("what_cannot_be_launched_is_refused_with_a_reason", refusals),
        ("hostile_messages_do_not_end_the_launcher", hostile_messages),
        ("the_launcher_runs_from_sealed_memory_without_outside_handles", sealed),
        ("containers_are_launched_side_by_side", side_by_side),
        ("more_containers_than_one_message_holds_are_observed", many),
        ("destroying_removes_the_files_and_only_of_that_user", destroying),
    ];
    let mut trials: Vec<_> = tests
        .iter()
        .map(|(name, test)| {
            Trial::test(*name, || {
                test();
                Ok(())
            })
        })
        .collect();
    trials.push(
        Trial::test("launch_timing", || {
            bench::launch_timing();
            Ok(())
        })
        .with_ignored_flag(true),
    );
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn the_first_process_is_confined() {
    let house = House::new();
    let text = house.run(
        1,
        "cat /proc/1/status; id; cat /proc/1/uid_map; cat /proc/self/mountinfo; ls /proc/1/fd | wc -l; hostname
        for try in 'touch /x' 'touch /etc/x' 'mount -t tmpfs x /tmp' 'umount /proc/kcore' 'unshare -U true' 'unshare -m true' \
          'mknod /tmp/sda b 8 0' 'dmesg' 'cat /proc/kcore' 'sh -c \"echo c >/proc/sysrq-trigger\"' \
          'sh -c \"echo x >/proc/sys/kernel/core_pattern\"' 'ls /sys/kernel'; do
          if eval \"$try\" >/dev/null 2>&1 && [ \"$try\" != 'cat /proc/kcore' ]; then echo \"POSSIBLE: $try\"; fi
        done; cat /proc/kcore | head -c 1 | wc -c",
    );
    let has = |line: &str| assert!(text.contains(line), "no {line:?} in:\n{text}");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        has(&format!("{set}:\t0000000000000000"));
    }
    has("Seccomp:\t2");
    has("NoNewPrivs:\t1");
    has("uid=1000 gid=1000");
    assert!(text.lines().any(|l| l.trim_end() == "Groups:"), "no group of whoever started the platform: {text}");
    let ignored = text.lines().find_map(|l| l.strip_prefix("SigIgn:\t")).unwrap();
    assert_eq!(
        u64::from_str_radix(ignored, 16).unwrap() & (1 << (nix::sys::signal::Signal::SIGPIPE as i32 - 1)),
        0,
        "a pipe that breaks ends a program, as usual"
    );
    has(&format!("{:>10} {:>10} {:>10}", 0, Seat::new(1).unwrap().first_id(), 65_536));
    assert!(!text.contains("POSSIBLE"), "{text}");
    assert!(!text.contains("a-secret"), "no secret in what a computer can read about itself");
    // mountinfo (proc_pid_mountinfo(5)): fields five and six are the mount point and its options.
    let options_at = |point: &str| {
        let mounts = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        mounts.filter(|f| f.get(4) == Some(&point)).filter_map(|f| Some((*f.get(5)?).to_owned())).collect::<Vec<_>>()
    };
    let (root, home) = (options_at("/"), options_at(HOME));
    assert!(root.len() == 1 && root[0].starts_with("ro,"), "the root is read-only: {root:?}");
    assert!(home.len() == 1 && home[0].starts_with("rw,nosuid,nodev"), "the home is not: {home:?}");
    assert!(text.trim_end().ends_with('0'), "kcore is masked: {text}");
}

fn limits_are_real() {
    let house = House::new();
    let mut launch = house.person(1, "(head -c 400000000 /dev/zero | tail -n 1 >/dev/null) 2>/dev/null; (i=0; while [ $i -lt 60 ]; do sleep 300 & i=$((i+1)); done) 2>/dev/null; exec sleep 300");
    launch.limits = Limits { memory: Bytes::mib(64), cpu_milli: 500, pids: 32, ..Limits::default() };
    let (_, _pidfd) = house.launch(&launch).expect("launched");
    let usage = || stats::usage(&house.config.groups, &launch.container).expect("counters");
    until("the memory hog is killed and counted", || usage().oom_kills >= 1);
    until("no more processes than allowed", || usage().pids >= 30);
    let reading = usage();
    assert!(reading.pids <= 32, "{reading:?}");
    assert!(reading.memory <= Bytes::mib(64), "{reading:?}");
    assert!(reading.memory_peak.unwrap() >= Bytes::mib(60), "{reading:?}");
    house.take_down(&launch);
}

fn a_container_leaves_nothing_behind() {
    let house = House::new();
    let before = house.traces();
    for _ in 0..5 {
        let launch = house.person(3, "sleep 300 & sleep 300");
        house.launch(&launch).expect("launched");
        assert!(house.traces().len() > before.len());
        house.take_down(&launch);
        house.take_down(&launch);
        assert_eq!(house.traces(), before);
    }
    assert!(house.home(&house.person(3, "")).is_dir(), "the files stay");
}

fn containers_outlive_the_launcher() {
    let mut house = House::new();
    let launch = house.person(4, "trap 'echo bye >bye; exit 0' TERM; while :; do sleep 0.1; done");
    let (running, _) = house.launch(&launch).expect("launched");
    house.restart();
    let observed = house.block(house.client().observe()).expect("observed");
    assert_eq!(observed.len(), 1);
    assert_eq!(observed[0].running.as_ref(), Some(&running.identity));
    assert_eq!(observed[0].handle.as_ref(), Some(&launch.handle));
    let (again, pidfd) = house.block(house.client().adopt(launch.container.clone())).expect("adopted");
    assert_eq!(again.identity, running.identity);
    let (found, _) = house.launch(&launch).expect("found running");
    assert!(!found.fresh && found.identity == running.identity, "not launched twice");
    house.block(house.client().terminate(launch.container.clone())).expect("asked");
    assert!(ends(&pidfd, 30), "it ends when asked");
    assert_eq!(fs::read_to_string(house.home(&launch).join("bye")).unwrap(), "bye\n");
    house.take_down(&launch);
}

fn a_launch_cut_short() {
    let mut house = House::new();
    let before = house.traces();
    for cut in 0..24u64 {
        let launch = house.person(5, "sleep 300");
        let request = matrixos_runtime::protocol::Request {
            id: 1,
            act: matrixos_runtime::protocol::Act::Launch(Box::new(launch.clone())),
        };
        matrixos_runtime::wire::send(house.socket.as_ref().unwrap().as_fd(), &request, None).unwrap();
        std::thread::sleep(Duration::from_micros(cut * 900));
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", house.child.id())).unwrap();
        for child in children.split_whitespace() {
            // The launcher's child that is at work; a finished container's first process is none of it.
            let is_launcher =
                fs::read_link(format!("/proc/{child}/exe")).is_ok_and(|p| p.to_string_lossy().contains("memfd"));
            if is_launcher {
                let _ = nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(child.parse().unwrap()),
                    nix::sys::signal::SIGKILL,
                );
            }
        }
        if cut % 3 == 0 {
            house.restart();
        }
        house.take_down(&launch);
        assert_eq!(house.traces(), before, "cut after {cut} steps");
    }
    house.restart();
    house.block(house.client().observe()).expect("it is up");
    assert_eq!(launchers(&house), 1, "no half-made container waits for ever");
}

/// Processes of this installation that run the sealed copy of this program; there may be another one on this machine.
fn launchers(house: &House) -> usize {
    let ours = format!("\"instance\":\"{}\"", house.config.instance);
    let is_ours = |process: &Path| {
        let program = fs::read_link(process.join("exe")).unwrap_or_default();
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        program.to_string_lossy().contains("memfd:matrixos-launcher")
            && String::from_utf8_lossy(&environment).contains(&ours)
    };
    fs::read_dir("/proc").unwrap().flatten().filter(|e| is_ours(&e.path())).count()
}

fn many() {
    let house = House::new();
    for number in 0..300u64 {
        fs::create_dir_all(house.config.run.join("containers").join(format!("c{number:016x}"))).unwrap();
    }
    let observed = house.block(house.client().observe()).expect("more than one message holds");
    assert_eq!(observed.len(), 300);
    assert!(observed.iter().all(|o| o.running.is_none()));
}

fn refusals() {
    let house = House::new();
    let mut launch = house.person(6, "sleep 300");
    let failure = |launch: &Launch| match house.launch(launch) {
        Err(CallError::Failed(failure)) => failure,
        other => panic!("expected a failure, not {other:?}"),
    };
    launch.image = format!("sha256:{}", "b".repeat(64));
    let unknown = failure(&launch);
    assert_eq!((unknown.kind, unknown.step.as_str()), (FailureKind::Refused, "image"));
    launch.image = "sha256:../../../../etc".to_owned();
    assert_eq!(failure(&launch).kind, FailureKind::Refused);
    launch.image = house.image.clone();
    launch.seat = Seat::new(7).unwrap();
    let foreign = failure(&launch);
    assert!(foreign.message.contains("belongs to user id"), "another seat never gets these files: {foreign}");
    assert!(house.traces().is_empty());
    fs::remove_file(
        house.folder.path().join("images/roots").join("a".repeat(64)).join(GATEWAY_PATH.trim_start_matches('/')),
    )
    .unwrap();
    launch.seat = Seat::new(6).unwrap();
    assert!(!failure(&launch).message.is_empty());
    assert!(house.traces().is_empty(), "{:?}", house.traces());
}

fn hostile_messages() {
    let house = House::new();
    let socket = house.socket.as_ref().unwrap();
    let long = "x".repeat(70_000);
    let launch = serde_json::to_string(&house.person(1, "")).unwrap();
    let evil = launch.replace("\"user1\"", "\"../../etc\"");
    let messages = [
        "",
        " ",
        "{",
        "[]",
        "null",
        &long,
        "{\"id\":1}",
        "{\"id\":-1,\"act\":{\"act\":\"observe\"}}",
        "{\"id\":1,\"act\":{\"act\":\"sudo\"}}",
    ];
    for message in messages.iter().filter(|m| !m.is_empty()) {
        let _ = nix::unistd::write(socket, message.as_bytes());
    }
    let act = evil.replacen('{', "{\"act\":\"launch\",", 1);
    nix::unistd::write(socket, format!("{{\"id\":9,\"act\":{act}}}").as_bytes()).unwrap();
    nix::unistd::write(socket, br#"{"id":9,"act":{"act":"take_down","container":"../..","seat":1}}"#).unwrap();
    let observed = house.block(house.client().observe()).expect("it still answers");
    assert!(observed.is_empty());
    assert!(!house.folder.path().join("users/../../etc/matrixos").exists());
}

fn sealed() {
    // What a careless shell might leave open for its children.
    let (left_open, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    nix::fcntl::fcntl(&left_open, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let house = House::new();
    house.block(house.client().observe()).expect("it is up");
    let of = |what: &str| PathBuf::from(format!("/proc/{}/{what}", house.child.id()));
    let program = fs::read_link(of("exe")).unwrap();
    assert!(program.to_string_lossy().contains("memfd:matrixos-launcher"), "{program:?}");
    assert!(fs::OpenOptions::new().write(true).open(of("exe")).is_err(), "cannot be overwritten");
    let environment = String::from_utf8_lossy(&fs::read(of("environ")).unwrap()).into_owned();
    let names: Vec<_> = environment.split('\0').filter_map(|v| v.split('=').next()).filter(|n| !n.is_empty()).collect();
    assert_eq!(names, ["MATRIXOS_LAUNCHER", "PATH"]);
    let open = |folder: PathBuf| -> BTreeSet<PathBuf> {
        fs::read_dir(folder).unwrap().flatten().filter_map(|e| fs::read_link(e.path()).ok()).collect()
    };
    let (ours, theirs) = (open("/proc/self/fd".into()), open(of("fd")));
    let messages = fs::read_link(of("fd/2")).unwrap();
    let shared: Vec<_> =
        theirs.intersection(&ours).filter(|p| **p != messages && *p != Path::new("/dev/null")).collect();
    assert!(shared.is_empty(), "inherited: {shared:?}");
    let strangers: Vec<_> =
        theirs.iter().filter(|p| p.starts_with("/") && **p != messages && *p != Path::new("/dev/null")).collect();
    assert!(strangers.is_empty(), "open files: {strangers:?}");
    let threads = fs::read_dir(of("task")).unwrap().count();
    assert_eq!(threads, 1);
}

fn side_by_side() {
    let house = House::new();
    let launches: Vec<_> = (10..18).map(|n| house.person(n, "sleep 300")).collect();
    let results = house.block(async {
        let tasks: Vec<_> = launches
            .iter()
            .map(|l| {
                tokio::spawn({
                    let (client, l) = (house.client().clone(), l.clone());
                    async move { client.launch(l).await }
                })
            })
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    let pids: BTreeSet<_> = results.into_iter().map(|r| r.expect("launched").0.identity.pid).collect();
    assert_eq!(pids.len(), launches.len());
    for launch in &launches {
        house.take_down(launch);
    }
    assert!(house.traces().is_empty());
}

fn destroying() {
    let house = House::new();
    let (mine, other) = (house.person(20, "mkdir -p a/b; ln -s / a/root; sleep 300"), house.person(21, ""));
    let (_, _pidfd) = house.launch(&mine).expect("launched");
    until("the script has run", || house.home(&mine).join("a/root").is_symlink());
    house.block(house.client().destroy(mine.container.clone(), mine.seat, mine.handle.clone())).expect("destroyed");
    house
        .block(house.client().destroy(mine.container.clone(), mine.seat, mine.handle.clone()))
        .expect("destroyed already");
    assert!(!house.home(&mine).exists());
    assert!(house.home(&other).join("run.sh").exists() && Path::new("/etc/passwd").exists());
    let wrong = house.block(house.client().destroy(other.container.clone(), mine.seat, other.handle.clone()));
    assert!(wrong.is_err() && house.home(&other).join("run.sh").exists(), "a wrong seat deletes nothing");
}
