//! Touching everything that a tenant made, in a process that can reach nothing else: the home is its root, and of root's
//! power only that is left which modes would deny an owner. What a hole in going through a tree could show or change is
//! the tenant's own.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use matrixos_rootfs::snapshot::SnapshotError;
use matrixos_rootfs::tree;
use matrixos_types::Seat;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{chroot, fchdir};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{fork, profile};

/// What may be done in the home.
#[derive(Clone, Copy)]
pub(crate) enum May {
    /// Read everything.
    Read,
    /// Read and make everything, as the owner that a seat stands for.
    Make(Seat),
}

/// An error as it comes out of the process.
#[derive(Serialize, Deserialize)]
struct Said {
    message: String,
    for_room: bool,
}

/// Does `work` in a process of its own that is locked into `home`.
pub(crate) fn inside<T: Serialize + DeserializeOwned>(
    home: &OwnedFd,
    may: May,
    work: impl FnOnce() -> Result<T, SnapshotError>,
) -> Result<T, SnapshotError> {
    let locked = || {
        lock_in(home, may).map_err(|error| said(format!("locking it in: {error}")))?;
        work().map_err(|error| Said { for_room: error.is_for_room(), message: error.to_string() })
    };
    let (child, mut result) =
        fork::spawn(locked, || Err(said("it panicked".to_owned()))).map_err(|e| elsewhere(said(e.to_string())))?;
    let _ = waitpid(child, None);
    let outcome: Option<Result<T, Said>> = fork::read(&mut result);
    outcome.unwrap_or_else(|| Err(said("it was cut short".to_owned()))).map_err(elsewhere)
}

fn said(message: String) -> Said {
    Said { message, for_room: false }
}

fn elsewhere(Said { message, for_room }: Said) -> SnapshotError {
    SnapshotError::Elsewhere { message, for_room }
}

/// Locks this process into a home, for good.
pub(crate) fn lock_in(home: impl AsFd, may: May) -> io::Result<()> {
    fchdir(home)?;
    chroot(".")?;
    match may {
        May::Read => keep(CapabilitySet::DAC_READ_SEARCH),
        May::Make(seat) => {
            profile::become_the_tenant(tree::owner(seat))?;
            keep(CapabilitySet::DAC_READ_SEARCH | CapabilitySet::DAC_OVERRIDE)
        }
    }
}

/// Gives every other capability away (capabilities(7)).
pub(crate) fn keep(these: CapabilitySet) -> io::Result<()> {
    let sets = CapabilitySets { effective: these, permitted: these, inheritable: CapabilitySet::empty() };
    Ok(set_capabilities(None, sets)?)
}

/// A mount namespace of this process's own: what is mounted here ends with it, however it ends.
pub(crate) fn own_mounts() -> io::Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    Ok(mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?)
}
