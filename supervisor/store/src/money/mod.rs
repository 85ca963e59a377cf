//! Money: what each account may spend, has spent and has on hold, and every call that was paid for.
//!
//! A balance, the leases on it, its rows in the ledger and the sums by day and model change together, in one
//! transaction. What is written here is on the disk only after [`Store::settle_money`], which one writer calls for many; a
//! lease is there already after [`Store::settle_leases`].

mod change;
mod read;
mod records;
mod settle;
mod slate;
mod verify;

pub use change::{Held, Hold, HoldError, Spent};
pub use records::{Balance, How, Lease, LeaseKey, NewRow, Row, Spending};
pub(crate) use verify::verify;

use std::sync::{Mutex, MutexGuard, PoisonError};

use std::path::Path;

use sled::Tree;

use crate::disk::Files;
use crate::error::StoreError;
use crate::table::Table;
use slate::Slate;

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
    /// Where leases are on the disk before the rest is. Without it, for lack of room, they wait for the rest.
    slate: Option<Slate>,
}

impl Money {
    /// Opens the tables; also gives the leases that a crash left on the slate in `folder`.
    pub(crate) fn open(files: &Files, folder: &Path) -> Result<(Self, Vec<Lease>), StoreError> {
        let (slate, left) = Slate::open(folder).map_or((None, Vec::new()), |(slate, left)| (Some(slate), left));
        let money = Self {
            balances: Table::open(files)?,
            leases: Table::open(files)?,
            ledger: files.tree("ledger")?,
            spending: files.tree("spending")?,
            moving: Mutex::default(),
            slate,
        };
        Ok((money, left))
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
