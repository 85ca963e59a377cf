//! A file system of their own for each user, in a sparse file beside the tree. It is mounted on the tree, for the
//! launcher and the user's container alone, while that container exists.
//!
//! It is mounted by mount(8), which finds a loop device that has the file already: two devices on one file would
//! destroy it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use matrixos_types::{DiskShare, Seat};
use nix::mount::{MntFlags, umount2};
use rustix::fs::{FlockOperation, flock};
use rustix::io::{FdFlags, fcntl_setfd};

use super::{QuotaError, at, is_mounted, tree};
use crate::tree::owner;

/// Size of the journal, in MiB; the least that mke2fs makes.
const JOURNAL: &str = "size=4";

/// Fine if images can be made and mounted here; else why not, and what to do.
pub(super) fn possible() -> Result<(), String> {
    if !Path::new("/dev/loop-control").exists() {
        return Err("this kernel offers no loop devices (do: modprobe loop)".to_owned());
    }
    let made = Command::new("mke2fs").arg("-V").stdin(Stdio::null()).output();
    if made.is_ok_and(|o| o.status.success()) {
        Ok(())
    } else {
        Err("`mke2fs` is not there (do: apt-get install e2fsprogs)".into())
    }
}

/// Where a user's image lies.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("disk.ext4")
}

/// True if the user has an image.
pub(super) fn exists(folder: &Path) -> bool {
    file(folder).is_file()
}

/// Mounts the user's image on their tree; makes it first if there is none, with what is in the tree.
pub(super) fn mount(folder: &Path, seat: Seat, share: DiskShare) -> Result<(), QuotaError> {
    let tree = tree(folder);
    if is_mounted(&tree)? {
        return Ok(());
    }
    if !exists(folder) {
        make(folder, seat, share)?;
    }
    attach(folder)
}

/// Mounts an image that is there. One at a time: mount(8) looks for a loop device that has the file, and then takes one.
pub(super) fn attach(folder: &Path) -> Result<(), QuotaError> {
    let (file, tree) = (file(folder), tree(folder));
    let lock = File::open(&file).map_err(at("open", &file))?;
    flock(&lock, FlockOperation::LockExclusive).map_err(at("lock", &file))?;
    // mount(8) holds it as well: it may outlive whoever started it.
    fcntl_setfd(&lock, FdFlags::empty()).map_err(at("lock", &file))?;
    run("mount", Command::new("mount").args(["-t", "ext4", "-o", OPTIONS]).arg(&file).arg(&tree))?;
    finish(&tree)
}

/// The root of a new file system can be looked at by all and holds a directory of root's that its owner could not remove.
fn finish(tree: &Path) -> Result<(), QuotaError> {
    let found = tree.join("lost+found");
    if !found.is_dir() {
        return Ok(());
    }
    fs::set_permissions(tree, Permissions::from_mode(0o700)).map_err(at("set the mode of", tree))?;
    // One that the owner made for themselves holds something, or will be made again.
    let _ = fs::remove_dir(found);
    Ok(())
}

/// Freed blocks go back to the host (`discard`); an error of the host's disk must not spread (`errors=remount-ro`).
const OPTIONS: &str = "loop,nosuid,nodev,noatime,discard,errors=remount-ro";

/// Under another name first: an image that exists is complete. Files in the tree, from before there was a quota, are
/// copied in.
fn make(folder: &Path, seat: Seat, share: DiskShare) -> Result<(), QuotaError> {
    let (draft, tree, id) = (folder.join("disk.new"), tree(folder), owner(seat));
    let mut options = File::options();
    let sparse =
        options.write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(at("make", &draft))?;
    sparse.set_len(share.bytes.0).map_err(at("size", &draft))?;
    let (inodes, extended) = (share.inodes.to_string(), format!("root_owner={id}:{id},lazy_itable_init=1"));
    let mut tool = Command::new("mke2fs");
    tool.args([
        "-q",
        "-F",
        "-t",
        "ext4",
        "-m",
        "0",
        "-O",
        "^resize_inode",
        "-J",
        JOURNAL,
        "-N",
        &inodes,
        "-E",
        &extended,
    ]);
    let full = fs::read_dir(&tree).map_err(at("read", &tree))?.next().is_some();
    if full {
        tool.arg("-d").arg(&tree);
    }
    run("mke2fs", tool.arg(&draft))?;
    sparse.sync_all().map_err(at("sync", &draft))?;
    fs::rename(&draft, file(folder)).map_err(at("name", &draft))?;
    if full { empty(&tree) } else { Ok(()) }
}

/// Removes what is in the tree, now that the image holds it.
fn empty(tree: &Path) -> Result<(), QuotaError> {
    run("find", Command::new("find").arg(tree).args(["-xdev", "-mindepth", "1", "-delete"]))
}

/// Takes the image off the tree. A file that the launcher still reads keeps the file system alive until it is closed.
pub(super) fn unmount(tree: &Path) -> Result<(), QuotaError> {
    umount2(tree, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW).map_err(at("unmount", tree))
}

fn run(tool: &'static str, command: &mut Command) -> Result<(), QuotaError> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| QuotaError::Tool { tool, message: started(&e) })?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("failed").to_owned();
    Err(QuotaError::Tool { tool, message })
}

fn started(error: &io::Error) -> String {
    format!("could not be started: {error}")
}
