//! Writes a tree as a stream. Goes through it folder by folder over descriptors, so that nothing in it leads elsewhere,
//! even while its owner changes it.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::vec;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, readlinkat, statat};
use rustix::io::{Errno, pread};
use serde::{Deserialize, Serialize};

use super::entry::{Facts, Kind, end, pad, put};
use super::sparse::{Extent, extents};
use super::{DEEPEST, SnapshotError, TOP, entry, shown};
use crate::tenant::step_into;

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Names that are remembered of what is left out.
const REMEMBERED: usize = 100;

/// What to do about what cannot be packed. Sockets, pipes and devices never are: they mean nothing to anybody later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Fail: the tree is going to be removed, and nothing may be lost with it.
    Whole,
    /// Leave it out and say so: the tree stays, and is perhaps being changed.
    AsFound,
}

/// What was packed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Files, folders and links.
    pub entries: u64,
    /// What their contents take on a disk, in bytes.
    pub bytes: u64,
    /// Sockets, pipes and devices, which are left out.
    pub special: u64,
    /// What could not be read, or is not the owner's.
    pub unread: u64,
    /// Files that became shorter while they were read; what was missing is zeros.
    pub changed: u64,
    /// The names of some of these.
    pub names: Vec<String>,
}

impl Tally {
    /// What is not as it was in the tree, in words for its owner. `None` if all of it is.
    pub fn left_out(&self) -> Option<String> {
        let kinds = [
            (self.special, "sockets, pipes and devices are left out"),
            (self.unread, "files or folders could not be read and are left out"),
            (self.changed, "files were being changed while they were copied"),
        ];
        let lines: Vec<String> =
            kinds.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}\n")).collect();
        if lines.is_empty() {
            return None;
        }
        let names: String = self.names.iter().map(|name| format!("  {}\n", name.escape_debug())).collect();
        Some(format!("{}{names}", lines.concat()))
    }
}

/// Writes everything below `home` that belongs to `ids`, and the end of the stream.
pub fn pack(home: impl AsFd, ids: Range<u32>, manner: Manner, out: &mut impl Write) -> Result<Tally, SnapshotError> {
    let mut packer = Packer { out, ids, manner, seen: HashMap::new(), tally: Tally::default(), path: TOP.to_vec() };
    let top = step_into(home, c".", OFlags::DIRECTORY, Mode::empty()).map_err(entry("open", TOP))?;
    let first = packer.enter(top)?;
    packer.walk(first)?;
    packer.finish()
}

struct Packer<'a, W> {
    out: &'a mut W,
    ids: Range<u32>,
    manner: Manner,
    /// The first name of each file that has several.
    seen: HashMap<(u64, u64), Vec<u8>>,
    tally: Tally,
    path: Vec<u8>,
}

/// A folder that is being gone through.
struct Level {
    folder: OwnedFd,
    names: vec::IntoIter<CString>,
    /// How long its own path is.
    length: usize,
}

impl<W: Write> Packer<'_, W> {
    fn walk(&mut self, first: Level) -> Result<(), SnapshotError> {
        let mut levels = vec![first];
        while let Some(level) = levels.last_mut() {
            self.path.truncate(level.length);
            let Some(name) = level.names.next() else {
                levels.pop();
                continue;
            };
            self.path.push(b'/');
            self.path.extend_from_slice(name.to_bytes());
            if let Some(deeper) = self.one(&level.folder, &name)? {
                if levels.len() >= DEEPEST {
                    self.skip(|path| SnapshotError::Deep { path })?;
                    continue;
                }
                levels.push(deeper);
            }
        }
        Ok(())
    }

    /// Packs what has that name. A folder is only entered.
    fn one(&mut self, folder: &OwnedFd, name: &CStr) -> Result<Option<Level>, SnapshotError> {
        let found = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(error) => return self.not_read("look at", error).map(|()| None),
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => match step_into(folder, name, OFlags::DIRECTORY, Mode::empty()) {
                Ok(opened) => self.enter(opened).map(Some),
                Err(error) => self.not_read("open", error).map(|()| None),
            },
            FileType::RegularFile => match step_into(folder, name, OFlags::empty(), Mode::empty()) {
                Ok(file) => self.file(&file).map(|()| None),
                Err(error) => self.not_read("open", error).map(|()| None),
            },
            FileType::Symlink if self.is_theirs(&found)? => match readlinkat(folder, name, Vec::new()) {
                Ok(to) => self.put(&found, &Kind::Link(to.into_bytes())).map(|()| None),
                Err(error) => self.not_read("read", error).map(|()| None),
            },
            FileType::Symlink => Ok(None),
            _ => {
                self.tally.special += 1;
                self.remember();
                Ok(None)
            }
        }
    }

    fn enter(&mut self, folder: OwnedFd) -> Result<Level, SnapshotError> {
        let found = fstat(&folder).map_err(entry("look at", &self.path))?;
        let none = || Vec::new().into_iter();
        if !self.is_theirs(&found)? {
            return Ok(Level { folder, names: none(), length: self.path.len() });
        }
        self.put(&found, &Kind::Folder)?;
        let names = match names_in(&folder) {
            Ok(names) => names.into_iter(),
            Err(error) => {
                self.not_read("read", error)?;
                none()
            }
        };
        Ok(Level { folder, names, length: self.path.len() })
    }

    fn file(&mut self, file: &OwnedFd) -> Result<(), SnapshotError> {
        // Asked of the open file, which nobody can exchange any more.
        let found = fstat(file).map_err(entry("look at", &self.path))?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return self.not_read("open", Errno::INVAL);
        }
        if !self.is_theirs(&found)? {
            return Ok(());
        }
        let number = (found.st_dev, found.st_ino);
        if found.st_nlink > 1
            && let Some(first) = self.seen.get(&number)
        {
            let again = Kind::Again(first.clone());
            return self.put(&found, &again);
        }
        if found.st_nlink > 1 {
            self.seen.insert(number, self.path.clone());
        }
        let size = u64::try_from(found.st_size).unwrap_or(0);
        let extents = extents(file, &found).map_err(entry("look for the data of", &self.path))?;
        let kind = Kind::File { size, extents };
        self.put(&found, &kind)?;
        let Kind::File { extents, .. } = kind else { return Ok(()) };
        self.contents(file, &extents)
    }

    /// Exactly as much as the header has promised, whatever has become of the file.
    fn contents(&mut self, file: &OwnedFd, extents: &[Extent]) -> Result<(), SnapshotError> {
        let mut buffer = vec![0; CHUNK];
        let mut short = false;
        for Extent { start, length } in extents {
            let (mut at, after) = (*start, start + length);
            while at < after {
                let most = buffer.len().min(usize::try_from(after - at).unwrap_or(CHUNK));
                let read = match pread(file, &mut buffer[..most], at) {
                    Err(Errno::INTR) => continue,
                    Ok(0) => {
                        short = true;
                        buffer[..most].fill(0);
                        most
                    }
                    other => other.map_err(entry("read", &self.path))?,
                };
                self.out.write_all(&buffer[..read]).map_err(entry("write", &self.path))?;
                at += read as u64;
            }
        }
        let stored = extents.iter().map(|extent| extent.length).sum();
        pad(self.out, stored).map_err(entry("write", &self.path))?;
        self.tally.bytes += stored.next_multiple_of(4_096);
        if short {
            self.tally.changed += 1;
            self.remember();
        }
        Ok(())
    }

    fn put(&mut self, found: &Stat, kind: &Kind) -> Result<(), SnapshotError> {
        self.tally.entries += 1;
        self.tally.bytes += if *kind == Kind::Folder { 4_096 } else { 0 };
        let facts = Facts { mode: found.st_mode & 0o7777, mtime: u64::try_from(found.st_mtime).unwrap_or(0) };
        put(self.out, &self.path, facts, kind).map_err(entry("write", &self.path))
    }

    /// Whether something is the tenant's, so that it may be packed.
    fn is_theirs(&mut self, found: &Stat) -> Result<bool, SnapshotError> {
        if self.ids.contains(&found.st_uid) {
            return Ok(true);
        }
        self.skip(|path| SnapshotError::Foreign { path, owner: found.st_uid }).map(|()| false)
    }

    fn not_read(&mut self, step: &'static str, error: Errno) -> Result<(), SnapshotError> {
        // It has just been removed by its owner, which is no news.
        if error == Errno::NOENT && self.manner == Manner::AsFound {
            return Ok(());
        }
        self.skip(|path| SnapshotError::Entry { step, path, source: error.into() })
    }

    fn skip(&mut self, error: impl FnOnce(String) -> SnapshotError) -> Result<(), SnapshotError> {
        if self.manner == Manner::Whole {
            return Err(error(shown(&self.path)));
        }
        self.tally.unread += 1;
        self.remember();
        Ok(())
    }

    fn remember(&mut self) {
        if self.tally.names.len() < REMEMBERED {
            self.tally.names.push(shown(&self.path));
        }
    }

    fn finish(self) -> Result<Tally, SnapshotError> {
        if let (Manner::AsFound, Some(text)) = (self.manner, self.tally.left_out()) {
            super::add_file(self.out, "left-out.txt", text.as_bytes(), 0).map_err(entry("write", b"left-out.txt"))?;
        }
        end(self.out).map_err(entry("write the end of", TOP))?;
        Ok(self.tally)
    }
}

/// In one order, so that the same tree gives the same stream.
fn names_in(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for found in Dir::read_from(folder)? {
        let name = found?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads to the end what must have one, and nothing behind it.
pub(super) fn drain(input: &mut impl Read) -> io::Result<()> {
    io::copy(input, &mut io::sink()).map(drop)
}
