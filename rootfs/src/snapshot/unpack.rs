//! Makes a tree from a stream, in a folder that is there and empty. Whoever calls it has the identity that the files
//! shall belong to; nothing that is made is ever followed.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{
    AtFlags, Mode, OFlags, Timespec, Timestamps, fchmod, ftruncate, futimens, linkat, mkdirat, symlinkat, utimensat,
};

use super::entry::{Entry, Facts, Kind, cut_short, padding, take};
use super::pack::drain;
use super::sparse::Extent;
use super::{DEEPEST, SnapshotError, TOP, damaged, entry};
use crate::tenant::step_into;

/// Bytes that are written at once.
const CHUNK: usize = 256 * 1024;

/// Makes everything that the stream holds below `home`, and reads the stream to its end.
pub(super) fn unpack(input: &mut impl Read, home: impl AsFd) -> Result<(), SnapshotError> {
    let top = step_into(&home, c".", OFlags::DIRECTORY, Mode::empty()).map_err(entry("open", TOP))?;
    let first = take(input)?.filter(|first| first.path == TOP && first.kind == Kind::Folder);
    let first = first.ok_or_else(|| damaged("it does not begin with the home"))?;
    let mut maker = Maker { input, home, levels: vec![Level { name: TOP.to_vec(), folder: top, facts: first.facts }] };
    while let Some(entry) = take(maker.input)? {
        maker.make(&entry)?;
    }
    maker.leave(0)?;
    drain(maker.input).map_err(cut_short)
}

struct Maker<'a, R, F> {
    input: &'a mut R,
    home: F,
    /// The folders on the way to what is being made. What they shall be like is set when they are left: until then they
    /// must let files in.
    levels: Vec<Level>,
}

struct Level {
    name: Vec<u8>,
    folder: OwnedFd,
    facts: Facts,
}

impl<R: Read, F: AsFd> Maker<'_, R, F> {
    fn make(&mut self, Entry { path, facts, kind }: &Entry) -> Result<(), SnapshotError> {
        let parts = parts(path)?;
        let Some((name, above)) = parts.split_last().filter(|(_, above)| !above.is_empty()) else {
            return Err(damaged("a name outside of the home"));
        };
        if above.len() > self.levels.len() {
            return Err(damaged("a name in a folder that has not been there"));
        }
        self.leave(above.len())?;
        if !self.levels.iter().map(|level| level.name.as_slice()).eq(above.iter().copied()) {
            return Err(damaged("a name in a folder that has not been there"));
        }
        let name = text(name)?;
        let at = |step| entry(step, path);
        let folder = &self.levels.last().ok_or_else(|| damaged("a name outside of the home"))?.folder;
        match kind {
            Kind::Folder => self.folder(name, path, *facts),
            Kind::File { size, extents } => self.file(&name, path, *facts, *size, extents),
            Kind::Link(to) => {
                symlinkat(text(to)?, folder, &name).map_err(at("make"))?;
                utimensat(folder, &name, &times(*facts), AtFlags::SYMLINK_NOFOLLOW).map_err(at("date"))
            }
            Kind::Again(first) => {
                let (there, first) = self.way_to(first)?;
                linkat(there, first, folder, &name, AtFlags::empty()).map_err(at("link"))
            }
        }
    }

    fn folder(&mut self, name: CString, path: &[u8], facts: Facts) -> Result<(), SnapshotError> {
        if self.levels.len() >= DEEPEST {
            return Err(damaged("folders that are too deep"));
        }
        let above = &self.levels.last().ok_or_else(|| damaged("a name outside of the home"))?.folder;
        mkdirat(above, &name, Mode::RWXU).map_err(entry("make", path))?;
        let folder = step_into(above, &name, OFlags::DIRECTORY, Mode::empty()).map_err(entry("open", path))?;
        self.levels.push(Level { name: name.into_bytes(), folder, facts });
        Ok(())
    }

    fn file(
        &mut self,
        name: &CString,
        path: &[u8],
        facts: Facts,
        size: u64,
        extents: &[Extent],
    ) -> Result<(), SnapshotError> {
        let folder = &self.levels.last().ok_or_else(|| damaged("a name outside of the home"))?.folder;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let file = step_into(folder, name, flags, Mode::RUSR | Mode::WUSR).map_err(entry("make", path))?;
        let file = File::from(file);
        // The last part of a sparse file is a hole, which nothing is written into.
        ftruncate(&file, size).map_err(entry("size", path))?;
        for extent in extents {
            self.contents(&file, path, *extent)?;
        }
        let stored = extents.iter().map(|extent| extent.length).sum();
        io::copy(&mut self.input.by_ref().take(padding(stored)), &mut io::sink()).map_err(cut_short)?;
        fchmod(&file, Mode::from_raw_mode(facts.mode)).map_err(entry("set the mode of", path))?;
        futimens(&file, &times(facts)).map_err(entry("date", path))
    }

    fn contents(&mut self, file: &File, path: &[u8], Extent { start, length }: Extent) -> Result<(), SnapshotError> {
        let mut buffer = vec![0; CHUNK];
        let (mut at, after) = (start, start + length);
        while at < after {
            let most = buffer.len().min(usize::try_from(after - at).unwrap_or(CHUNK));
            self.input.read_exact(&mut buffer[..most]).map_err(cut_short)?;
            file.write_all_at(&buffer[..most], at).map_err(entry("write", path))?;
            at += most as u64;
        }
        Ok(())
    }

    /// Leaves all folders but the first `kept`.
    fn leave(&mut self, kept: usize) -> Result<(), SnapshotError> {
        while self.levels.len() > kept.max(usize::from(kept > 0)) {
            let Some(Level { name, folder, facts }) = self.levels.pop() else { break };
            fchmod(&folder, Mode::from_raw_mode(facts.mode)).map_err(entry("set the mode of", &name))?;
            futimens(&folder, &times(facts)).map_err(entry("date", &name))?;
        }
        Ok(())
    }

    /// The folder and the name of something that was made before.
    fn way_to(&self, path: &[u8]) -> Result<(OwnedFd, CString), SnapshotError> {
        let parts = parts(path)?;
        let (name, above) = parts.split_last().ok_or_else(|| damaged("a link to nothing"))?;
        let mut folder = step_into(&self.home, c".", OFlags::DIRECTORY, Mode::empty()).map_err(entry("open", TOP))?;
        for part in above.iter().skip(1) {
            folder = step_into(&folder, &text(part)?, OFlags::DIRECTORY, Mode::empty()).map_err(entry("open", path))?;
        }
        Ok((folder, text(name)?))
    }
}

/// The names in a path of the stream.
fn parts(path: &[u8]) -> Result<Vec<&[u8]>, SnapshotError> {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let odd = parts.iter().any(|part| matches!(*part, b"" | b"." | b".."));
    if odd || parts.first() != Some(&TOP) { Err(damaged("a name that leads elsewhere")) } else { Ok(parts) }
}

fn text(bytes: &[u8]) -> Result<CString, SnapshotError> {
    CString::new(bytes).map_err(|_| damaged("a name with a zero in it"))
}

fn times(facts: Facts) -> Timestamps {
    let moment = Timespec { tv_sec: i64::try_from(facts.mtime).unwrap_or(i64::MAX), tv_nsec: 0 };
    Timestamps { last_access: moment, last_modification: moment }
}
