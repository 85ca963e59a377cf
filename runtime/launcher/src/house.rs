//! What the launcher knows from its start: where everything lies, and a mount namespace of its own in which containers
//! find their files at fixed places, wherever the operator keeps the data.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use matrixos_netns::{Lease, NetError, Network, PoolError, apply};
use matrixos_runtime::cgroups::{self, Layout};
use matrixos_runtime::protocol::LauncherConfig;
use matrixos_types::{ContainerId, Seat};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Controllers without which limits would be words.
const NEEDED: [&str; 3] = ["memory", "cpu", "pids"];
/// Controllers that some kernels lack.
const USEFUL: [&str; 1] = ["io"];

/// The launcher's surroundings.
pub(crate) struct House {
    pub(crate) config: LauncherConfig,
    pub(crate) network: Network,
    pub(crate) layout: Layout,
}

/// Why the launcher cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HouseError {
    #[error("{step} {}: {source}", path.display())]
    Io { step: &'static str, path: PathBuf, source: io::Error },
    #[error("the address pool: {0}")]
    Pool(#[from] PoolError),
    #[error("the network: {0}")]
    Network(#[from] NetError),
}

fn at<'a, E: Into<io::Error>>(step: &'static str, path: &'a Path) -> impl FnOnce(E) -> HouseError + 'a {
    move |source| HouseError::Io { step, path: path.to_owned(), source: source.into() }
}

impl House {
    /// Prepares mounts, network and directories.
    pub(crate) fn prepare(config: LauncherConfig) -> Result<Self, HouseError> {
        let network = Network::new(config.instance.clone(), config.pool)?;
        let house = Self { config, network, layout: Layout::of_host() };
        for folder in [house.containers(), house.states(), house.roots(), house.users()] {
            DirBuilder::new().recursive(true).mode(0o711).create(&folder).map_err(at("make", &folder))?;
        }
        house.mount_views()?;
        house.make_parent_group()?;
        apply::reload(&house.network, 0, &house.config.services)?;
        Ok(house)
    }

    /// Where records, logs and bundles of containers lie.
    pub(crate) fn containers(&self) -> PathBuf {
        self.config.run.join("containers")
    }

    /// One container's folder.
    pub(crate) fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(id.as_str())
    }

    /// libcontainer's own state.
    pub(crate) fn states(&self) -> PathBuf {
        self.config.run.join("libcontainer")
    }

    /// The view on the unpacked images.
    pub(crate) fn roots(&self) -> PathBuf {
        self.config.run.join("roots")
    }

    /// The view on the users' trees.
    pub(crate) fn users(&self) -> PathBuf {
        self.config.run.join("users")
    }

    pub(crate) fn group(&self, id: &ContainerId) -> String {
        self.config.groups.group(id)
    }

    pub(crate) fn lease(&self, seat: Seat) -> Option<Lease> {
        self.network.lease(seat)
    }

    /// A container's first process mounts its root and home as the mapped root user, who may not pass through private
    /// folders such as /root. So both are bound to places that everybody may pass, visible to the launcher alone.
    fn mount_views(&self) -> Result<(), HouseError> {
        let top = Path::new("/");
        unshare(CloneFlags::CLONE_NEWNS).map_err(at("leave the mount namespace of", top))?;
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).map_err(at("separate mounts below", top))?;
        for (source, view) in [("images/roots", self.roots()), ("users", self.users())] {
            let source = self.config.data.join(source);
            fs::create_dir_all(&source).map_err(at("make", &source))?;
            mount(Some(&source), &view, none, MsFlags::MS_BIND | MsFlags::MS_REC, none).map_err(at("bind", &source))?;
        }
        Ok(())
    }

    /// The group of all containers must exist before the first is made: libcontainer checks and then makes it, which
    /// fails when two are launched at once.
    fn make_parent_group(&self) -> Result<(), HouseError> {
        let (root, parent) = (Path::new(cgroups::ROOT), self.config.groups.parent());
        match self.layout {
            Layout::Unified => make_unified(root, parent),
            Layout::PerController => {
                let directories = controllers(root).into_iter().map(|c| self.layout.directory(root, &c, parent));
                directories.into_iter().try_for_each(|d| fs::create_dir_all(&d).map_err(at("make the group", &d)))
            }
        }
    }
}

/// Makes the parent group and hands the controllers down to it, and to what will be in it: a group has those that its
/// parent's `cgroup.subtree_control` lists (kernel: cgroup-v2.rst, "Top-down Constraint").
fn make_unified(root: &Path, parent: &str) -> Result<(), HouseError> {
    let mut directory = root.to_owned();
    hand_down(&directory)?;
    for name in parent.split('/').filter(|name| !name.is_empty()) {
        directory.push(name);
        match fs::create_dir(&directory) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(at("make the group", &directory)(e)),
            _ => hand_down(&directory)?,
        }
    }
    Ok(())
}

/// Enables in a group what limits need, for the groups in it. One at a time: a kernel that lacks one refuses all.
fn hand_down(group: &Path) -> Result<(), HouseError> {
    let control = group.join("cgroup.subtree_control");
    let there = fs::read_to_string(&control).map_err(at("look at", &control))?;
    let missing = |name: &&str| !there.split_whitespace().any(|has| has == *name);
    for name in NEEDED.into_iter().filter(missing) {
        fs::write(&control, format!("+{name}")).map_err(at("enable the controllers that limits need in", &control))?;
    }
    for name in USEFUL.into_iter().filter(missing) {
        let _ = fs::write(&control, format!("+{name}"));
    }
    Ok(())
}

/// The mounted version 1 hierarchies by name.
pub(crate) fn controllers(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let name =
        |e: fs::DirEntry| e.path().join("cgroup.procs").exists().then(|| e.file_name().into_string().ok()).flatten();
    entries.filter_map(|e| name(e.ok()?)).filter(|name| name != "unified").collect()
}
