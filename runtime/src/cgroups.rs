//! Where a container's control groups lie, on a unified (v2) host and on one with v1 controllers.

use std::path::{Path, PathBuf};

use matrixos_types::{ContainerId, Instance};

/// Where control groups are mounted on every host that libcontainer supports.
pub const MOUNT: &str = "/sys/fs/cgroup";

/// The two ways in which a host arranges control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One tree for all controllers.
    Unified,
    /// One tree per controller. A hybrid host has a unified tree as well, but without controllers.
    PerController,
}

impl Layout {
    /// The layout of this host.
    pub fn of_this_host() -> Self {
        if cgroups_rs::fs::hierarchies::is_cgroup2_unified_mode() { Self::Unified } else { Self::PerController }
    }
}

/// The path of a container's control group below each tree's root. It lies outside the supervisor's own group, so
/// that the container outlives it.
pub fn path(instance: &Instance, container: &ContainerId) -> PathBuf {
    Path::new("/").join(instance.as_str()).join(container.as_str())
}
