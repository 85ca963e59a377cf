//! When money is on the disk: leases at once, everything else with the database's next settlement.

use matrixos_types::UserId;
use sled::transaction::{ConflictableTransactionError, Transactional};

use super::records::{Balance, Lease};
use crate::error::StoreError;
use crate::store::Store;
use crate::table::{Record, decode, put_in};

impl Store {
    /// Writes leases, drafted or entered, where they survive `kill -9` and a power cut. False if there is no room for them:
    /// then they are to be entered and wait for [`Store::settle_money`]. For the one who writes money.
    pub fn settle_leases(&self, leases: &[&Lease]) -> Result<bool, StoreError> {
        self.check_writable()?;
        // One that fails is as good as none: the database is what counts.
        Ok(self.0.money.slate.as_ref().is_some_and(|slate| slate.write(leases).unwrap_or(false)))
    }

    /// To be called before a [`Store::settle`] while which leases are settled. Every lease has been entered, and the one
    /// before has come to its end. For the one who writes money.
    pub fn turn_the_slate(&self) {
        if let Some(slate) = &self.0.money.slate {
            slate.turn();
        }
    }

    /// Returns when everything that was written of money is on the disk. For the one who writes money.
    pub fn settle_money(&self) -> Result<(), StoreError> {
        self.settle()?;
        if let Some(slate) = &self.0.money.slate {
            slate.clear();
        }
        Ok(())
    }

    /// Puts leases into the database which a crash has left on the slate alone, and wipes it.
    pub(crate) fn take_from_the_slate(&self, mut leases: Vec<Lease>) -> Result<(), StoreError> {
        if leases.is_empty() {
            return Ok(());
        }
        leases.sort_unstable_by_key(Lease::key);
        for lease in &leases {
            self.take_up(lease)?;
        }
        self.settle()?;
        match &self.0.money.slate {
            Some(slate) => Ok(slate.wipe()?),
            None => Ok(()),
        }
    }

    /// Enters a lease into the tables. They have had every one whose number is lower than that of the next; some of them are
    /// charged by now.
    pub(super) fn take_up(&self, lease: &Lease) -> Result<(), StoreError> {
        let (t, user) = (&self.0, lease.user);
        let trees = (&t.users.tree, &t.money.balances.tree, &t.money.leases.tree);
        let taken = trees.transaction(|(users, balances, leases)| {
            if users.get(user.0)?.is_none() {
                return Ok(());
            }
            let mut balance = match balances.get(user.0)? {
                Some(bytes) => decode(Balance::TABLE, &bytes).map_err(ConflictableTransactionError::Abort)?,
                None => Balance::new(UserId(user.0)),
            };
            if lease.number >= balance.leases {
                balance.leases = lease.number + 1;
                balance.held = balance.held.plus(lease.amount);
                put_in(leases, lease)?;
                put_in(balances, &balance)?;
            }
            Ok(())
        });
        taken.map_err(StoreError::from)
    }
}
