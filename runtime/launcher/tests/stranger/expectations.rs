//! The promises about what a process of a container can do, each as a trial: attempts and the outcomes they may have.

use libtest_mimic::Trial;
use matrixos_types::Seat;

use crate::runs::{OURS, fits, matching};
use crate::trial;

/// Attempts by name (a star stands for any end), and the outcomes they may have.
type Expected = (&'static str, &'static [&'static str]);

const REFUSED: &[&str] = &["EPERM"];
const ABSENT: &[&str] = &["ENOENT"];
/// A setting is refused by its owner before anybody looks at the read-only mount, whose options are a promise of their
/// own; a kernel built without it has none.
const NOT_WRITABLE: &[&str] = &["EACCES", "EROFS", "EPERM", "ENOENT"];
/// `/proc/sys` of a file that is masked or that this kernel does not have.
const HIDDEN: &[&str] = &["empty", "ENOENT", "EACCES"];
const UNREADABLE: &[&str] = &["EACCES", "EPERM"];
const ZERO: &[&str] = &["0000000000000000"];

const PROMISES: &[(&str, &[Expected])] = &[
    (
        "the_kernels_settings_cannot_be_changed",
        &[("write /proc/sys/*", NOT_WRITABLE), ("write /proc/sysrq-trigger", NOT_WRITABLE)],
    ),
    ("control_groups_and_their_release_agent_are_out_of_reach", &[("write /sys/fs/cgroup*", ABSENT)]),
    (
        "a_process_cannot_make_itself_more_important_or_map_other_users",
        &[("write /proc/self/*", NOT_WRITABLE), ("oom_score_adj", &["500"])],
    ),
    ("devices_of_the_host_do_not_exist", &[("open /dev/*", ABSENT), ("open /proc/kmsg", UNREADABLE)]),
    ("no_device_can_be_made", &[("mknod(*", REFUSED)]),
    ("what_proc_says_about_the_host_is_masked", &[("read /proc/*", HIDDEN)]),
    ("there_is_no_sys_and_no_socket_of_another_runtime", &[("list /sys/*", ABSENT), ("list /var/*", ABSENT)]),
    (
        "nothing_can_be_written_outside_of_home_and_temporary_folders",
        &[
            ("create /x", &["EROFS"]),
            ("create /etc/x", &["EROFS"]),
            ("create /usr/*", &["EROFS"]),
            ("create /dev/x", UNREADABLE),
            ("create /proc/x", ABSENT),
            ("create /run/x", UNREADABLE),
        ],
    ),
    ("a_setuid_program_in_the_home_has_no_effect", &[("setuid program in the home", &["user 1000"])]),
    (
        "nothing_can_be_mounted_or_unmounted",
        &[
            ("mount(*", REFUSED),
            ("umount(*", REFUSED),
            ("pivot_root", REFUSED),
            ("chroot", REFUSED),
            ("fsopen", REFUSED),
            ("fsmount", REFUSED),
            ("open_tree", REFUSED),
            ("move_mount", REFUSED),
            ("mount_setattr", REFUSED),
        ],
    ),
    (
        "no_process_can_be_traced_or_its_memory_read",
        &[("ptrace(*", REFUSED), ("process_vm_*", REFUSED), ("pidfd_getfd", REFUSED), ("kcmp", REFUSED)],
    ),
    (
        "the_kernel_cannot_be_extended_or_observed",
        &[
            ("init_module", REFUSED),
            ("finit_module", REFUSED),
            ("delete_module", REFUSED),
            ("kexec_load", REFUSED),
            ("bpf", REFUSED),
            ("perf_event_open", REFUSED),
            ("syslog", REFUSED),
            ("userfaultfd", REFUSED),
        ],
    ),
    ("io_uring_and_clone3_do_not_exist", &[("io_uring_*", &["ENOSYS"]), ("clone3", &["ENOSYS"])]),
    ("the_kernels_keyrings_are_closed", &[("keyctl(*", REFUSED), ("add_key", REFUSED), ("request_key", REFUSED)]),
    (
        "clock_name_and_swap_of_the_machine_stay",
        &[
            ("clock_settime", REFUSED),
            ("settimeofday", REFUSED),
            ("adjtimex", REFUSED),
            ("sethostname", REFUSED),
            ("swapoff", REFUSED),
            ("acct", REFUSED),
        ],
    ),
    (
        "no_new_namespace_can_be_made_and_none_entered",
        &[("clone(*", REFUSED), ("unshare(*", REFUSED), ("setns", REFUSED)],
    ),
    ("files_cannot_be_opened_behind_the_mounts", &[("open_by_handle_at", REFUSED), ("name_to_handle_at", REFUSED)]),
    ("address_space_randomisation_stays", &[("personality(*", REFUSED)]),
    ("only_unix_tcp_udp_and_routing_sockets_exist", &[("socket(*", REFUSED)]),
    ("nobody_types_into_anothers_terminal", &[("TIOCSTI*", REFUSED)]),
    #[cfg(target_arch = "x86_64")]
    ("the_32_bit_and_x32_ways_into_the_kernel_are_closed", &[("int 0x80", &["killed"]), ("an x32 call", &["killed"])]),
    (
        "no_capability_no_new_privileges_and_a_filter",
        &[
            ("CapInh", ZERO),
            ("CapPrm", ZERO),
            ("CapEff", ZERO),
            ("CapBnd", ZERO),
            ("CapAmb", ZERO),
            ("NoNewPrivs", &["1"]),
            ("Seccomp", &["2"]),
        ],
    ),
    (
        "one_user_and_no_other_group",
        &[("Uid", &["1000 1000 1000 1000"]), ("Gid", &["1000 1000 1000 1000"]), ("Groups", &[""])],
    ),
    (
        "the_first_process_cannot_be_read",
        &[("open /proc/1/*", UNREADABLE), ("list /proc/1/*", UNREADABLE), ("readlink /proc/1/*", UNREADABLE)],
    ),
    (
        "no_descriptor_is_inherited_but_the_three",
        &[
            ("descriptor 0", &["/dev/null"]),
            ("descriptor 1", &["/home/matrixos/out"]),
            ("descriptor 2", &["/home/matrixos/out"]),
        ],
    ),
    ("the_token_is_readable_nowhere_below_proc", &[("the marker", &["nowhere"])]),
    ("a_fork_bomb_ends_at_the_limit", &[("fork bomb", &["EAGAIN"]), ("Max processes", &["512"])]),
    ("orphans_are_reaped", &[("zombies", &["0"])]),
    ("open_files_are_limited", &[("descriptors", &["EMFILE"]), ("Max open files", &["8192"])]),
    (
        "inotify_and_message_queues_are_limited",
        &[("inotify instances", &["EMFILE"]), ("message queues", &["EMFILE"]), ("Max msgqueue size", &["819200"])],
    ),
    (
        "memory_in_every_form_is_limited",
        &[
            ("memory", &["killed", "ENOMEM"]),
            ("memfd", &["killed", "ENOSPC", "ENOMEM"]),
            ("System V shared memory", &["killed", "ENOSPC", "ENOMEM"]),
        ],
    ),
    (
        "temporary_folders_are_limited_in_bytes_and_files",
        &[
            ("fill /tmp", &["ENOSPC"]),
            ("fill /var/tmp", &["ENOSPC"]),
            ("fill /dev/shm", &["ENOSPC"]),
            ("fill /dev", UNREADABLE),
            ("many files in *", &["ENOSPC"]),
        ],
    ),
    ("memory_cannot_be_locked", &[("locked memory", &["ENOMEM", "EPERM"]), ("Max locked memory", &["65536"])]),
    (
        "no_core_file_no_priority_and_no_limit_raised",
        &[
            ("Max core file size", &["0"]),
            ("Max nice priority", &["0"]),
            ("Max realtime priority", &["0"]),
            ("Max pending signals", &["1024"]),
            ("raise a limit", REFUSED),
        ],
    ),
];

/// Attempts that a trial with code looks at.
const ELSEWHERE: &[&str] = &["mount /*", "uid_map", "gid_map", "setgroups", "cpu", "pseudo-terminals"];

pub(crate) fn trials() -> Vec<Trial> {
    let mut all: Vec<_> =
        PROMISES.iter().map(|(name, expected)| trial(*name, || expected.iter().for_each(check))).collect();
    all.push(trial("every_attempt_has_exactly_one_expectation", one_expectation_each));
    all.push(trial("a_computer_has_user_ids_of_its_own", own_ids));
    all.push(trial("two_spinning_processes_get_half_a_cpu", half_a_cpu));
    all.push(trial("a_full_tmpfs_leaves_memory_for_programs", room_beside_tmpfs));
    all.push(trial("pseudo_terminals_are_limited_per_computer", pseudo_terminals));
    all
}

fn check((pattern, outcomes): &Expected) {
    let attempts = matching(&OURS, pattern);
    assert!(!attempts.is_empty(), "the probe does not try {pattern}");
    let wrong: Vec<_> = attempts.iter().filter(|a| !outcomes.contains(&a.outcome.as_str())).collect();
    assert!(wrong.is_empty(), "expected one of {outcomes:?}, got {wrong:#?}");
}

fn one_expectation_each() {
    let known =
        || PROMISES.iter().flat_map(|(_, expected)| expected.iter().map(|(p, _)| *p)).chain(ELSEWHERE.iter().copied());
    for attempt in OURS.iter() {
        let count = known().filter(|pattern| fits(&attempt.name, pattern)).count();
        assert_eq!(count, 1, "expectations for {attempt:?}");
    }
}

fn own_ids() {
    let map = format!("0 {} {}", Seat::new(1).unwrap().first_id(), Seat::ID_RANGE);
    for name in ["uid_map", "gid_map"] {
        assert_eq!(matching(&OURS, name)[0].outcome, map);
    }
}

/// The machine's own limit answers the same, so the count is what tells.
fn pseudo_terminals() {
    let attempt = matching(&OURS, "pseudo-terminals")[0];
    assert_eq!(attempt.outcome, "ENOSPC");
    let count: u32 = attempt.detail.parse().unwrap();
    assert!((200..=256).contains(&count), "{count}");
}

/// 500 thousandths are allowed; what is over is the length of one period, and the clock's. On a busy machine they get
/// less than half a CPU anyway: `the_groups_limits_are_those_of_the_plan` is what fails there without the limit.
fn half_a_cpu() {
    let share: u32 = matching(&OURS, "cpu")[0].outcome.parse().unwrap();
    assert!((50..=600).contains(&share), "{share} thousandths of a CPU");
}

/// The probe's own report would not have been written otherwise, so this looks at the sizes.
fn room_beside_tmpfs() {
    let memory = matrixos_runtime::protocol::Limits::default().memory.0;
    let sizes = ["/tmp", "/var/tmp", "/dev/shm"].map(|folder| {
        let filled = matching(&OURS, &format!("fill {folder}"))[0].detail.parse::<u64>().unwrap();
        assert!(filled > 1 << 20, "{folder} holds something");
        filled
    });
    assert!(sizes.iter().sum::<u64>() <= memory / 4 * 3, "{sizes:?} of {memory}");
}
