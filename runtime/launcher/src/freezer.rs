//! Stopping a container's processes where they are, and letting them go on. Kernel: cgroup-v2.rst, "cgroup.freeze";
//! cgroup-v1/freezer-subsystem.rst.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use matrixos_runtime::cgroups::{self, Layout};
use matrixos_runtime::protocol::Failure;
use matrixos_types::ContainerId;

use crate::house::House;
use crate::removal::failed;

/// How long processes may take to stop. Usually some microseconds; but one that has used up its share of the CPU must
/// first be given some again, and one that waits for a disk stops when that has answered.
const WITHIN: Duration = Duration::from_secs(2);
/// What a version 1 group is squeezed into, in bytes.
const SQUEEZED: u64 = 4 << 20;

/// Freezes the container; fine if it is frozen.
pub(crate) fn freeze(house: &House, container: &ContainerId) -> Result<(), Failure> {
    Group::of(house, container).set(true).map_err(|e| failed("freeze", e))
}

/// Hands a container's memory back to the host, as far as there is somewhere to put it: without swap only what can be
/// read again from files goes.
pub(crate) fn page_out(house: &House, container: &ContainerId) {
    let _ = Group::of(house, container).page_out();
}

/// Lets the container go on; fine if it does.
pub(crate) fn thaw(house: &House, container: &ContainerId) -> Result<(), Failure> {
    Group::of(house, container).set(false).map_err(|e| failed("thaw", e))
}

struct Group {
    layout: Layout,
    freezer: PathBuf,
    memory: PathBuf,
}

impl Group {
    fn of(house: &House, container: &ContainerId) -> Self {
        let (root, group) = (Path::new(cgroups::ROOT), house.group(container));
        let directory = |controller| house.layout.directory(root, controller, &group);
        Self { layout: house.layout, freezer: directory("freezer"), memory: directory("memory") }
    }

    fn set(&self, frozen: bool) -> io::Result<()> {
        let (file, word) = match (self.layout, frozen) {
            (Layout::Unified, true) => ("cgroup.freeze", "1"),
            (Layout::Unified, false) => ("cgroup.freeze", "0"),
            (Layout::PerController, true) => ("freezer.state", "FROZEN"),
            (Layout::PerController, false) => ("freezer.state", "THAWED"),
        };
        fs::write(self.freezer.join(file), word)?;
        let deadline = Instant::now() + WITHIN;
        while self.is_frozen()? != frozen {
            if Instant::now() > deadline {
                // Half frozen is neither asleep nor awake.
                let undo = if self.layout == Layout::Unified { "0" } else { "THAWED" };
                let _ = fs::write(self.freezer.join(file), undo);
                return Err(io::Error::new(io::ErrorKind::TimedOut, "its processes did not stop in time"));
            }
            sleep(Duration::from_micros(100));
        }
        Ok(())
    }

    fn is_frozen(&self) -> io::Result<bool> {
        cgroups::is_frozen(self.layout, &self.freezer)
    }

    fn page_out(&self) -> io::Result<()> {
        match self.layout {
            Layout::Unified => {
                let used = fs::read_to_string(self.memory.join("memory.current"))?;
                // A running computer may not swap; a frozen one may, as long as it is frozen.
                fs::write(self.memory.join("memory.swap.max"), "max")?;
                let reclaimed = fs::write(self.memory.join("memory.reclaim"), used.trim());
                fs::write(self.memory.join("memory.swap.max"), "0")?;
                reclaimed
            }
            Layout::PerController => {
                let limit = self.memory.join("memory.limit_in_bytes");
                let whole = fs::read_to_string(&limit)?;
                // Says "busy" when not everything finds a place; what has gone is gone all the same.
                let squeezed = fs::write(&limit, SQUEEZED.to_string());
                fs::write(&limit, whole.trim())?;
                squeezed
            }
        }
    }
}
