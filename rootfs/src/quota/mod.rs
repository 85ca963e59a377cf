//! A user's share of the disk, enforced by the kernel: by a project quota where the data's file system has one, else by
//! a file system image of their own. Runs as root.

mod image;
mod kernel;
mod project;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use matrixos_types::{DiskQuota, DiskShare, Seat};

/// A share that could not be enforced.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// A file operation or a call of the kernel failed.
    #[error("{step} {}: {source}", path.display())]
    Io {
        /// Which step.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of the system's tools failed.
    #[error("{tool}: {message}")]
    Tool {
        /// Which.
        tool: &'static str,
        /// What it said.
        message: String,
    },
}

fn at<'a, E: Into<io::Error>>(step: &'static str, path: &'a Path) -> impl FnOnce(E) -> QuotaError + 'a {
    move |source| QuotaError::Io { step, path: path.to_owned(), source: source.into() }
}

/// What can be done on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The best means that works for this data directory.
    pub means: DiskQuota,
    /// Why it is not a better one, and what would help; empty if there is no better one.
    pub why: String,
}

/// Whether a means works for the data directory; if not, why, and what to do.
pub fn works(means: DiskQuota, data: &Path) -> Result<(), String> {
    match means {
        DiskQuota::Project => project::enforced(data),
        DiskQuota::Image => image::possible(),
        DiskQuota::Nothing => Ok(()),
    }
}

/// Looks for the best means that works for the data directory.
pub fn find(data: &Path) -> Finding {
    let (mut means, mut why) = (DiskQuota::Nothing, Vec::new());
    for better in [DiskQuota::Project, DiskQuota::Image] {
        match works(better, data) {
            Ok(()) => {
                means = better;
                break;
            }
            Err(reason) => why.push(reason),
        }
    }
    Finding { means, why: why.join("; ") }
}

/// Holds the tree `matrixos` in a user's folder to its share, before their container runs. Safe to repeat. True if the
/// kernel enforces the share from here on.
pub fn enforce(means: DiskQuota, folder: &Path, seat: Seat, share: DiskShare) -> Result<bool, QuotaError> {
    // Whoever has an image keeps it: it enforces their share on any file system.
    if means == DiskQuota::Image || image::exists(folder) {
        image::mount(folder, seat, share)?;
        return Ok(true);
    }
    if means == DiskQuota::Project {
        project::assign(&tree(folder), seat, share)?;
        return Ok(true);
    }
    Ok(false)
}

/// Makes what is in a tree visible in this mount namespace, where it lies in an image; fine if it does not, or is.
pub fn show(folder: &Path) -> Result<(), QuotaError> {
    if !image::exists(folder) || is_mounted(&tree(folder))? { Ok(()) } else { image::attach(folder) }
}

/// The image that holds a tree, whether or not there is one.
pub(crate) fn image_of(folder: &Path) -> PathBuf {
    image::file(folder)
}

/// Lets go of the tree when its container is gone. Fine if there is nothing to let go of.
pub fn release(folder: &Path) -> Result<(), QuotaError> {
    if is_mounted(&tree(folder))? { image::unmount(&tree(folder)) } else { Ok(()) }
}

fn tree(folder: &Path) -> PathBuf {
    folder.join("matrixos")
}

/// True if something is mounted on this directory: then it is on another device than the directory around it.
fn is_mounted(tree: &Path) -> Result<bool, QuotaError> {
    let device = |path: &Path| match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found.dev())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(at("look at", path)(e)),
    };
    let around = device(tree.parent().unwrap_or(tree))?;
    Ok(device(tree)?.is_some_and(|inner| Some(inner) != around))
}
