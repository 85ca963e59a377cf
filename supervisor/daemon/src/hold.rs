//! `matrixos hold`: keeps the control group that a service manager has delegated to the computers. A delegated group
//! lives as long as its unit has a process, and a group with processes of its own cannot hand controllers down (kernel:
//! cgroup-v2.rst, "No Internal Process Constraint"): so this process moves into a group below, and sleeps there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use matrixos_runtime::cgroups::{Layout, ROOT};

use crate::notify::Manager;

/// Name of the group that this process moves to.
const LEAF: &str = "hold";

/// Holds the group until it is killed.
pub(crate) fn run() -> Result<()> {
    let manager = Manager::from_env().context("the service manager's socket")?;
    ensure!(
        Layout::of_host() == Layout::Unified,
        "this machine mounts control groups of version 1; boot it with systemd.unified_cgroup_hierarchy=1"
    );
    settle(&own_group()?)?;
    manager.ready();
    loop {
        std::thread::park();
    }
}

/// The directory of this process's group.
fn own_group() -> Result<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").context("cannot read the own control group")?;
    let path =
        text.lines().find_map(|line| line.strip_prefix("0::/")).context("this process is in no control group")?;
    ensure!(!path.is_empty(), "this command is started by a service manager, in a control group of its own");
    Ok(Path::new(ROOT).join(path))
}

fn settle(group: &Path) -> Result<()> {
    let leaf = group.join(LEAF);
    if !leaf.is_dir() {
        fs::create_dir(&leaf).with_context(|| format!("cannot make {}", leaf.display()))?;
    }
    fs::write(leaf.join("cgroup.procs"), "0").with_context(|| format!("cannot move to {}", leaf.display()))?;
    let there = group.join("cgroup.controllers");
    let there = fs::read_to_string(&there).with_context(|| format!("cannot read {}", there.display()))?;
    for controller in ["cpu", "memory", "pids"] {
        ensure!(
            there.split_whitespace().any(|has| has == controller),
            "the {controller} controller is not delegated to {}; its unit needs Delegate=yes",
            group.display()
        );
    }
    let control = group.join("cgroup.subtree_control");
    let all: Vec<_> = there.split_whitespace().map(|name| format!("+{name}")).collect();
    fs::write(&control, all.join(" ")).with_context(|| format!("cannot write {}", control.display()))
}
