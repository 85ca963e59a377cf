//! When money is on the disk: leases at once, everything else with the database's next settlement.

use matrixos_types::UserId;
use sled::transaction::{ConflictableTransactionError, Transactional};

use super::records::{Balance, Lease};
use crate::error::StoreError;
use crate::store::Store;
use crate::table::{Record, decode, put_in};

impl Store {
    /// Returns when these leases, which [`Store::hold`] gave, survive `kill -9` and a power cut. For the one who writes
    /// money, between two calls of [`Store::settle_money`].
    pub fn settle_leases(&self, leases: &[&Lease]) -> Result<(), StoreError> {
        self.check_writable()?;
        match self.0.money.slate.as_ref().map(|slate| slate.write(leases)) {
            Some(Ok(true)) => Ok(()),
            // Full, failing or not there: the database is what counts.
            _ => self.settle_money(),
        }
    }

    /// Returns when everything that was written of money is on the disk.
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

    /// The database has had every lease whose number is lower than that of the next; some of them are charged by now.
    fn take_up(&self, lease: &Lease) -> Result<(), StoreError> {
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
