//! What a container uses, read from the kernel's counters on either layout of control groups. Needs no privilege.
//!
//! The counters are plain files; `cgroups-rs` opens the hierarchies of the calling process and cannot be pointed at
//! another mount, so that neither its tests nor ours could feed it a tree. Reading five files is less than adapting it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use matrixos_types::{Bytes, ContainerId};
use serde::{Deserialize, Serialize};

use crate::cgroups::{self, Groups, Layout, ROOT};

/// A reading of one container's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Memory in use now, page cache included.
    pub memory: Bytes,
    /// The most memory ever in use at once, where the kernel keeps it (unified: since 5.19).
    pub memory_peak: Option<Bytes>,
    /// CPU time used, in microseconds.
    pub cpu_micros: u64,
    /// Processes and threads now.
    pub pids: u64,
    /// Processes killed because the container had no memory left.
    pub oom_kills: u64,
}

/// A counter that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The file could not be read; the container is perhaps gone.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says something unexpected.
    #[error("cannot understand {}", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads the counters of a container of this host.
pub fn usage(groups: &Groups, container: &ContainerId) -> Result<Usage, StatsError> {
    read(Path::new(ROOT), Layout::of_host(), &groups.group(container))
}

/// Whether the processes of a container of this host are stopped where they are.
pub fn is_frozen(groups: &Groups, container: &ContainerId) -> bool {
    let layout = Layout::of_host();
    let directory = layout.directory(Path::new(ROOT), "freezer", &groups.group(container));
    cgroups::is_frozen(layout, &directory).unwrap_or(false)
}

/// Reads the counters of `group` below the cgroup mount `root`.
pub fn read(root: &Path, layout: Layout, group: &str) -> Result<Usage, StatsError> {
    let file = |controller, name: &str| layout.directory(root, controller, group).join(name);
    match layout {
        Layout::Unified => Ok(Usage {
            memory: Bytes(number(&file("memory", "memory.current"))?),
            memory_peak: number(&file("memory", "memory.peak")).ok().map(Bytes),
            cpu_micros: field(&file("cpu", "cpu.stat"), "usage_usec")?,
            pids: number(&file("pids", "pids.current"))?,
            oom_kills: field(&file("memory", "memory.events"), "oom_kill")?,
        }),
        Layout::PerController => Ok(Usage {
            memory: Bytes(number(&file("memory", "memory.usage_in_bytes"))?),
            memory_peak: number(&file("memory", "memory.max_usage_in_bytes")).ok().map(Bytes),
            cpu_micros: number(&file("cpuacct", "cpuacct.usage"))? / 1_000,
            pids: number(&file("pids", "pids.current"))?,
            oom_kills: field(&file("memory", "memory.oom_control"), "oom_kill")?,
        }),
    }
}

fn text(path: &Path) -> Result<String, StatsError> {
    fs::read_to_string(path).map_err(|source| StatsError::Read { path: path.to_owned(), source })
}

fn number(path: &Path) -> Result<u64, StatsError> {
    text(path)?.trim().parse().map_err(|_| StatsError::Parse { path: path.to_owned() })
}

/// The value of `name` in a file of lines `name value`.
fn field(path: &Path, name: &str) -> Result<u64, StatsError> {
    let text = text(path)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok());
    value.ok_or_else(|| StatsError::Parse { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(root: &Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, content).expect("written");
        }
    }

    #[test]
    fn both_layouts_give_the_same_reading() {
        let unified = tempfile::tempdir().expect("a folder");
        plant(
            unified.path(),
            &[
                ("cgroup.controllers", "memory cpu pids\n"),
                ("m/c/memory.current", "1048576\n"),
                ("m/c/memory.peak", "2097152\n"),
                ("m/c/memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 0\n"),
                ("m/c/cpu.stat", "usage_usec 5000\nuser_usec 4000\nsystem_usec 1000\n"),
                ("m/c/pids.current", "4\n"),
            ],
        );
        let old = tempfile::tempdir().expect("a folder");
        plant(
            old.path(),
            &[
                ("memory/m/c/memory.usage_in_bytes", "1048576\n"),
                ("memory/m/c/memory.max_usage_in_bytes", "2097152\n"),
                ("memory/m/c/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
                ("cpuacct/m/c/cpuacct.usage", "5000000\n"),
                ("pids/m/c/pids.current", "4\n"),
            ],
        );
        let expected =
            Usage { memory: Bytes::mib(1), memory_peak: Some(Bytes::mib(2)), cpu_micros: 5_000, pids: 4, oom_kills: 3 };
        for root in [unified.path(), old.path()] {
            assert_eq!(read(root, Layout::of(root), "/m/c").expect("readable"), expected);
        }
    }

    #[test]
    fn a_container_that_is_gone_is_an_error_that_names_the_file() {
        let error = read(Path::new("/nowhere"), Layout::Unified, "/m/c").expect_err("gone");
        assert!(error.to_string().contains("/nowhere/m/c/memory.current"));
    }
}
