//! Durability: what was acknowledged survives `kill -9` and a power cut.
//!
//! sled 0.34.7's `flush()` calls `sync_file_range(2)` only, which flushes neither metadata nor the disk's own cache. So
//! after it, `fdatasync(2)` on its file. Writers that wait at the same time share one flush (group commit).

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use sled::Db;

use crate::store::StoreError;

pub(crate) struct Durable {
    file: File,
    turn: Mutex<Turn>,
    done: Condvar,
}

#[derive(Default)]
struct Turn {
    /// The flush that the next writer needs.
    next: u64,
    /// The last flush that is done.
    finished: u64,
    flushing: bool,
    /// Set for ever once a flush has failed: what the disk holds is not known any more.
    broken: Option<String>,
}

impl Durable {
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::open(folder.join("db"))?,
            turn: Mutex::new(Turn { next: 1, ..Turn::default() }),
            done: Condvar::new(),
        })
    }

    /// Returns when everything written before the call is on the disk.
    pub(crate) fn settle(&self, db: &Db) -> Result<(), StoreError> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = turn.next;
        loop {
            if let Some(why) = &turn.broken {
                return Err(StoreError::Broken(why.clone()));
            }
            if turn.finished >= mine {
                return Ok(());
            }
            if turn.flushing {
                turn = self.done.wait(turn).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // Writers from now on need the flush after this one, for they may come too late for it.
            let this = turn.next;
            turn.next += 1;
            turn.flushing = true;
            drop(turn);
            let flushed =
                db.flush().map_err(StoreError::from).and_then(|_| self.file.sync_data().map_err(StoreError::from));
            turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            turn.flushing = false;
            match &flushed {
                Ok(()) => turn.finished = this,
                Err(error) => turn.broken = Some(error.to_string()),
            }
            self.done.notify_all();
        }
    }
}
