//! What can be asked about money.

use std::ops::RangeInclusive;

use matrixos_types::UserId;

use super::records::{Balance, Lease, Row, Spending, owner_and_rest};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// How an account stands; `None` before its first call.
    pub fn balance(&self, user: UserId) -> Result<Option<Balance>, StoreError> {
        self.0.money.balances.get(user.0)
    }

    /// How everybody stands who has ever called.
    pub fn balances(&self) -> impl Iterator<Item = Result<Balance, StoreError>> + use<> {
        self.0.money.balances.all()
    }

    /// Every lease.
    pub fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        self.0.money.leases.all().collect()
    }

    /// What an account used on these days (since 1970, in UTC), by day and model. Its cost does not depend on how many
    /// rows the ledger has.
    pub fn spending(&self, user: UserId, days: RangeInclusive<u32>) -> Result<Vec<Spending>, StoreError> {
        let from = Spending::key(user, *days.start(), "");
        let rows = self.0.money.spending.range(from..).map(|entry| {
            let (key, bytes) = entry?;
            Spending::decode(&key, &bytes)
        });
        let wanted = |row: &Result<Spending, StoreError>| match row {
            Ok(row) => row.user == user && days.contains(&row.day),
            Err(_) => true,
        };
        rows.take_while(wanted).collect()
    }

    /// An account's rows of the ledger, oldest first, from a number on.
    pub fn ledger(&self, user: UserId, from: u64) -> impl Iterator<Item = Result<Row, StoreError>> + use<> {
        let keys = Row::key(user, from)..=Row::key(user, u64::MAX);
        self.0.money.ledger.range(keys).map(|entry| {
            let (key, bytes) = entry?;
            Row::decode(&key, &bytes)
        })
    }

    /// Takes away what accounts that are gone have left behind, should a deletion have been cut short. Not settled.
    pub fn forget_orphans(&self) -> Result<(), StoreError> {
        let money = &self.0.money;
        for tree in [&money.balances.tree, &money.leases.tree, &money.ledger, &money.spending] {
            let mut next = tree.first()?;
            while let Some((key, _)) = next {
                let Some((user, _)) = owner_and_rest(&key) else { break };
                if self.user(user)?.is_none() {
                    self.forget_money(user)?;
                }
                let mut last = user.0.as_bytes().to_vec();
                last.resize(512, u8::MAX);
                next = tree.get_gt(last)?;
            }
        }
        Ok(())
    }
}
