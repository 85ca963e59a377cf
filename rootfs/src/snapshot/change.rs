//! From a tree to its archive and back. Whatever lies beside an archive is left over: as long as the archive is there it
//! is the truth, and it is there from the moment it is whole until the tree that was made of it is.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use matrixos_types::{DiskQuota, DiskShare, Handle, Seat};
use rustix::fs::{Mode, OFlags, open, statvfs, syncfs};

use super::file::{Label, label, verify};
use super::{SnapshotError, TOP, entry};
use crate::tenant::{TenantHome, step_into};
use crate::{quota, tree};

/// Room on the disk that unpacking leaves to others, in bytes.
const SPARE: u64 = 64 << 20;

/// Whose files they are, and where.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Where the folders of all users lie.
    pub users: &'a Path,
    /// The owner.
    pub handle: &'a Handle,
    /// The owner's seat.
    pub seat: Seat,
}

/// What has just been done. A failure after any of them must leave the tree or the archive whole; tests bring it about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The draft of the archive is on the disk.
    Packed,
    /// It was read back and is what was packed.
    Verified,
    /// It is the archive.
    Named,
    /// The tree is gone.
    Cleared,
    /// There is an empty home for what is to be unpacked.
    Prepared,
    /// Everything is unpacked and on the disk.
    Unpacked,
    /// It is the tree.
    Placed,
    /// The archive is gone.
    Forgotten,
}

impl Place<'_> {
    fn folder(&self) -> PathBuf {
        tree::folder(self.users, self.handle)
    }

    fn archive(&self) -> PathBuf {
        self.folder().join("archive.tar.zst")
    }

    fn draft(&self) -> PathBuf {
        self.folder().join("archive.new")
    }

    /// Where a tree is made before it is put into its place.
    fn workshop(&self) -> PathBuf {
        self.folder().join(".restore")
    }
}

/// Whether somebody's files are in an archive.
pub fn is_archived(place: &Place<'_>) -> Result<bool, SnapshotError> {
    match fs::symlink_metadata(place.archive()) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at("look at", &place.archive())(error)),
    }
}

/// To be asked before a computer is launched: whether its files are in an archive, so that they must be unpacked first. If
/// they are not, what an archiving that was cut short has left is removed.
pub fn settle(place: &Place<'_>) -> Result<bool, SnapshotError> {
    let archived = is_archived(place)?;
    if !archived {
        forget(&place.draft())?;
    }
    Ok(archived)
}

/// Somebody's archive, to read it. What was opened stays readable, also if they come back meanwhile.
pub fn open_archive(place: &Place<'_>) -> Result<File, SnapshotError> {
    File::open(place.archive()).map_err(at("open", &place.archive()))
}

/// Packs a tree with `pack`, which is given the home, whose files belong in it, and an empty file; then removes the tree.
/// Its computer must not run. `None` if there is nothing to pack. Safe to repeat, after a failure at any point as well.
pub fn archive(
    place: &Place<'_>,
    pack: impl FnOnce(OwnedFd, Range<u32>, &File) -> Result<Label, SnapshotError>,
    after: &mut dyn FnMut(Step) -> Result<(), SnapshotError>,
) -> Result<Option<Label>, SnapshotError> {
    if !is_archived(place)? {
        if !place.folder().join("matrixos").exists() {
            return Ok(None);
        }
        quota::show(&place.folder())?;
        let home = TenantHome::open(place.users, place.handle, place.seat)?;
        let folder = step_into(home.folder(), c".", OFlags::DIRECTORY, Mode::empty()).map_err(entry("open", TOP))?;
        let draft = new_file(&place.draft())?;
        let packed = pack(folder, home.ids(), &draft);
        drop(home);
        if packed.is_err() {
            let _ = fs::remove_file(place.draft());
        }
        let packed = packed?;
        after(Step::Packed)?;
        if verify(&draft)? != packed {
            return Err(super::damaged("its label is not the one that was written"));
        }
        after(Step::Verified)?;
        fs::rename(place.draft(), place.archive()).map_err(at("name", &place.draft()))?;
        sync(&place.folder())?;
        after(Step::Named)?;
    }
    clear_tree(place)?;
    after(Step::Cleared)?;
    label(&open_archive(place)?).map(Some)
}

/// Makes the tree of an archive with `unpack`, which is given an empty home of the owner's and the archive; then removes
/// the archive. False if there is no archive. Safe to repeat, after a failure at any point as well.
pub fn restore(
    place: &Place<'_>,
    (means, share): (DiskQuota, DiskShare),
    unpack: impl FnOnce(OwnedFd, &File) -> Result<(), SnapshotError>,
    after: &mut dyn FnMut(Step) -> Result<(), SnapshotError>,
) -> Result<bool, SnapshotError> {
    clear_workshop(place)?;
    if !is_archived(place)? {
        return settle(place);
    }
    let archive = open_archive(place)?;
    clear_tree(place)?;
    ensure_room(place, &archive)?;
    let workshop = place.workshop();
    let made = make(place, (means, share), &archive, unpack, after);
    if made.is_err() {
        let _ = clear_workshop(place);
    }
    made?;
    for name in [quota::image_of(Path::new("")), PathBuf::from("matrixos")] {
        match fs::rename(workshop.join(&name), place.folder().join(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(at("place", &workshop.join(name))(error));
            }
            _ => {}
        }
    }
    sync(&place.folder())?;
    after(Step::Placed)?;
    forget(&place.archive())?;
    sync(&place.folder())?;
    after(Step::Forgotten)?;
    clear_workshop(place)?;
    Ok(true)
}

/// Makes the tree in the workshop, until it is on the disk.
fn make(
    place: &Place<'_>,
    (means, share): (DiskQuota, DiskShare),
    archive: &File,
    unpack: impl FnOnce(OwnedFd, &File) -> Result<(), SnapshotError>,
    after: &mut dyn FnMut(Step) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let workshop = place.workshop();
    let tree = tree::ensure_in(&workshop, 0o700, place.seat)?;
    quota::enforce(means, &workshop, place.seat, share)?;
    after(Step::Prepared)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let home = open(&tree, flags, Mode::empty()).map_err(at("open", &tree))?;
    unpack(home.try_clone().map_err(at("hold", &tree))?, archive)?;
    syncfs(&home).map_err(at("sync", &tree))?;
    drop(home);
    quota::release(&workshop)?;
    // An image is a file of the file system around it, and is written to until it is let go.
    sync(&quota::image_of(&workshop))?;
    sync(&workshop)?;
    after(Step::Unpacked)
}

/// Removes what lies beside an archive: a tree that was packed, or one that was not yet complete.
fn clear_tree(place: &Place<'_>) -> Result<(), SnapshotError> {
    let folder = place.folder();
    quota::release(&folder)?;
    tree::clear(&folder.join("matrixos"))?;
    forget(&quota::image_of(&folder))?;
    sync(&folder)
}

fn clear_workshop(place: &Place<'_>) -> Result<(), SnapshotError> {
    quota::release(&place.workshop())?;
    Ok(tree::clear(&place.workshop())?)
}

/// Running into a full disk half-way would be felt by everybody on it.
fn ensure_room(place: &Place<'_>, archive: &File) -> Result<(), SnapshotError> {
    let needed = label(archive)?.bytes;
    let found = statvfs(place.users).map_err(at("look at", place.users))?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if free >= needed.saturating_add(SPARE) { Ok(()) } else { Err(SnapshotError::NoRoom { needed, free }) }
}

fn new_file(path: &Path) -> Result<File, SnapshotError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o600).open(path).map_err(at("make", path))
}

fn forget(path: &Path) -> Result<(), SnapshotError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Fine if there is nothing to bring to the disk.
fn sync(path: &Path) -> Result<(), SnapshotError> {
    match File::open(path) {
        Ok(opened) => opened.sync_all().map_err(at("sync", path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at("open", path)(error)),
    }
}

fn at<'a, E: Into<io::Error>>(step: &'static str, path: &'a Path) -> impl FnOnce(E) -> SnapshotError + 'a {
    move |source| SnapshotError::Io { step, path: path.to_owned(), source: source.into() }
}
