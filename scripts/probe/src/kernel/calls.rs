//! System calls that a computer may not make.

use std::ffi::c_long;

use super::attempt;
use crate::report::Attempt;
use crate::sys;

pub(super) fn attempts() -> Vec<Attempt> {
    let mut all: Vec<_> = table().into_iter().map(|(name, number, args)| call(name, number, args)).collect();
    for (name, flag) in namespaces() {
        all.push(clone(format!("clone({name})"), flag));
    }
    for (name, flag) in namespaces() {
        all.push(call(&format!("unshare({name})"), libc::SYS_unshare, [flag, 0, 0, 0, 0, 0]));
    }
    all
}

fn namespaces() -> [(&'static str, usize); 7] {
    [
        ("NEWNS", libc::CLONE_NEWNS),
        ("NEWCGROUP", libc::CLONE_NEWCGROUP),
        ("NEWUTS", libc::CLONE_NEWUTS),
        ("NEWIPC", libc::CLONE_NEWIPC),
        ("NEWUSER", libc::CLONE_NEWUSER),
        ("NEWPID", libc::CLONE_NEWPID),
        ("NEWNET", libc::CLONE_NEWNET),
    ]
    .map(|(name, flag)| (name, flag as usize))
}

fn call(name: &str, number: c_long, args: [usize; 6]) -> Attempt {
    attempt(name, || sys::call(number, args).map(drop))
}

/// All other namespaces need a new user namespace first, so that it goes along with them.
fn clone(name: String, flag: usize) -> Attempt {
    attempt(name, || {
        let flags = flag | libc::CLONE_NEWUSER as usize | libc::SIGCHLD as usize;
        match sys::call(libc::SYS_clone, [flags, 0, 0, 0, 0, 0])? {
            0 => sys::exit(0),
            child => {
                sys::wait(child as libc::pid_t);
                Ok(())
            }
        }
    })
}

/// Calls whose arguments are empty or ask for what is so already.
fn table() -> Vec<(&'static str, c_long, [usize; 6])> {
    let text = |s: &'static std::ffi::CStr| s.as_ptr() as usize;
    let (tmp, tmpfs, cgroup, kcore) = (text(c"/tmp"), text(c"tmpfs"), text(c"cgroup"), text(c"/proc/kcore"));
    vec![
        ("mount(tmpfs)", libc::SYS_mount, [tmpfs, tmp, tmpfs, 0, 0, 0]),
        (
            "mount(remount of the root)",
            libc::SYS_mount,
            [0, text(c"/"), 0, libc::MS_REMOUNT as usize | libc::MS_BIND as usize, 0, 0],
        ),
        ("mount(cgroup)", libc::SYS_mount, [cgroup, tmp, cgroup, 0, text(c"memory"), 0]),
        ("mount(cgroup2)", libc::SYS_mount, [cgroup, tmp, text(c"cgroup2"), 0, 0, 0]),
        ("umount(a mask)", libc::SYS_umount2, [kcore, libc::MNT_DETACH as usize, 0, 0, 0, 0]),
        ("umount(/proc/sys)", libc::SYS_umount2, [text(c"/proc/sys"), libc::MNT_DETACH as usize, 0, 0, 0, 0]),
        ("pivot_root", libc::SYS_pivot_root, [tmp, tmp, 0, 0, 0, 0]),
        ("chroot", libc::SYS_chroot, [tmp, 0, 0, 0, 0, 0]),
        ("fsopen", libc::SYS_fsopen, [tmpfs, 0, 0, 0, 0, 0]),
        ("fsmount", libc::SYS_fsmount, [usize::MAX, 0, 0, 0, 0, 0]),
        ("open_tree", libc::SYS_open_tree, [libc::AT_FDCWD as usize, tmp, 1, 0, 0, 0]),
        ("move_mount", libc::SYS_move_mount, [usize::MAX, 0, usize::MAX, 0, 0, 0]),
        ("mount_setattr", libc::SYS_mount_setattr, [libc::AT_FDCWD as usize, tmp, 0, 0, 0, 0]),
        ("ptrace(seize the first process)", libc::SYS_ptrace, [libc::PTRACE_SEIZE as usize, 1, 0, 0, 0, 0]),
        ("ptrace(trace me)", libc::SYS_ptrace, [libc::PTRACE_TRACEME as usize, 0, 0, 0, 0, 0]),
        ("process_vm_readv(the first process)", libc::SYS_process_vm_readv, [1, 0, 0, 0, 0, 0]),
        ("process_vm_writev(the first process)", libc::SYS_process_vm_writev, [1, 0, 0, 0, 0, 0]),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, [usize::MAX, 0, 0, 0, 0, 0]),
        ("kcmp", libc::SYS_kcmp, [1, 1, 0, 0, 0, 0]),
        ("init_module", libc::SYS_init_module, [0; 6]),
        ("finit_module", libc::SYS_finit_module, [usize::MAX, 0, 0, 0, 0, 0]),
        ("delete_module", libc::SYS_delete_module, [text(c"no_such_module"), 0, 0, 0, 0, 0]),
        ("kexec_load", libc::SYS_kexec_load, [0, 0, 0, usize::MAX, 0, 0]),
        ("bpf", libc::SYS_bpf, [0; 6]),
        ("perf_event_open", libc::SYS_perf_event_open, [0; 6]),
        ("io_uring_setup", libc::SYS_io_uring_setup, [0; 6]),
        ("io_uring_enter", libc::SYS_io_uring_enter, [usize::MAX, 0, 0, 0, 0, 0]),
        ("clone3", libc::SYS_clone3, [0; 6]),
        ("keyctl(get the session's keyring)", libc::SYS_keyctl, [0, (-3_isize).cast_unsigned(), 0, 0, 0, 0]),
        ("add_key", libc::SYS_add_key, [0; 6]),
        ("request_key", libc::SYS_request_key, [0; 6]),
        ("adjtimex", libc::SYS_adjtimex, [0; 6]),
        ("settimeofday", libc::SYS_settimeofday, [0; 6]),
        // Size of the kernel's message buffer: action 10 of syslog(2).
        ("syslog", libc::SYS_syslog, [10, 0, 0, 0, 0, 0]),
        ("swapoff", libc::SYS_swapoff, [text(c"/no/such/file"), 0, 0, 0, 0, 0]),
        ("sethostname", libc::SYS_sethostname, [0; 6]),
        ("acct", libc::SYS_acct, [0; 6]),
        ("userfaultfd", libc::SYS_userfaultfd, [1, 0, 0, 0, 0, 0]),
        ("name_to_handle_at", libc::SYS_name_to_handle_at, [libc::AT_FDCWD as usize, tmp, 0, 0, 0, 0]),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, [libc::AT_FDCWD as usize, 0, 0, 0, 0, 0]),
        ("personality(ADDR_NO_RANDOMIZE)", libc::SYS_personality, [libc::ADDR_NO_RANDOMIZE as usize, 0, 0, 0, 0, 0]),
        ("socket(AF_PACKET)", libc::SYS_socket, socket(libc::AF_PACKET, libc::SOCK_RAW, 0)),
        ("socket(AF_VSOCK)", libc::SYS_socket, socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0)),
        ("socket(AF_ALG)", libc::SYS_socket, socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0)),
        ("socket(AF_KEY)", libc::SYS_socket, socket(libc::AF_KEY, libc::SOCK_RAW, 2)),
        ("socket(AF_INET, SOCK_RAW)", libc::SYS_socket, socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP)),
        ("socket(AF_INET6, SOCK_RAW)", libc::SYS_socket, socket(libc::AF_INET6, libc::SOCK_RAW, libc::IPPROTO_ICMPV6)),
        ("socket(AF_INET, SCTP)", libc::SYS_socket, socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_SCTP)),
        (
            "socket(AF_NETLINK, NETFILTER)",
            libc::SYS_socket,
            socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_NETFILTER),
        ),
        ("socket(AF_NETLINK, XFRM)", libc::SYS_socket, socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_XFRM)),
    ]
}

fn socket(family: i32, kind: i32, protocol: i32) -> [usize; 6] {
    [family as usize, kind as usize, protocol as usize, 0, 0, 0]
}
