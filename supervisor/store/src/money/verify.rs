//! Whether money adds up: the ledger to the balance, the leases to what is on hold, the sums to the ledger.

use matrixos_types::{Nanos, UserId};

use super::records::{Balance, Row, Spending, owner_and_rest};
use super::{Money, records};
use crate::error::StoreError;
use crate::store::Store;
use crate::verify::Check;

/// Looks for what does not add up. Accounts are looked at one by one, each while its money does not move.
pub(crate) fn verify(store: &Store, check: &mut Check) {
    let money = &store.0.money;
    for balance in check.records(&money.balances) {
        match store.user(balance.user) {
            Ok(Some(_)) => check_account(money, balance.user, check),
            Ok(None) => check.add("balances", format!("the balance of {} belongs to no account", balance.user)),
            Err(error) => check.add("users", error.to_string()),
        }
    }
    orphans(money, check);
}

fn check_account(money: &Money, user: UserId, check: &mut Check) {
    let _moving = money.lock();
    let Ok(Some(balance)) = money.balances.get(user.0) else { return };
    match (sums_of_ledger(money, &balance), sums_by_day(money, user), held(money, user)) {
        (Ok(ledger), Ok(days), Ok(held)) => compare(&balance, &ledger, &days, held, check),
        (Err(error), ..) => check.add("ledger", error.to_string()),
        (_, Err(error), _) => check.add("spending", error.to_string()),
        (.., Err(error)) => check.add("leases", error.to_string()),
    }
}

#[derive(Default, PartialEq, Debug)]
struct Sums {
    calls: u64,
    cost: Nanos,
    own: Nanos,
}

fn sums_of_ledger(money: &Money, balance: &Balance) -> Result<Sums, StoreError> {
    let mut sums = Spending::none(balance.user, 0, "");
    for entry in money.ledger.scan_prefix(balance.user.0) {
        let (key, bytes) = entry?;
        let row = Row::decode(&key, &bytes)?;
        if row.number != sums.calls {
            let why = format!("a row of {} has the number {} instead of {}", row.user, row.number, sums.calls);
            return Err(StoreError::Damaged { table: "ledger", why });
        }
        sums.add(&row.call);
    }
    Ok(Sums { calls: sums.calls, cost: sums.cost, own: sums.own })
}

fn sums_by_day(money: &Money, user: UserId) -> Result<Sums, StoreError> {
    let mut sums = Sums::default();
    for entry in money.spending.scan_prefix(user.0) {
        let (key, bytes) = entry?;
        let day = Spending::decode(&key, &bytes)?;
        sums.calls = sums.calls.saturating_add(day.calls);
        sums.cost = sums.cost.plus(day.cost);
        sums.own = sums.own.plus(day.own);
    }
    Ok(sums)
}

fn held(money: &Money, user: UserId) -> Result<Nanos, StoreError> {
    let leases = money.leases.tree.scan_prefix(user.0).values();
    leases.map(|bytes| Ok(crate::table::decode::<records::Lease>("leases", &bytes?)?.amount)).sum()
}

fn compare(balance: &Balance, ledger: &Sums, days: &Sums, held: Nanos, check: &mut Check) {
    let user = balance.user;
    let said = Sums { calls: balance.rows, cost: balance.spent, own: balance.own };
    if *ledger != said {
        check.add("balances", format!("the ledger of {user} adds up to {ledger:?}, its balance says {said:?}"));
    }
    if days != ledger {
        check.add("spending", format!("the days of {user} add up to {days:?}, its ledger to {ledger:?}"));
    }
    if held != balance.held {
        check.add("leases", format!("the leases of {user} add up to {held:?}, its balance says {:?}", balance.held));
    }
}

/// Rows of accounts without a balance.
fn orphans(money: &Money, check: &mut Check) {
    for (name, tree) in [("leases", &money.leases.tree), ("ledger", &money.ledger), ("spending", &money.spending)] {
        let mut known = None;
        for key in tree.iter().keys() {
            let Ok(key) = key else { continue };
            let Some((user, _)) = owner_and_rest(&key) else {
                check.add(name, format!("a record lies under the wrong key {key:?}"));
                continue;
            };
            if known != Some(user) && !matches!(money.balances.get(user.0), Ok(Some(_))) {
                check.add(name, format!("what {user} used belongs to no balance"));
            }
            known = Some(user);
        }
    }
}
