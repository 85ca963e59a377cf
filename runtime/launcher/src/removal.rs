//! Taking a container down, whatever state it is in: half made, running, stopped, or not there at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use matrixos_netns::apply;
use matrixos_rootfs::tree;
use matrixos_runtime::cgroups::{self, Layout};
use matrixos_runtime::protocol::{Failure, FailureKind};
use matrixos_types::{ContainerId, Handle, Seat};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::house::{House, controllers};

/// How long killed processes may take to leave their group.
const KILLED_WITHIN: Duration = Duration::from_secs(10);

fn failed(step: &str, message: impl ToString) -> Failure {
    Failure { kind: FailureKind::Failed, step: step.to_owned(), message: message.to_string() }
}

/// Removes everything of the container but the user's files.
pub(crate) fn take_down(house: &House, container: &ContainerId, seat: Seat) -> Result<(), Failure> {
    for group in groups(house, container) {
        empty(house.layout, &group).map_err(|e| failed("kill", e))?;
        remove_group(&group).map_err(|e| failed("control group", format!("{}: {e}", group.display())))?;
    }
    if let Some(lease) = house.lease(seat) {
        apply::detach(&lease).map_err(|e| failed("network", e))?;
    }
    for folder in [house.states().join(container.as_str()), house.container(container)] {
        match fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed("state", format!("{}: {e}", folder.display()))),
            _ => {}
        }
    }
    Ok(())
}

/// [`take_down`], and the user's files.
pub(crate) fn destroy(house: &House, container: &ContainerId, seat: Seat, handle: &Handle) -> Result<(), Failure> {
    take_down(house, container, seat)?;
    tree::remove(&house.config.data, handle, seat).map_err(|e| failed("files", e))
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

/// Kills whatever is in a group until it is empty. A frozen group is thawed, or its processes could not die.
fn empty(layout: Layout, group: &Path) -> io::Result<()> {
    let deadline = Instant::now() + KILLED_WITHIN;
    let mut pause = Duration::from_micros(200);
    loop {
        let processes = processes(group)?;
        if processes.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("processes {processes:?} do not die")));
        }
        match layout {
            Layout::Unified if fs::write(group.join("cgroup.kill"), "1").is_ok() => {}
            _ => processes.iter().for_each(|pid| _ = kill(Pid::from_raw(*pid), Signal::SIGKILL)),
        }
        let thaw = if layout == Layout::Unified { ("cgroup.freeze", "0") } else { ("freezer.state", "THAWED") };
        let _ = fs::write(group.join(thaw.0), thaw.1);
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
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

/// Removes an empty group; the kernel may say "busy" for a moment after its last process has ended.
fn remove_group(group: &Path) -> io::Result<()> {
    let deadline = Instant::now() + KILLED_WITHIN;
    loop {
        match fs::remove_dir(group) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::ResourceBusy && Instant::now() < deadline => sleep(Duration::from_millis(1)),
            other => return other,
        }
    }
}
