//! Files that would change or show the host.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use super::{attempt, number};
use crate::report::Attempt;

/// Where the harness puts a copy of this program that belongs to the container's user 0 and is set-user-id.
const SETUID: &str = "/home/matrixos/setuid-probe";

pub(super) fn attempts() -> Vec<Attempt> {
    let settings = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname"];
    let mut all: Vec<_> = settings.map(rewrite).into();
    all.push(attempt("write /proc/sysrq-trigger", || {
        // An unknown key only makes the kernel print its help.
        number(OpenOptions::new().write(true).open("/proc/sysrq-trigger").and_then(|mut f| f.write_all(b"?")))
    }));
    all.push(attempt("write /proc/self/oom_score_adj", || number(fs::write("/proc/self/oom_score_adj", "-1000"))));
    all.push(attempt("write /proc/self/uid_map", || number(fs::write("/proc/self/uid_map", "0 0 1\n"))));
    let devices = [
        "mem",
        "kmem",
        "port",
        "kmsg",
        "fuse",
        "kvm",
        "net/tun",
        "userfaultfd",
        "vhost-net",
        "console",
        "sda",
        "vda",
        "loop-control",
    ];
    all.extend(devices.map(|device| open(&format!("/dev/{device}"))));
    all.push(open("/proc/kmsg"));
    let masked = [
        "/proc/kcore",
        "/proc/keys",
        "/proc/timer_list",
        "/proc/interrupts",
        "/proc/cmdline",
        "/proc/kallsyms",
        "/proc/modules",
        "/proc/softirqs",
        "/proc/pressure/cpu",
        "/proc/latency_stats",
    ];
    all.extend(masked.map(masked_file));
    let absent = ["/sys/kernel", "/sys/devices", "/sys/fs/cgroup", "/sys/firmware/efi", "/var/run/docker.sock"];
    all.extend(absent.map(|path| attempt(format!("list {path}"), || number(fs::read_dir(path)).map(drop))));
    for place in ["", "/memory", "/unified"] {
        all.push(rewrite(&format!("/sys/fs/cgroup{place}/release_agent")));
    }
    for place in ["/x", "/etc/x", "/usr/lib/matrixos/x", "/dev/x", "/proc/x", "/run/x"] {
        all.push(attempt(format!("create {place}"), || number(fs::File::create_new(place)).map(drop)));
    }
    all.push(setuid());
    all
}

/// Opens a setting for writing and writes what it says already.
fn rewrite(path: &str) -> Attempt {
    attempt(format!("write {path}"), || {
        let now = fs::read(path).unwrap_or_default();
        number(OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(&now)))
    })
}

fn open(path: &str) -> Attempt {
    attempt(format!("open {path}"), || number(fs::File::open(path)).map(drop))
}

/// A masked file is empty, if it exists at all: its first byte is what counts.
fn masked_file(path: &str) -> Attempt {
    let first = fs::File::open(path).and_then(|mut file| file.read(&mut [0]));
    let outcome = match first {
        Ok(0) => "empty".to_owned(),
        Ok(_) => "readable".to_owned(),
        Err(_) => crate::report::io(&first),
    };
    Attempt::new(format!("read {path}"), outcome)
}

/// Runs a set-user-id program from the home; the outcome is whom it ran as.
fn setuid() -> Attempt {
    let name = "setuid program in the home";
    match Command::new(SETUID).arg("ids").stdin(Stdio::null()).output() {
        Ok(output) => Attempt::new(name, format!("user {}", String::from_utf8_lossy(&output.stdout).trim())),
        Err(error) => Attempt::new(name, error.to_string()),
    }
}
