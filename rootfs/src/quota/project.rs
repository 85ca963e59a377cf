//! Project quotas (kernel: Documentation/filesystems/ext4/, xfs_quota(8)). A seat's first id is also its project, so no
//! two users share one; a project cannot be changed from within a user namespace.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use matrixos_types::{DiskShare, Seat};

use super::{QuotaError, at, kernel};

/// Fine if the file system of the data holds projects to their limits; else why not, and what to do.
pub(super) fn enforced(data: &Path) -> Result<(), String> {
    // Before the first start the directory is not there yet.
    let present = data.ancestors().find(|path| path.exists()).unwrap_or(data);
    let file = File::open(present).map_err(|e| format!("{} cannot be opened: {e}", present.display()))?;
    match kernel::holds_projects(&file) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(format!(
            "the file system of {} enforces no project quota (ext4: tune2fs -O project,quota -Q prjquota on the unmounted \
             device; XFS: mount with prjquota)",
            data.display()
        )),
    }
}

/// Puts the tree, and whatever is in it, into the seat's project, and sets that project's limits.
pub(super) fn assign(tree: &Path, seat: Seat, share: DiskShare) -> Result<(), QuotaError> {
    let project = seat.first_id();
    let file = File::open(tree).map_err(at("open", tree))?;
    let present = kernel::attributes(&file).map_err(at("read the project of", tree))?;
    let wanted = present.in_project(project);
    if present != wanted {
        if holds_files(tree)? {
            move_all(tree, project)?;
        }
        kernel::change_attributes(&file, wanted).map_err(at("set the project of", tree))?;
    }
    let (blocks, inodes) = (share.bytes.0.div_ceil(1024), share.inodes);
    let now = kernel::usage(&file, project).unwrap_or_default();
    if (now.hard_blocks, now.hard_inodes) == (blocks, inodes) {
        return Ok(());
    }
    kernel::limit(&file, project, blocks, inodes).map_err(at("set the quota of", tree))
}

fn holds_files(tree: &Path) -> Result<bool, QuotaError> {
    Ok(fs::read_dir(tree).map_err(at("read", tree))?.next().is_some())
}

/// For trees from before there was a quota. `chattr` follows no link and opens no device. Their container does not run.
fn move_all(tree: &Path, project: u32) -> Result<(), QuotaError> {
    let output = Command::new("chattr")
        .args(["-R", "-f", "-p", &project.to_string(), "+P", "--"])
        .arg(tree)
        .stdin(Stdio::null())
        .output()
        .map_err(at("start chattr for", tree))?;
    // It says nothing and fails where a file has no such attribute, a socket or a link for example.
    match output.status.code() {
        Some(_) => Ok(()),
        None => Err(QuotaError::Tool { tool: "chattr", message: "was killed".to_owned() }),
    }
}
