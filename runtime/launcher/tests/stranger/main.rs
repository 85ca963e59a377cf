//! A stranger with a shell: the probe inside real containers of the real launcher, every outcome asserted, and the host
//! looked at where the promise is about the host. Needs root, and Debian's busybox-static and runc.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod expectations;
mod filter;
mod host;
mod neighbour;
mod other_runtime;
mod runs;

use libtest_mimic::{Arguments, Trial};
use nix::sched::{CloneFlags, unshare};

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("launcher") {
        return matrixos_launcher::run();
    }
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
    let mut arguments = Arguments::from_args();
    // They measure, and they fill what is shared, so they run one after the other.
    arguments.test_threads = Some(1);
    let mut trials = expectations::trials();
    trials.extend(filter::trials());
    trials.extend(host::trials());
    trials.extend(other_runtime::trials());
    trials.extend(neighbour::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial that fails by panicking.
fn trial(name: impl Into<String>, test: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, || {
        test();
        Ok(())
    })
}
