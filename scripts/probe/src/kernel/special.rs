//! Attempts that take more than one call.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use super::{attempt, number};
use crate::report::Attempt;
use crate::sys;

pub(super) fn attempts() -> Vec<Attempt> {
    let mut all = vec![
        node("mknod(block 8:0)", libc::S_IFBLK, (8, 0)),
        node("mknod(char 1:1)", libc::S_IFCHR, (1, 1)),
        // Overlay file systems' white-outs, which the kernel lets everybody make.
        node("mknod(char 0:0)", libc::S_IFCHR, (0, 0)),
        attempt("setns", || {
            let own = number(File::open("/proc/self/ns/net"))?;
            sys::call(libc::SYS_setns, [own.as_raw_fd() as usize, 0, 0, 0, 0, 0]).map(drop)
        }),
        attempt("clock_settime", || {
            let mut now = [0_usize; 2];
            sys::call(libc::SYS_clock_gettime, [0, now.as_mut_ptr() as usize, 0, 0, 0, 0])?;
            sys::call(libc::SYS_clock_settime, [0, now.as_ptr() as usize, 0, 0, 0, 0]).map(drop)
        }),
        attempt("TIOCSTI", || type_into_terminal(libc::TIOCSTI as usize)),
        // The kernel looks at the lower half of the request only.
        attempt("TIOCSTI with a bit beyond", || type_into_terminal(libc::TIOCSTI as usize | 1 << 32)),
    ];
    all.extend(older_ways());
    all
}

/// The other two ways into the kernel that an x86_64 processor has.
#[cfg(target_arch = "x86_64")]
fn older_ways() -> Vec<Attempt> {
    let int80 = attempt("int 0x80", || {
        sys::getpid_by_int80();
        Ok(())
    });
    vec![int80, attempt("an x32 call", || sys::call(0x4000_0000 | libc::SYS_getpid, [0; 6]).map(drop))]
}

#[cfg(not(target_arch = "x86_64"))]
fn older_ways() -> Vec<Attempt> {
    Vec::new()
}

/// Makes a device node in the home, and opens it if that works.
fn node(name: &str, kind: u32, (major, minor): (u32, u32)) -> Attempt {
    attempt(name, || {
        let path = c"/home/matrixos/node";
        let device = libc::makedev(major, minor) as usize;
        let here = libc::AT_FDCWD as usize;
        sys::call(libc::SYS_mknodat, [here, path.as_ptr() as usize, (kind | 0o600) as usize, device, 0, 0])?;
        let opened = number(File::open("/home/matrixos/node"));
        let _ = fs::remove_file("/home/matrixos/node");
        opened.map(drop)
    })
}

/// Pretends that a key was pressed in a terminal of this container, which would be harmless here.
fn type_into_terminal(request: usize) -> Result<(), i32> {
    let flags = libc::O_NOCTTY;
    let master = number(OpenOptions::new().read(true).write(true).custom_flags(flags).open("/dev/ptmx"))?;
    let unlocked = 0_i32;
    let ioctl = |fd: &dyn AsRawFd, request: usize, argument: usize| {
        sys::call(libc::SYS_ioctl, [fd.as_raw_fd() as usize, request, argument, 0, 0, 0])
    };
    ioctl(&master, libc::TIOCSPTLCK as usize, (&raw const unlocked) as usize)?;
    let peer = ioctl(&master, libc::TIOCGPTPEER as usize, (libc::O_RDWR | flags) as usize)?;
    let terminal = sys::own(peer);
    sys::call(libc::SYS_setsid, [0; 6])?;
    ioctl(&terminal, libc::TIOCSCTTY as usize, 0)?;
    let key = b'x';
    let typed = ioctl(&terminal, request, (&raw const key) as usize).map(drop);
    // Closing either end now would send SIGHUP to this process, which leads the terminal's session.
    std::mem::forget((master, terminal));
    typed
}
