//! What a container uses, read from the kernel's world-readable control group files, on both layouts.

use std::path::{Path, PathBuf};
use std::{fs, io};

use cgroups_rs::fs::cpuacct::CpuAcctController;
use cgroups_rs::fs::memory::MemController;
use cgroups_rs::fs::pid::PidController;
use matrixos_types::{Bytes, ContainerId, Instance};
use serde::Serialize;

use crate::cgroups::{self, Layout};

/// What a container uses now and has used since it was launched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Memory in use, page cache and tmpfs included.
    pub memory_current: Bytes,
    /// The most memory that was in use at once; zero where the kernel does not say (v2 before Linux 5.19).
    pub memory_peak: Bytes,
    /// CPU time, in microseconds.
    pub cpu_usec: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Processes that the kernel ended because the memory limit was reached.
    pub oom_kills: u64,
}

/// Why usage could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The container has no control group: it does not run.
    #[error("the container has no control group; it does not run")]
    Absent,
    /// A file could not be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A file does not say what it should.
    #[error("{} has no number for {key:?}", file.display())]
    Parse {
        /// The file.
        file: PathBuf,
        /// What was looked for in it.
        key: &'static str,
    },
}

/// What a container of this installation uses. Needs no privilege.
pub fn usage(instance: &Instance, container: &ContainerId) -> Result<Usage, StatsError> {
    let path = cgroups::path(instance, container);
    usage_below(Path::new(cgroups::MOUNT), Layout::of_this_host(), &path)
}

/// As [`usage`], with the control groups mounted at `mount`.
pub fn usage_below(mount: &Path, layout: Layout, group: &Path) -> Result<Usage, StatsError> {
    let group = group.strip_prefix("/").unwrap_or(group);
    match layout {
        Layout::Unified => unified(&mount.join(group)),
        Layout::PerController => per_controller(mount, group),
    }
}

fn unified(dir: &Path) -> Result<Usage, StatsError> {
    let pids = pids(dir, true)?;
    let memory = MemController::new(dir.to_owned(), PathBuf::new(), true).memory_stat();
    Ok(Usage {
        memory_current: Bytes(memory.usage_in_bytes),
        memory_peak: Bytes(memory.max_usage_in_bytes),
        // cgroups-rs gives cpu.stat only as text, and does not read memory.events at all on v2.
        cpu_usec: number_after(&dir.join("cpu.stat"), "usage_usec")?,
        pids,
        oom_kills: number_after(&dir.join("memory.events"), "oom_kill")?,
    })
}

fn per_controller(mount: &Path, group: &Path) -> Result<Usage, StatsError> {
    let memory_dir = mount.join("memory").join(group);
    let pids = pids(&mount.join("pids").join(group), false)?;
    let memory = MemController::new(memory_dir.clone(), PathBuf::new(), false).memory_stat();
    let cpu = CpuAcctController::new(mount.join("cpuacct").join(group), PathBuf::new()).cpuacct();
    Ok(Usage {
        memory_current: Bytes(memory.usage_in_bytes),
        memory_peak: Bytes(memory.max_usage_in_bytes),
        cpu_usec: cpu.usage / 1_000,
        pids,
        // cgroups-rs takes the sixth word of memory.oom_control, whose order the kernel does not promise.
        oom_kills: number_after(&memory_dir.join("memory.oom_control"), "oom_kill")?,
    })
}

/// cgroups-rs answers zero for a memory file that is not there; this call is the one that notices.
fn pids(dir: &Path, v2: bool) -> Result<u64, StatsError> {
    if !dir.is_dir() {
        return Err(StatsError::Absent);
    }
    let file = dir.join("pids.current");
    PidController::new(dir.to_owned(), PathBuf::new(), v2)
        .get_pid_current()
        .map_err(|e| StatsError::Read(file, io::Error::other(e.to_string())))
}

/// The number that follows `key` in a file of `key number` lines.
fn number_after(file: &Path, key: &'static str) -> Result<u64, StatsError> {
    let text = fs::read_to_string(file).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => StatsError::Absent,
        _ => StatsError::Read(file.to_owned(), e),
    })?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    line.and_then(|n| n.trim().parse().ok()).ok_or_else(|| StatsError::Parse { file: file.to_owned(), key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(dir).expect("a directory");
        for (name, text) in files {
            fs::write(dir.join(name), text).expect("a file");
        }
    }

    #[test]
    fn a_unified_host_is_read_from_one_directory() {
        let mount = tempfile::tempdir().expect("a directory");
        let files = [
            ("pids.current", "7\n"),
            ("memory.current", "1048576\n"),
            ("memory.peak", "2097152\n"),
            ("memory.events", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 1\n"),
            ("cpu.stat", "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n"),
        ];
        write(&mount.path().join("test/c1"), &files);
        let usage = usage_below(mount.path(), Layout::Unified, Path::new("/test/c1")).expect("usage");
        let expected =
            Usage { memory_current: Bytes::mib(1), memory_peak: Bytes::mib(2), cpu_usec: 1234, pids: 7, oom_kills: 3 };
        assert_eq!(usage, expected);
    }

    #[test]
    fn a_host_with_v1_controllers_is_read_from_one_directory_each() {
        let mount = tempfile::tempdir().expect("a directory");
        write(&mount.path().join("pids/test/c1"), &[("pids.current", "2\n")]);
        write(&mount.path().join("cpuacct/test/c1"), &[("cpuacct.usage", "5000000\n")]);
        let memory = [
            ("memory.usage_in_bytes", "4096\n"),
            ("memory.max_usage_in_bytes", "8192\n"),
            ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"),
        ];
        write(&mount.path().join("memory/test/c1"), &memory);
        let usage = usage_below(mount.path(), Layout::PerController, Path::new("/test/c1")).expect("usage");
        let expected =
            Usage { memory_current: Bytes(4096), memory_peak: Bytes(8192), cpu_usec: 5000, pids: 2, oom_kills: 5 };
        assert_eq!(usage, expected);
    }

    #[test]
    fn a_container_that_does_not_run_is_absent_and_not_zero() {
        let mount = tempfile::tempdir().expect("a directory");
        for layout in [Layout::Unified, Layout::PerController] {
            let usage = usage_below(mount.path(), layout, Path::new("/test/c1"));
            assert!(matches!(usage, Err(StatsError::Absent)), "{usage:?}");
        }
    }
}
