//! The database's files: opened alone, settled for real, and checked for a lost end.
//!
//! sled 0.34.7's `flush()` calls `sync_file_range(2)` only, which flushes neither metadata nor the disk's own cache; so
//! after it, `fdatasync(2)` on its file. And where its log is damaged it opens without complaint at the last good record
//! and forgets the rest. So each settlement is numbered in the log, and its number written beside it afterwards: a log
//! that ends before that number has lost something that was acknowledged.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sled::{Config, Db, Tree};

use crate::durable::Disk;
use crate::error::StoreError;
use crate::reserve::Reserve;
use crate::table::{decode, encode};

/// sled's page cache, in bytes. The store of a thousand accounts is a few megabytes.
const CACHE: u64 = 8 << 20;
/// What is true of these files only, and no part of an export.
const LOCAL: &str = "local";
const SETTLED: &[u8] = b"settled";
const MARK: &str = "acknowledged";

/// The open files.
pub(crate) struct Files {
    db: Db,
    local: Tree,
    log: File,
    mark: File,
    reserve: Reserve,
}

impl Files {
    /// Opens the files in `folder`, or makes them. Also says which settlement was the last.
    pub(crate) fn open(folder: &Path) -> Result<(Self, u64), StoreError> {
        let reserve = Reserve::before_opening(folder)?;
        let db = open_alone(folder)?;
        let local = db.open_tree(LOCAL)?;
        let settled = local.get(SETTLED)?.map_or(Ok(0), |bytes| decode(LOCAL, &bytes))?;
        let path = folder.join(MARK);
        let mark = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        let promised = promised(&mark)?;
        if settled < promised {
            return Err(StoreError::Lost { found: settled, promised, mark: path });
        }
        let log = File::options().read(true).write(true).open(folder.join("db"))?;
        sync_names(folder)?;
        reserve.renew(&log);
        Ok((Self { db, local, log, mark, reserve }, settled))
    }

    pub(crate) fn tree(&self, name: &str) -> Result<Tree, StoreError> {
        Ok(self.db.open_tree(name)?)
    }

    /// Fails if the disk has no room for growth.
    pub(crate) fn check_room(&self) -> Result<(), StoreError> {
        self.reserve.check(&self.log)
    }

    /// What is true of these files only.
    pub(crate) fn local(&self) -> &Tree {
        &self.local
    }
}

impl Disk for Files {
    fn settle(&self, number: u64) -> Result<(), StoreError> {
        self.local.insert(SETTLED, encode(&number))?;
        self.db.flush()?;
        self.log.sync_data()?;
        self.reserve.renew(&self.log);
        // Not synced: it may be behind after a power cut, but is never ahead of the log.
        self.mark.write_all_at(format!("{number:020}\n").as_bytes(), 0)?;
        Ok(())
    }
}

fn open_alone(folder: &Path) -> Result<Db, StoreError> {
    let opened = Config::new().path(folder).cache_capacity(CACHE).flush_every_ms(None).open();
    opened.map_err(|error| match error {
        // sled reports a lock that is held as "other" with this text and nothing else to go by.
        sled::Error::Io(e) if e.to_string().contains("could not acquire lock") => StoreError::InUse(folder.to_owned()),
        other => other.into(),
    })
}

/// The number in the mark. One that cannot be read promises nothing: a power cut may have come before its first bytes.
fn promised(mark: &File) -> io::Result<u64> {
    let mut text = [0; 20];
    match mark.read_exact_at(&mut text, 0) {
        Ok(()) => Ok(std::str::from_utf8(&text).ok().and_then(|t| t.parse().ok()).unwrap_or(0)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(e) => Err(e),
    }
}

/// Makes the files' names and sled's settings survive a power cut; sled syncs neither.
fn sync_names(folder: &Path) -> io::Result<()> {
    for path in [folder.join("conf"), folder.to_owned(), parent(folder)] {
        match File::open(path) {
            Ok(file) => file.sync_all()?,
            // The folder was prepared by somebody who may look into its parent; it is theirs to sync.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn parent(folder: &Path) -> PathBuf {
    folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
