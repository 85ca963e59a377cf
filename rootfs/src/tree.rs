//! A user's tree: `{users}/{handle}/matrixos`, owned by the user's mapped id. Runs as root.
//!
//! Everything above the tree belongs to root and nobody else may write there, so a tenant cannot move or replace any
//! part of the path that leads to their own tree.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use matrixos_types::computer::HOME_ID;
use matrixos_types::{Handle, Seat};

/// A tree that could not be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A file operation failed.
    #[error("{step} {}: {source}", path.display())]
    Io {
        /// Which step.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else than a directory stands where the tree should be.
    #[error("{} is not a directory; move it away", .0.display())]
    NotADirectory(PathBuf),
    /// The tree belongs to somebody else. A handle is never given twice, so this is a mistake to look into.
    #[error("{} belongs to user id {found}, not to {expected}; it was left alone", path.display())]
    Foreign {
        /// The tree.
        path: PathBuf,
        /// Its owner.
        found: u32,
        /// The owner it should have.
        expected: u32,
    },
    /// Something is mounted in the tree, perhaps another part of this very file system, which `rm` would empty.
    #[error("{} is a mount; unmount it, then try again", .0.display())]
    Mounted(PathBuf),
    /// `rm` did not remove everything.
    #[error("removing {}: {message}", path.display())]
    Remove {
        /// The tree.
        path: PathBuf,
        /// What `rm` said.
        message: String,
    },
}

fn at<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> TreeError + 'a {
    move |source| TreeError::Io { step, path: path.to_owned(), source }
}

/// The host id of the owner of a seat's files.
pub fn owner(seat: Seat) -> u32 {
    seat.first_id() + HOME_ID
}

/// Makes the user's tree if it is not there (mode 0700, owned by the seat's mapped user) and returns its path.
pub fn ensure(users: &Path, handle: &Handle, seat: Seat) -> Result<PathBuf, TreeError> {
    ensure_in(&folder(users, handle), 0o711, seat)
}

/// The same in any folder, which is made with that mode if it is not there.
pub(crate) fn ensure_in(folder: &Path, mode: u32, seat: Seat) -> Result<PathBuf, TreeError> {
    directory(folder, mode)?;
    let tree = folder.join("matrixos");
    match fs::symlink_metadata(&tree) {
        Ok(found) => check(&tree, &found, seat)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => make(folder, &tree, seat)?,
        Err(e) => return Err(at("look at", &tree)(e)),
    }
    Ok(tree)
}

/// A user's folder: their tree lies in it, and what the platform keeps beside it.
pub fn folder(users: &Path, handle: &Handle) -> PathBuf {
    users.join(handle.as_str())
}

fn directory(path: &Path, mode: u32) -> Result<(), TreeError> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(at("make", path)(e)),
        _ => {}
    }
    let found = fs::symlink_metadata(path).map_err(at("look at", path))?;
    if found.is_dir() { Ok(()) } else { Err(TreeError::NotADirectory(path.to_owned())) }
}

/// Under another name first: a tree that exists is complete, with its owner, also after a power cut.
fn make(folder: &Path, tree: &Path, seat: Seat) -> Result<(), TreeError> {
    let draft = folder.join(".new");
    match DirBuilder::new().mode(0o700).create(&draft) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(at("make", &draft)(e)),
        _ => {}
    }
    lchown(&draft, Some(owner(seat)), Some(owner(seat))).map_err(at("give away", &draft))?;
    fs::rename(&draft, tree).map_err(at("name", tree))
}

fn check(tree: &Path, found: &Metadata, seat: Seat) -> Result<(), TreeError> {
    if !found.is_dir() {
        return Err(TreeError::NotADirectory(tree.to_owned()));
    }
    let expected = owner(seat);
    if found.uid() != expected {
        return Err(TreeError::Foreign { path: tree.to_owned(), found: found.uid(), expected });
    }
    Ok(())
}

/// Deletes the user's tree for good; fine if there is none. Refuses a tree of another seat.
pub fn remove(users: &Path, handle: &Handle, seat: Seat) -> Result<(), TreeError> {
    let folder = folder(users, handle);
    let tree = folder.join("matrixos");
    match fs::symlink_metadata(&tree) {
        Ok(found) => check(&tree, &found, seat)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(at("look at", &tree)(e)),
    }
    clear(&folder)
}

/// Removes a folder of the platform's with all that is in it; fine if it is not there.
pub(crate) fn clear(folder: &Path) -> Result<(), TreeError> {
    match mounted_below(folder) {
        Some(place) => Err(TreeError::Mounted(place)),
        None => erase(folder),
    }
}

/// The first mount at or below a path, in this thread's mount namespace (proc_pid_mountinfo(5), field 5).
fn mounted_below(path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path).ok()?;
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").ok()?;
    let place = |line: &str| line.split(' ').nth(4).map(|field| PathBuf::from(unescaped(field)));
    mounts.lines().filter_map(place).find(|place| place.starts_with(&path))
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescaped(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// By `rm`, which walks trees of any depth and width without following links.
fn erase(path: &Path) -> Result<(), TreeError> {
    let output = Command::new("/bin/rm")
        .args(["-rf", "--one-file-system", "--"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .map_err(at("start rm for", path))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("rm failed").to_owned();
    Err(TreeError::Remove { path: path.to_owned(), message })
}
