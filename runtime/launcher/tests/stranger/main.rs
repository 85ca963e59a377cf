//! A stranger with a shell: the probe inside real containers of the real launcher, every outcome asserted, and the host
//! looked at where the promise is about the host. Needs root, Debian's busybox-static and runc.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

use common::House;
use common::probe::{Attempt, Call};
use libtest_mimic::{Arguments, Trial};
use nix::sched::{CloneFlags, unshare};

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("launcher") {
        return matrixos_launcher::run();
    }
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = vec![Trial::test("look", || {
        let house = House::new();
        for what in ["kernel", "status 612d736563726574", "limits"] {
            for a in house.probe::<Attempt>(1, what) {
                eprintln!("{what:8.8} {:45} {:30} {}", a.name, a.outcome, a.detail);
            }
        }
        for c in house.probe::<Call>(1, "syscalls") {
            eprintln!("{} {:x?} {}", c.number, c.args, c.outcome);
        }
        Ok(())
    })];
    libtest_mimic::run(&arguments, trials).exit_code()
}
