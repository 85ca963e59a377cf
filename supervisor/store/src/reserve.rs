//! Room for the store on a disk that others fill.
//!
//! sled's log grows as it is written, and a write that finds no room ends the database. So blocks are set aside behind
//! the log's end (`fallocate(2)`, `FALLOC_FL_KEEP_SIZE`): what the store writes lands in them, however full the disk is.
//! Opening writes a new file as well; for that there is ballast, which is thrown off first. And before the disk is full,
//! growth is refused, so that what is set aside serves those who sign in to clear up.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use matrixos_types::Bytes;
use rustix::fs::{FallocateFlags, fallocate, fstatvfs, statvfs};

use crate::error::StoreError;

/// Set aside behind the end of the log. A sign-in takes about 2 KiB of it.
const SET_ASIDE: u64 = 16 << 20;
/// Thrown off to open on a full disk.
const BALLAST: u64 = 8 << 20;
/// With less than this left, nothing may grow.
const ROOM: u64 = 48 << 20;

/// What is kept free for the store in `folder`.
pub(crate) struct Reserve {
    ballast: PathBuf,
}

impl Reserve {
    /// To be called before the database is opened: makes room if there is none.
    pub(crate) fn before_opening(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let reserve = Self { ballast: folder.join("ballast") };
        if free(folder)? < BALLAST {
            match fs::remove_file(&reserve.ballast) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(reserve)
    }

    /// Sets aside again what was used, where there is room for it and the file system can. `log` is the database's file.
    /// It is a precaution: failing at it must not fail what has just been settled.
    pub(crate) fn renew(&self, log: &File) {
        let _ = self.try_renew(log);
    }

    fn try_renew(&self, log: &File) -> io::Result<()> {
        let found = log.metadata()?;
        if found.blocks() * 512 < found.len() + SET_ASIDE / 2 && room(log)? > SET_ASIDE {
            fallocate(log, FallocateFlags::KEEP_SIZE, found.len(), SET_ASIDE)?;
        }
        if !self.ballast.exists() && room(log)? > ROOM + BALLAST {
            let ballast = File::create(&self.ballast)?;
            fallocate(&ballast, FallocateFlags::empty(), 0, BALLAST)?;
        }
        Ok(())
    }

    /// Fails if nothing may grow now.
    pub(crate) fn check(&self, log: &File) -> Result<(), StoreError> {
        let left = room(log)?;
        if left >= ROOM { Ok(()) } else { Err(StoreError::Low { left: Bytes(left), needed: Bytes(ROOM) }) }
    }
}

/// What an unprivileged process may still use of the disk.
fn free(folder: &Path) -> io::Result<u64> {
    let found = statvfs(folder)?;
    Ok(found.f_bavail * found.f_frsize)
}

fn room(file: impl AsFd) -> io::Result<u64> {
    let found = fstatvfs(file)?;
    Ok(found.f_bavail * found.f_frsize)
}
