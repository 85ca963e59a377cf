//! Every system call by number: does the container's filter let it pass? Nothing that passes is carried out.

use serde::Serialize;

use crate::report;
use crate::sys::{self, Outcome};

/// Numbers up to this one are tried; Linux 6.18 ends at 470.
const LAST: i64 = 600;

/// One call with its arguments.
#[derive(Debug, Serialize)]
pub(crate) struct Tried {
    number: i64,
    args: [usize; 6],
    /// `allowed`, the name of the error, or `killed`.
    outcome: String,
}

/// Tries all numbers with zeroes, and those whose arguments matter with many values.
pub(crate) fn outcomes() -> Vec<Tried> {
    let plain = (0..=LAST).map(|number| (number, [0; 6]));
    plain.chain(with_arguments()).map(|(number, args)| Tried { number, args, outcome: outcome(number, args) }).collect()
}

fn outcome(number: i64, args: [usize; 6]) -> String {
    if number == libc::SYS_exit || number == libc::SYS_exit_group {
        return ending(number);
    }
    // A rule that answers ENOSYS looks like a call that passes, so these are made in earnest: without arguments they
    // could only fail with another error.
    let in_earnest =
        [libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];
    let earnest = in_earnest.contains(&number);
    let tried = sys::in_child(|| {
        if !earnest {
            sys::make_calls_harmless()?;
        }
        sys::call(number, args).map(drop)
    });
    match tried {
        Outcome::Errno(libc::ENOSYS) if !earnest => "allowed".to_owned(),
        Outcome::Errno(0) => "carried out".to_owned(),
        Outcome::Errno(number) => report::errno(number),
        Outcome::Killed(_) => tried.name(),
    }
}

/// The two calls that a process needs to end are shown by the code it ends with.
fn ending(number: i64) -> String {
    let code = 77;
    match sys::in_child(|| sys::call(number, [code as usize, 0, 0, 0, 0, 0]).map(drop)) {
        Outcome::Errno(c) if c == code => "allowed".to_owned(),
        other => other.name(),
    }
}

fn with_arguments() -> impl Iterator<Item = (i64, [usize; 6])> {
    let namespaces = (0..32).map(|bit| (libc::SYS_clone, [1_usize << bit, 0, 0, 0, 0, 0]));
    let families = (0..=46_usize).map(|family| (libc::SYS_socket, [family, 1, 0, 0, 0, 0]));
    let protocols = [1_usize, 2, 10, 16].into_iter().flat_map(|family| {
        [1, 2, 4, 6, 9, 12, 15, 17, 33, 58, 132, 136, 255, 262].map(|p| (libc::SYS_socket, [family, 2, p, 0, 0, 0]))
    });
    let raw = [2_usize, 10].map(|family| (libc::SYS_socket, [family, 3, 1, 0, 0, 0]));
    let domains =
        [8, 0x4_0000, 0x2_0000, 0x40_0000, 0xffff_ffff].map(|domain| (libc::SYS_personality, [domain, 0, 0, 0, 0, 0]));
    let kinds = [0x0000, 0x1000, 0x2000, 0x4000, 0x6000, 0x8000, 0xa000, 0xc000, 0xf000]
        .into_iter()
        .flat_map(|kind: usize| node_calls(kind | 0o600));
    let requests = [0x5401, 0x5412, 0x541c, 0x5410, 0x5413, 0x1_0000_5412, 0x1_0000_5401, 0xffff_ffff]
        .map(|request| (libc::SYS_ioctl, [0, request, 0, 0, 0, 0]));
    let all = namespaces.chain(families).chain(protocols).chain(raw).chain(domains);
    all.chain(kinds).chain(requests)
}

fn node_calls(mode: usize) -> Vec<(i64, [usize; 6])> {
    let mut calls = vec![(libc::SYS_mknodat, [0, 0, mode, 0, 0, 0])];
    #[cfg(target_arch = "x86_64")]
    calls.push((libc::SYS_mknod, [0, mode, 0, 0, 0, 0]));
    calls
}
