//! The only place with `unsafe`: raw system calls, forked attempts, and the filter that makes calls harmless.
#![allow(unsafe_code)]

use std::ffi::c_long;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use libc::{c_int, pid_t};

use crate::report;

/// What came of something tried in a child of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It worked, or failed with this error number (0: it worked).
    Errno(i32),
    /// A signal ended the child.
    Killed(i32),
}

impl Outcome {
    /// In the words of the report.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Errno(number) => report::errno(number),
            Self::Killed(_) => "killed".to_owned(),
        }
    }
}

/// A system call by number. `Err` is the error number. Pointers among the arguments must be null or point to memory of
/// the caller that outlives the call; whoever passes anything else tries it in a child that is thrown away.
pub(crate) fn call(number: c_long, args: [usize; 6]) -> Result<usize, i32> {
    let [a, b, c, d, e, f] = args;
    // SAFETY: what the kernel reads or writes through the arguments is the caller's, as written above.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if answer == -1 { Err(last_error()) } else { Ok(usize::try_from(answer).unwrap_or(0)) }
}

/// The descriptor that a call has just returned.
pub(crate) fn own(descriptor: usize) -> OwnedFd {
    // SAFETY: callers pass what the kernel has just opened for them and nobody else owns.
    unsafe { OwnedFd::from_raw_fd(descriptor as i32) }
}

fn last_error() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Runs `work` in a child, so that whatever it does or breaks is gone afterwards.
pub(crate) fn in_child(work: impl FnOnce() -> Result<(), i32>) -> Outcome {
    match fork() {
        Ok(0) => exit(work().err().unwrap_or(0)),
        Ok(child) => wait(child),
        Err(number) => Outcome::Errno(number),
    }
}

/// `fork`: 0 in the child, the child's id in the parent.
pub(crate) fn fork() -> Result<pid_t, i32> {
    // SAFETY: this program never has a second thread, so the child finds no lock held by another.
    match unsafe { libc::fork() } {
        -1 => Err(last_error()),
        pid => Ok(pid),
    }
}

/// Ends this process at once.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: ends the process without running anything else.
    unsafe { libc::_exit(code) }
}

/// Waits for one child.
pub(crate) fn wait(child: pid_t) -> Outcome {
    let mut status: c_int = 0;
    loop {
        // SAFETY: `status` outlives the call.
        match unsafe { libc::waitpid(child, &raw mut status, 0) } {
            -1 if last_error() == libc::EINTR => {}
            -1 => return Outcome::Errno(last_error()),
            _ if libc::WIFSIGNALED(status) => return Outcome::Killed(libc::WTERMSIG(status)),
            _ => return Outcome::Errno(libc::WEXITSTATUS(status)),
        }
    }
}

/// Waits for any child; `None` when there is none.
pub(crate) fn wait_any() -> Option<pid_t> {
    let mut status: c_int = 0;
    loop {
        // SAFETY: `status` outlives the call.
        match unsafe { libc::waitpid(-1, &raw mut status, 0) } {
            -1 if last_error() == libc::EINTR => {}
            -1 => return None,
            pid => return Some(pid),
        }
    }
}

/// Kills one process that the caller has forked.
pub(crate) fn kill(child: pid_t) {
    // SAFETY: takes no pointers.
    unsafe { libc::kill(child, libc::SIGKILL) };
}

/// Writes to every page of memory that the kernel has just mapped for this process at that address.
pub(crate) fn touch(address: usize, bytes: usize) {
    for page in (0..bytes).step_by(4096) {
        // SAFETY: callers pass a mapping of at least so many bytes that nothing else refers to.
        unsafe { std::ptr::write_volatile((address + page) as *mut u8, 1) };
    }
}

/// CPU time of all children that have been waited for, in seconds.
pub(crate) fn children_cpu_seconds() -> f64 {
    // SAFETY: all zeroes is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` outlives the call.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// The effective user id.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: takes and touches nothing.
    unsafe { libc::geteuid() }
}

/// `getpid` the 32-bit way. Where the kernel or the filter refuses it, the process is killed.
#[cfg(target_arch = "x86_64")]
pub(crate) fn getpid_by_int80() {
    // SAFETY: call 20 of the 32-bit table takes no argument; rax is declared as changed.
    unsafe { std::arch::asm!("int 0x80", inlateout("rax") 20_u64 => _, options(nostack)) };
}

/// From here on, every system call that the filters before allow fails with ENOSYS and is not carried out, but for
/// exiting: the kernel takes the strictest of all filters' answers, and "ask a tracer" (there is none) is stricter
/// than "allow" and milder than "refuse" (seccomp(2)).
pub(crate) fn make_calls_harmless() -> Result<(), i32> {
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let if_equal = |k: c_long, skip: u8| libc::sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt: skip,
        jf: 0,
        k: k as u32,
    };
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        if_equal(libc::SYS_exit_group, 2),
        if_equal(libc::SYS_exit, 1),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_TRACE),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    let mode = libc::SECCOMP_SET_MODE_FILTER as usize;
    call(libc::SYS_seccomp, [mode, 0, (&raw const program) as usize, 0, 0, 0]).map(drop)
}

/// Lets a process that ends by a signal write no core file and be read by nobody of the same user (prctl(2)).
pub(crate) fn hide() -> Result<(), i32> {
    call(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 0, 0, 0, 0, 0]).map(drop)
}
