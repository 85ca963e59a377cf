//! How money moves: put on hold, held longer, charged or given back. Each is one transaction; none of it is settled.

use matrixos_types::{ContainerId, Nanos, UserId};
use sled::transaction::{ConflictableTransactionError, Transactional, TransactionalTree};

use super::records::{Balance, Lease, LeaseKey, NewRow, Row, Spending};
use crate::error::{StoreError, why};
use crate::store::Store;
use crate::table::{Record, decode, put_in};

type Conflict<E> = ConflictableTransactionError<E>;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// What is to be put on hold.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Whose.
    pub user: UserId,
    /// The container that calls.
    pub container: ContainerId,
    /// The model that is called.
    pub model: String,
    /// Now, in seconds since 1970.
    pub at: u64,
    /// With less than this the call cannot be made.
    pub least: Nanos,
    /// More than this it cannot cost.
    pub most: Nanos,
    /// What everybody may spend who has no quota of their own.
    pub quota: Nanos,
}

/// Money on hold, and how the account stands with it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The lease.
    pub lease: Lease,
    /// The balance.
    pub balance: Balance,
}

/// A call that was written down, and how the account stands after it.
#[derive(Clone, Debug)]
pub struct Spent {
    /// The row.
    pub row: Row,
    /// The balance.
    pub balance: Balance,
}

/// Why nothing was put on hold.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// The account has not as much left.
    #[error("{needed} would be needed")]
    Short {
        /// How it stands.
        balance: Balance,
        /// What would be needed.
        needed: Nanos,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Puts money on hold for a call: as much as there is between the least and the most of it. Not settled.
    pub fn hold(&self, hold: &Hold) -> Result<Held, HoldError> {
        let money = &self.0.money;
        let _moving = money.lock();
        self.ensure_balance(hold.user)?;
        let trees = (&money.balances.tree, &money.leases.tree);
        let held = trees.transaction(|(balances, leases)| {
            let mut balance = balance_in(balances, hold.user)?;
            let free = balance.free(balance.quota.unwrap_or(hold.quota));
            if free < hold.least {
                return Err(Conflict::Abort(HoldError::Short { balance, needed: hold.least }));
            }
            let amount = free.min(hold.most.max(hold.least));
            let Hold { user, container, model, at, .. } = hold.clone();
            let lease = Lease { user, number: balance.leases, container, model, amount, at };
            balance.leases += 1;
            balance.held = balance.held.plus(amount);
            put_in(leases, &lease)?;
            put_in(balances, &balance)?;
            Ok(Held { lease, balance })
        });
        held.map_err(why)
    }

    /// Makes a lease larger: as large as there is money for, between the least and the most it should be. One that is as
    /// large already stays as it is. Not settled.
    pub fn widen(&self, lease: LeaseKey, least: Nanos, most: Nanos, quota: Nanos) -> Result<Held, HoldError> {
        let money = &self.0.money;
        let _moving = money.lock();
        let trees = (&money.balances.tree, &money.leases.tree);
        let held = trees.transaction(|(balances, leases)| {
            let mut balance = balance_in(balances, lease.user)?;
            let mut lease = lease_in(leases, lease)?;
            let (free, needed) = (balance.free(balance.quota.unwrap_or(quota)), least.minus(lease.amount));
            if free < needed {
                return Err(Conflict::Abort(HoldError::Short { balance, needed }));
            }
            let more = free.min(most.minus(lease.amount).max(needed));
            lease.amount = lease.amount.plus(more);
            balance.held = balance.held.plus(more);
            put_in(leases, &lease)?;
            put_in(balances, &balance)?;
            Ok(Held { lease, balance })
        });
        held.map_err(why)
    }

    /// Ends a lease with what the call cost, more or less than was on hold. Not settled.
    pub fn charge(&self, lease: LeaseKey, call: &NewRow) -> Result<Spent, StoreError> {
        self.write_row(lease.user, Some(lease), call)
    }

    /// Writes down a call for which nothing was on hold: one with the person's own key. Not settled.
    pub fn meter(&self, user: UserId, call: &NewRow) -> Result<Spent, StoreError> {
        self.write_row(user, None, call)
    }

    /// Gives back what was on hold for a call that cost nothing. Not settled.
    pub fn release(&self, lease: LeaseKey) -> Result<Balance, StoreError> {
        let money = &self.0.money;
        let _moving = money.lock();
        let trees = (&money.balances.tree, &money.leases.tree);
        let released = trees.transaction(|(balances, leases)| {
            let mut balance = balance_in::<StoreError>(balances, lease.user)?;
            end_lease(leases, lease, &mut balance)?;
            put_in(balances, &balance)?;
            Ok(balance)
        });
        released.map_err(StoreError::from)
    }

    /// Sets what an account may spend in all; `None` is what everybody may. Not settled.
    pub fn set_quota(&self, user: UserId, quota: Option<Nanos>) -> Result<Balance, StoreError> {
        self.change_balance(user, |balance| balance.quota = quota)
    }

    /// Remembers at which share of the quota, in percent, the person was told. Not settled.
    pub fn set_told(&self, user: UserId, percent: u8) -> Result<Balance, StoreError> {
        self.change_balance(user, |balance| balance.told = percent)
    }

    fn change_balance(&self, user: UserId, change: impl Fn(&mut Balance)) -> Result<Balance, StoreError> {
        let _moving = self.0.money.lock();
        self.ensure_balance(user)?;
        let changed = self.0.money.balances.tree.transaction(|balances| {
            let mut balance = balance_in::<StoreError>(balances, user)?;
            change(&mut balance);
            put_in(balances, &balance)?;
            Ok(balance)
        });
        changed.map_err(StoreError::from)
    }

    fn write_row(&self, user: UserId, lease: Option<LeaseKey>, call: &NewRow) -> Result<Spent, StoreError> {
        let money = &self.0.money;
        let _moving = money.lock();
        self.ensure_balance(user)?;
        let trees = (&money.balances.tree, &money.leases.tree, &money.ledger, &money.spending);
        let written = trees.transaction(|(balances, leases, ledger, spending)| {
            let mut balance = balance_in::<StoreError>(balances, user)?;
            if let Some(lease) = lease {
                end_lease(leases, lease, &mut balance)?;
            }
            let row = Row { user, number: balance.rows, call: call.clone() };
            ledger.insert(&Row::key(user, row.number), Row::encode(call))?;
            add_up(spending, user, call)?;
            balance.rows += 1;
            let total = if call.own { &mut balance.own } else { &mut balance.spent };
            *total = total.plus(call.cost);
            put_in(balances, &balance)?;
            Ok(Spent { row, balance })
        });
        written.map_err(StoreError::from)
    }

    /// The first call of an account makes its balance, unless the account is gone. Money is not moving meanwhile.
    fn ensure_balance(&self, user: UserId) -> Result<(), StoreError> {
        let t = &self.0;
        if t.money.balances.tree.contains_key(user.0)? {
            return Ok(());
        }
        let made = (&t.users.tree, &t.money.balances.tree).transaction(|(users, balances)| {
            users.get(user.0)?.ok_or(Conflict::Abort(StoreError::Missing("account")))?;
            put_in(balances, &Balance::new(user))?;
            Ok(())
        });
        made.map_err(StoreError::from)
    }

    /// What an account spent goes with it, once the account itself is gone. Not settled.
    pub(crate) fn forget_money(&self, user: UserId) -> Result<(), StoreError> {
        let money = &self.0.money;
        let _moving = money.lock();
        for tree in [&money.leases.tree, &money.ledger, &money.spending, &money.balances.tree] {
            for key in tree.scan_prefix(user.0).keys() {
                tree.remove(key?)?;
            }
        }
        Ok(())
    }
}

fn balance_in<E: From<StoreError>>(balances: &TransactionalTree, user: UserId) -> Result<Balance, Conflict<E>> {
    let bytes = balances.get(user.0)?.ok_or_else(|| Conflict::Abort(StoreError::Missing("account").into()))?;
    decode(Balance::TABLE, &bytes).map_err(|error| Conflict::Abort(error.into()))
}

fn lease_in<E: From<StoreError>>(leases: &TransactionalTree, lease: LeaseKey) -> Result<Lease, Conflict<E>> {
    let bytes = leases.get(lease.bytes())?.ok_or_else(|| Conflict::Abort(StoreError::Missing("lease").into()))?;
    decode(Lease::TABLE, &bytes).map_err(|error| Conflict::Abort(error.into()))
}

fn end_lease(leases: &TransactionalTree, key: LeaseKey, balance: &mut Balance) -> Result<(), Conflict<StoreError>> {
    let lease: Lease = lease_in(leases, key)?;
    leases.remove(&key.bytes())?;
    balance.held = balance.held.minus(lease.amount);
    Ok(())
}

fn add_up(spending: &TransactionalTree, user: UserId, call: &NewRow) -> Result<(), Conflict<StoreError>> {
    let day = day_of(call.at);
    let key = Spending::key(user, day, &call.model);
    let mut sum = match spending.get(&key)? {
        Some(bytes) => Spending::decode(&key, &bytes).map_err(Conflict::Abort)?,
        None => Spending::none(user, day, &call.model),
    };
    sum.add(call);
    spending.insert(key, sum.encode())?;
    Ok(())
}

/// The day of a time, since 1970.
fn day_of(at: u64) -> u32 {
    u32::try_from(at / DAY).unwrap_or(u32::MAX)
}
