//! A user's tree as one stream of bytes: packed, verified, and unpacked again. The stream is tar (the GNU format), with
//! everything below `home/`; an archive is that stream compressed, an export is it with what else there is of an account.

mod change;
mod entry;
mod file;
mod pack;
mod sparse;
mod unpack;

use std::io;
use std::path::PathBuf;

pub use change::{Place, Step, archive, is_archived, open_archive, restore, settle};
pub use entry::{add_file, end};
pub use file::{Label, copy, label, unpack, verify, write};
pub use pack::{Manner, Tally, pack};

/// The folder in the stream that stands for the home.
const TOP: &[u8] = b"home";
/// Folders within folders that are followed. Each level holds a descriptor.
const DEEPEST: usize = 2_048;

/// What could not be done with a tree or its archive.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file operation failed, on something below the home or in the stream.
    #[error("{step} {path:?}: {source}")]
    Entry {
        /// Which step.
        step: &'static str,
        /// On what, as it stands in the stream.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file operation of the platform's own failed.
    #[error("{step} {}: {source}", path.display())]
    Io {
        /// Which step.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in the tree is nobody's that could have put it there.
    #[error("{path:?} belongs to user id {owner}, which is not the tenant's; look into it, nothing was packed")]
    Foreign {
        /// What, as it would stand in the stream.
        path: String,
        /// Its owner.
        owner: u32,
    },
    /// The tree is deeper than anything that people make.
    #[error("{path:?} is deeper than {DEEPEST} folders; the tree is left as it is")]
    Deep {
        /// The folder.
        path: String,
    },
    /// The stream is not one that was written here, or not the whole of it.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// The disk has no room for what is to be unpacked.
    #[error("the files take {needed} bytes and the disk has {free} left; make room, then it is tried again")]
    NoRoom {
        /// How much they take.
        needed: u64,
        /// How much there is.
        free: u64,
    },
    /// The share of the disk could not be seen to.
    #[error(transparent)]
    Quota(#[from] crate::quota::QuotaError),
    /// The tree could not be made or removed.
    #[error(transparent)]
    Tree(#[from] crate::tree::TreeError),
    /// The home could not be opened.
    #[error(transparent)]
    Home(#[from] crate::tenant::TenantFileError),
    /// Whoever was to do it in a process of their own did not.
    #[error("{message}")]
    Elsewhere {
        /// What they said.
        message: String,
        /// Whether room on the disk would help.
        for_room: bool,
    },
}

impl SnapshotError {
    /// Whether room on the disk would help.
    pub fn is_for_room(&self) -> bool {
        match self {
            Self::NoRoom { .. } => true,
            Self::Elsewhere { for_room, .. } => *for_room,
            Self::Entry { source, .. } | Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}

/// A name of the stream as it may be shown.
fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).chars().take(200).collect()
}

fn entry<'a, E: Into<io::Error>>(step: &'static str, path: &'a [u8]) -> impl FnOnce(E) -> SnapshotError + 'a {
    move |source| SnapshotError::Entry { step, path: shown(path), source: source.into() }
}

fn damaged(what: &str) -> SnapshotError {
    SnapshotError::Damaged(what.to_owned())
}
