//! Where a container's control group lies, on unified (v2) hosts and on hosts with version 1 controllers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use matrixos_types::{ContainerId, Instance};

/// The usual mount point of control groups.
pub const ROOT: &str = "/sys/fs/cgroup";

/// How this host's control groups are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One tree for all controllers (kernel: Documentation/admin-guide/cgroup-v2.rst).
    Unified,
    /// One tree per controller (kernel: Documentation/admin-guide/cgroup-v1/).
    PerController,
}

impl Layout {
    /// Looks at a cgroup mount point: only the unified layout has `cgroup.controllers` in its root.
    pub fn of(root: &Path) -> Self {
        if root.join("cgroup.controllers").exists() { Self::Unified } else { Self::PerController }
    }

    /// This host's layout.
    pub fn of_host() -> Self {
        Self::of(Path::new(ROOT))
    }

    /// Directory of a group for one controller.
    pub fn directory(self, root: &Path, controller: &str, group: &str) -> PathBuf {
        let tree = match self {
            Self::Unified => root.to_owned(),
            Self::PerController => root.join(controller),
        };
        tree.join(group.trim_start_matches('/'))
    }
}

/// Whether what is in a group of the freezer is stopped. `directory` is the group's, in the freezer's tree.
pub fn is_frozen(layout: Layout, directory: &Path) -> io::Result<bool> {
    match layout {
        Layout::Unified => Ok(fs::read_to_string(directory.join("cgroup.events"))?.lines().any(|l| l == "frozen 1")),
        Layout::PerController => Ok(fs::read_to_string(directory.join("freezer.state"))?.trim() == "FROZEN"),
    }
}

/// The group of all containers of an installation. It lies outside the service's own group, so that containers live
/// on when the service is stopped.
pub fn parent_group(instance: &Instance) -> String {
    format!("/{instance}")
}

/// The group of one container, as an absolute path within the hierarchy.
pub fn group(instance: &Instance, container: &ContainerId) -> String {
    format!("/{instance}/{container}")
}
