//! Where the data of a file lies. A file of a terabyte may hold a few bytes, and only those are worth reading.

use std::io;

use rustix::fd::AsFd;
use rustix::fs::{SeekFrom, Stat, seek};
use rustix::io::Errno;

/// Parts of a sparse file begin and end at multiples of this, as tar wants them; file systems do so anyway.
const UNIT: u64 = 512;

/// A part of a file that holds data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) length: u64,
}

/// The parts of an open file that hold data. Those of a file that is being changed may be too many or too few, never
/// beyond the size that was seen.
pub(super) fn extents(file: impl AsFd, found: &Stat) -> io::Result<Vec<Extent>> {
    let size = u64::try_from(found.st_size).unwrap_or(0);
    let taken = u64::try_from(found.st_blocks).unwrap_or(0).saturating_mul(512);
    if size == 0 {
        return Ok(Vec::new());
    }
    if taken >= size {
        return Ok(vec![Extent { start: 0, length: size }]);
    }
    let (mut parts, mut reached) = (Vec::new(), 0);
    while reached < size {
        let start = match seek(&file, SeekFrom::Data(reached)) {
            Ok(start) => (start / UNIT * UNIT).max(reached),
            // Nothing but a hole to the end.
            Err(Errno::NXIO) => break,
            // The file system knows no holes.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(vec![Extent { start: 0, length: size }]),
            Err(error) => return Err(error.into()),
        };
        if start >= size {
            break;
        }
        let after = match seek(&file, SeekFrom::Hole(start)) {
            Ok(after) => after.next_multiple_of(UNIT).min(size),
            Err(Errno::NXIO) => size,
            Err(error) => return Err(error.into()),
        };
        if after > start {
            parts.push(Extent { start, length: after - start });
        }
        reached = after.max(start + 1);
    }
    Ok(parts)
}
