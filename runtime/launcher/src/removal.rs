//! Taking a container down, whatever state it is in: half made, running, stopped, or not there at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use matrixos_netns::apply;
use matrixos_rootfs::{quota, tree};
use matrixos_runtime::cgroups::{self, Layout};
use matrixos_runtime::protocol::{Failure, FailureKind};
use matrixos_types::{ContainerId, Handle, Seat};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::house::{House, controllers};
use crate::record::Record;

/// How long killed processes may take to leave their group.
const KILLED_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn failed(step: &str, message: impl ToString) -> Failure {
    Failure { kind: FailureKind::Failed, step: step.to_owned(), message: message.to_string() }
}

/// Removes everything of the container but the user's files.
pub(crate) fn take_down(house: &House, container: &ContainerId, seat: Option<Seat>) -> Result<(), Failure> {
    clear_groups(house, container).map_err(|e| failed("control group", e))?;
    if let Some(lease) = seat.and_then(|seat| house.lease(seat)) {
        apply::detach(&lease).map_err(|e| failed("network", e))?;
    }
    if let Ok(record) = Record::read(&house.container(container)) {
        release(house, &record.handle)?;
    }
    for folder in [house.states().join(container.as_str()), house.container(container)] {
        match fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(failed("state", format!("{}: {e}", folder.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// [`take_down`], and the user's files.
pub(crate) fn destroy(house: &House, container: &ContainerId, seat: Seat, handle: &Handle) -> Result<(), Failure> {
    take_down(house, container, Some(seat))?;
    release(house, handle)?;
    tree::remove(&house.users(), handle, seat).map_err(|e| failed("files", e))
}

fn release(house: &House, handle: &Handle) -> Result<(), Failure> {
    quota::release(&tree::folder(&house.users(), handle)).map_err(|e| failed("disk", e))
}

/// The container's control groups that exist.
fn groups(house: &House, container: &ContainerId) -> Vec<PathBuf> {
    let (root, group) = (Path::new(cgroups::ROOT), house.group(container));
    let all: Vec<PathBuf> = match house.layout {
        Layout::Unified => vec![house.layout.directory(root, "", &group)],
        Layout::PerController => controllers(root).iter().map(|c| house.layout.directory(root, c, &group)).collect(),
    };
    all.into_iter().filter(|g| g.is_dir()).collect()
}

/// Kills whatever is in the container's groups and removes them, until none is left. A launch that was cut short may
/// still have a process on its way into them, so one pass is not enough.
fn clear_groups(house: &House, container: &ContainerId) -> io::Result<()> {
    let deadline = Instant::now() + KILLED_WITHIN;
    let mut pause = Duration::from_micros(200);
    loop {
        let groups = groups(house, container);
        if groups.is_empty() {
            return Ok(());
        }
        end_processes(house.layout, &groups)?;
        let stuck = groups.iter().find_map(|group| Some((group, remove_group(group).err()?)));
        let Some((group, error)) = stuck else { continue };
        if Instant::now() > deadline {
            return Err(io::Error::other(format!(
                "{} cannot be removed: {error}; in it: {:?}",
                group.display(),
                processes(group)?
            )));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Kills what is in the groups. Version 1 has no way to kill a group at once, so it is frozen meanwhile, or a process
/// could fork away; on either layout a frozen group must be thawed, or its processes could not die.
fn end_processes(layout: Layout, groups: &[PathBuf]) -> io::Result<()> {
    let set = |file: &str, value: &str| groups.iter().for_each(|group| _ = fs::write(group.join(file), value));
    match layout {
        Layout::Unified => {
            set("cgroup.kill", "1");
            set("cgroup.freeze", "0");
        }
        Layout::PerController => {
            // Only one of the hierarchies has this file.
            set("freezer.state", "FROZEN");
            for group in groups {
                processes(group)?.into_iter().for_each(|pid| _ = kill(Pid::from_raw(pid), Signal::SIGKILL));
            }
            set("freezer.state", "THAWED");
        }
    }
    Ok(())
}

fn processes(group: &Path) -> io::Result<Vec<i32>> {
    match fs::read_to_string(group.join("cgroup.procs")) {
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        // The group is being removed.
        Err(e) if e.raw_os_error() == Some(nix::errno::Errno::ENODEV as i32) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Removes a group; the kernel says "busy" while a process is in it.
fn remove_group(group: &Path) -> io::Result<()> {
    match fs::remove_dir(group) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
