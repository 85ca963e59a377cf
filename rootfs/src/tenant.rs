//! The one place that opens a file below a user's home. Everything in there is hostile: names, links, sizes, and what
//! is exchanged while it is being opened. Where it can be, the caller has taken the tenant's identity by then.

use std::ffi::CStr;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use matrixos_types::{Handle, Seat};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use rustix::io::Errno;

use crate::tree;

/// Bytes that are read between two looks at the clock.
const CHUNK: usize = 64 * 1024;

/// A path below a home: one to sixteen names, none of them special, all of them printable. The platform only ever asks
/// for names that it chose itself, so whatever is unusual is refused instead of thought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantPath(String);

/// Why a text is not such a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Empty, too long, or of too many parts.
    #[error(
        "the path is empty, longer than {} bytes or deeper than {} folders",
        TenantPath::LONGEST,
        TenantPath::DEEPEST
    )]
    Length,
    /// Not UTF-8, or with a character that does not print or changes the direction of writing.
    #[error("the path has bytes that are not printable text")]
    Unprintable,
    /// An empty part, `.` or `..`; an absolute path begins with an empty part.
    #[error("the path has an empty part, a . or a ..")]
    Part,
}

impl TenantPath {
    /// Longest path, in bytes.
    pub const LONGEST: usize = 512;
    /// Most parts.
    pub const DEEPEST: usize = 16;

    /// Parses a path.
    pub fn parse(bytes: &[u8]) -> Result<Self, PathError> {
        if bytes.is_empty() || bytes.len() > Self::LONGEST {
            return Err(PathError::Length);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PathError::Unprintable)?;
        if text.chars().any(|c| c.is_control() || is_direction(c)) {
            return Err(PathError::Unprintable);
        }
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(PathError::Part);
        }
        if text.split('/').count() > Self::DEEPEST {
            return Err(PathError::Length);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Characters that turn the direction of writing, so that a text reads otherwise than it is (Unicode 15.1, UAX #9,
/// table 4).
pub(crate) fn is_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What was refused, or failed.
#[derive(Debug, thiserror::Error)]
pub enum TenantFileError {
    /// There is no home, or it is not this seat's.
    #[error("there is no home of this seat: {0}")]
    NoHome(io::Error),
    /// No such file.
    #[error("there is no such file")]
    Absent,
    /// A symbolic or magic link stands in the way.
    #[error("the path leads through a link")]
    Link,
    /// Something is mounted on the way.
    #[error("the path leads to another file system")]
    Elsewhere,
    /// A folder, pipe, socket or device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It has another name, perhaps somewhere that is not the tenant's.
    #[error("the file has more than one name")]
    ManyNames,
    /// Its owner is none of the seat's ids.
    #[error("the file belongs to user id {0}, which is not the tenant's")]
    Foreign(u32),
    /// The tenant holds a lease on it, or exchanges it at this moment.
    #[error("the file is held or being changed")]
    Busy,
    /// Not read within the deadline.
    #[error("the file was not read in time")]
    Late,
    /// The kernel failed.
    #[error("reading: {0}")]
    Io(io::Error),
}

/// A user's home, held by a descriptor: whether it is a folder or a file system mounted there makes no difference.
#[derive(Debug)]
pub struct TenantHome {
    folder: OwnedFd,
    ids: Range<u32>,
}

impl TenantHome {
    /// Finds the home of a seat. The way to it belongs to root, but for the home itself, so no part of it may be a link.
    pub fn open(users: &Path, handle: &Handle, seat: Seat) -> Result<Self, TenantFileError> {
        let no_home = |error: Errno| TenantFileError::NoHome(error.into());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let users = open(users, flags, Mode::empty()).map_err(no_home)?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let path = format!("{handle}/matrixos");
        let folder = openat2(&users, path, flags | OFlags::NOFOLLOW, Mode::empty(), resolve).map_err(no_home)?;
        let found = fstat(&folder).map_err(no_home)?;
        if found.st_uid != tree::owner(seat) {
            let message = format!("it belongs to user id {}", found.st_uid);
            return Err(TenantFileError::NoHome(io::Error::other(message)));
        }
        Ok(Self { folder, ids: seat.first_id()..seat.first_id() + Seat::ID_RANGE })
    }

    /// Reads the first `at_most` bytes of a file, if it is one that only the tenant can have put there.
    pub fn read(&self, path: &TenantPath, at_most: usize, within: Duration) -> Result<Vec<u8>, TenantFileError> {
        let deadline = Instant::now() + within;
        let file = self.open_file(path)?;
        let mut bytes = Vec::new();
        while bytes.len() < at_most {
            if Instant::now() >= deadline {
                return Err(TenantFileError::Late);
            }
            let had = bytes.len();
            bytes.resize((had + CHUNK).min(at_most), 0);
            let read = match rustix::io::read(&file, &mut bytes[had..]) {
                Err(Errno::INTR) => 0,
                Ok(0) => {
                    bytes.truncate(had);
                    break;
                }
                other => other.map_err(refusal)?,
            };
            bytes.truncate(had + read);
        }
        Ok(bytes)
    }

    /// The folder itself, to go through it name by name.
    pub fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// The user ids that may own what is in it.
    pub fn ids(&self) -> Range<u32> {
        self.ids.clone()
    }

    fn open_file(&self, path: &TenantPath) -> Result<OwnedFd, TenantFileError> {
        let file = openat2(&self.folder, path.0.as_str(), READING, Mode::empty(), BELOW).map_err(refusal)?;
        // Asked of the open file, which nobody can exchange any more.
        let found = fstat(&file).map_err(refusal)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(TenantFileError::NotAFile);
        }
        if found.st_nlink != 1 {
            return Err(TenantFileError::ManyNames);
        }
        if !self.ids.contains(&found.st_uid) {
            return Err(TenantFileError::Foreign(found.st_uid));
        }
        Ok(file)
    }
}

/// Non-blocking, because a pipe would wait for its writer and a leased file for its holder.
const READING: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NOCTTY);
/// No link, no mount and no `..` leads anywhere.
const BELOW: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);

/// Opens one name in a folder below a home, for reading, or as `more` says. Never leads out of the folder.
pub(crate) fn step_into(folder: impl AsFd, name: &CStr, more: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    openat2(folder, name, READING | more, mode, BELOW)
}

fn refusal(error: Errno) -> TenantFileError {
    match error {
        Errno::NOENT | Errno::NOTDIR => TenantFileError::Absent,
        Errno::LOOP => TenantFileError::Link,
        Errno::XDEV => TenantFileError::Elsewhere,
        Errno::NXIO | Errno::NODEV => TenantFileError::NotAFile,
        Errno::AGAIN => TenantFileError::Busy,
        other => TenantFileError::Io(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_paths() {
        let parse = |bytes: &[u8]| TenantPath::parse(bytes).map(|path| path.0);
        for good in ["profile.md", "a/b/c", "ä", "..a", "a..", "...", "with space", "<script>"] {
            assert_eq!(parse(good.as_bytes()).as_deref(), Ok(good));
        }
        for part in ["/", "/etc/passwd", "..", "a/..", "../a", "a/../b", ".", "a/./b", "a//b", "a/"] {
            assert_eq!(parse(part.as_bytes()), Err(PathError::Part), "{part}");
        }
        for odd in [&b"a\0b"[..], b"a\nb", b"\xff\xfe", b"a\x7f", "\u{202e}dm.eliforp".as_bytes(), b"\x1b[2J"] {
            assert_eq!(parse(odd), Err(PathError::Unprintable), "{odd:?}");
        }
        for long in ["", &"a".repeat(513), &vec!["d"; 17].join("/"), &"d/".repeat(4_000)] {
            assert_eq!(parse(long.as_bytes()), Err(PathError::Length));
        }
    }
}
