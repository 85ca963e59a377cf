//! Where a container's control group lies, on unified (v2) hosts and on hosts with version 1 controllers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use matrixos_types::{ContainerId, Instance};
use serde::{Deserialize, Serialize};

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

/// Where the groups of an installation's containers lie: all in one parent, outside the service's own group, so that
/// containers live on when the service is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Groups {
    parent: String,
}

/// A path that cannot be the parent of control groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the control group {0:?} must be an absolute path below the root of the hierarchy, for example /matrixos")]
pub struct GroupError(String);

impl Groups {
    /// A group of the installation's own at the top of the hierarchy.
    pub fn of(instance: &Instance) -> Self {
        Self { parent: format!("/{instance}") }
    }

    /// A group that somebody else, a service manager for example, has set aside: `/a.slice/b.service`.
    pub fn below(parent: &str) -> Result<Self, GroupError> {
        let names = parent.strip_prefix('/').ok_or_else(|| GroupError(parent.to_owned()))?;
        let fine = |name: &str| {
            !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:@\\".contains(&b))
        };
        if names.split('/').all(|name| !name.is_empty() && fine(name)) {
            Ok(Self { parent: parent.to_owned() })
        } else {
            Err(GroupError(parent.to_owned()))
        }
    }

    /// The parent of all, as an absolute path within the hierarchy.
    pub fn parent(&self) -> &str {
        &self.parent
    }

    /// The group of one container, as an absolute path within the hierarchy.
    pub fn group(&self, container: &ContainerId) -> String {
        format!("{}/{container}", self.parent)
    }
}

impl TryFrom<String> for Groups {
    type Error = GroupError;

    fn try_from(parent: String) -> Result<Self, GroupError> {
        Self::below(&parent)
    }
}

impl std::str::FromStr for Groups {
    type Err = GroupError;

    fn from_str(parent: &str) -> Result<Self, GroupError> {
        Self::below(parent)
    }
}

impl From<Groups> for String {
    fn from(groups: Groups) -> Self {
        groups.parent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_an_absolute_path_that_leads_nowhere_else() {
        for fine in ["/matrixos", "/matrixos.slice/matrixos-computers.service", "/a.slice/b\\x2dc@1.service"] {
            assert_eq!(Groups::below(fine).expect(fine).parent(), fine);
        }
        for wrong in ["", "/", "matrixos", "/a/", "//a", "/a/../b", "/.", "/a b", "/a\n"] {
            assert_eq!(Groups::below(wrong), Err(GroupError(wrong.to_owned())));
        }
    }
}
