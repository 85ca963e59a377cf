//! Money: what each account may spend, has spent and has on hold, and every call that was paid for.
//!
//! A balance, the leases on it, its rows in the ledger and the sums by day and model change together, in one
//! transaction. What is written here is on the disk only after [`Store::settle`], which one writer calls for many.

mod change;
mod read;
mod records;
mod verify;

pub use change::{Held, Hold, HoldError, Spent};
pub use records::{Balance, How, Lease, LeaseKey, NewRow, Row, Spending};
pub(crate) use verify::verify;

use std::sync::{Mutex, MutexGuard, PoisonError};

use sled::Tree;

use crate::disk::Files;
use crate::error::StoreError;
use crate::table::Table;

/// The tables of money.
pub(crate) struct Money {
    pub(crate) balances: Table<Balance>,
    pub(crate) leases: Table<Lease>,
    /// By account and number: one row for each call, never changed.
    pub(crate) ledger: Tree,
    /// By account, day and model: sums of the ledger.
    pub(crate) spending: Tree,
    /// Held while money moves, so that whoever compares tables sees no half of it.
    moving: Mutex<()>,
}

impl Money {
    pub(crate) fn open(files: &Files) -> Result<Self, StoreError> {
        Ok(Self {
            balances: Table::open(files)?,
            leases: Table::open(files)?,
            ledger: files.tree("ledger")?,
            spending: files.tree("spending")?,
            moving: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
