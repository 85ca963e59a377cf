//! The records of money. Rows and sums are many, so they lie as short JSON lists under keys that say the rest.

use matrixos_types::{ContainerId, Nanos, UserId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::table::{Record, decode, encode};

/// What an account may spend, has spent and has on hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Whose.
    pub user: UserId,
    /// What may be spent in all, if it is not what everybody may.
    pub quota: Option<Nanos>,
    /// What was spent: the sum of the ledger's rows that were charged.
    pub spent: Nanos,
    /// What calls in flight may cost: the sum of the leases.
    pub held: Nanos,
    /// What calls with the person's own key would have cost: metered, not charged.
    pub own: Nanos,
    /// How many rows of the ledger there are; the number of the next.
    pub rows: u64,
    /// How many leases there have been; the number of the next.
    pub leases: u64,
    /// At which share of the quota, in percent, the person was told last.
    pub told: u8,
}

impl Balance {
    pub(crate) fn new(user: UserId) -> Self {
        let zero = Nanos::ZERO;
        Self { user, quota: None, spent: zero, held: zero, own: zero, rows: 0, leases: 0, told: 0 }
    }

    /// What is neither spent nor on hold.
    pub fn free(&self, quota: Nanos) -> Nanos {
        quota.minus(self.spent).minus(self.held)
    }
}

/// Money on hold for one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Whose.
    pub user: UserId,
    /// Its number among the account's leases.
    pub number: u64,
    /// The container that calls.
    pub container: ContainerId,
    /// The model that is called.
    pub model: String,
    /// How much.
    pub amount: Nanos,
    /// Since when, in seconds since 1970.
    pub at: u64,
}

/// Which lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseKey {
    /// Whose.
    pub user: UserId,
    /// Its number.
    pub number: u64,
}

impl Lease {
    /// Which one it is.
    pub fn key(&self) -> LeaseKey {
        LeaseKey { user: self.user, number: self.number }
    }
}

/// How a call's cost is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum How {
    /// From the usage in the answer.
    Exact,
    /// The answer broke off: from what had come of it.
    Estimated,
    /// Nothing tells: what was on hold.
    Leased,
}

impl How {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Estimated => "estimated",
            Self::Leased => "leased",
        }
    }
}

impl From<How> for u8 {
    fn from(how: How) -> Self {
        match how {
            How::Exact => 0,
            How::Estimated => 1,
            How::Leased => 2,
        }
    }
}

impl TryFrom<u8> for How {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0 => Ok(Self::Exact),
            1 => Ok(Self::Estimated),
            2 => Ok(Self::Leased),
            other => Err(format!("no way to know a cost has the number {other}")),
        }
    }
}

/// What one call used and cost, before it has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// When it ended, in seconds since 1970.
    pub at: u64,
    /// The model.
    pub model: String,
    /// Tokens of the prompt, without those of the cache.
    pub input: u64,
    /// Tokens of the answer.
    pub output: u64,
    /// Tokens written to the cache for five minutes.
    pub write_5m: u64,
    /// Tokens written to the cache for an hour.
    pub write_1h: u64,
    /// Tokens read from the cache.
    pub read: u64,
    /// Searches of the web.
    pub searches: u64,
    /// What it cost.
    pub cost: Nanos,
    /// How that is known.
    pub how: How,
    /// Whether the person's own key paid: then nothing is charged.
    pub own: bool,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whose.
    pub user: UserId,
    /// Its number among the account's rows, from 0, without gaps.
    pub number: u64,
    /// The call.
    pub call: NewRow,
}

/// A row as it lies in the table. What is added comes last, with a default.
#[derive(Serialize, Deserialize)]
struct PackedRow(u64, String, u64, u64, u64, u64, u64, u64, Nanos, How, u8);

impl Row {
    pub(crate) fn key(user: UserId, number: u64) -> [u8; 24] {
        let mut key = [0; 24];
        key[..16].copy_from_slice(user.0.as_bytes());
        key[16..].copy_from_slice(&number.to_be_bytes());
        key
    }

    pub(crate) fn encode(call: &NewRow) -> Vec<u8> {
        let c = call.clone();
        let (input, output) = (c.input, c.output);
        encode(&PackedRow(
            c.at,
            c.model,
            input,
            output,
            c.write_5m,
            c.write_1h,
            c.read,
            c.searches,
            c.cost,
            c.how,
            c.own.into(),
        ))
    }

    pub(crate) fn decode(key: &[u8], bytes: &[u8]) -> Result<Self, StoreError> {
        let (user, number) = owner_and_rest(key).ok_or_else(|| bad_key("ledger", key))?;
        let number = u64::from_be_bytes(number.try_into().map_err(|_| bad_key("ledger", key))?);
        let packed: PackedRow = decode("ledger", bytes)?;
        let PackedRow(at, model, input, output, write_5m, write_1h, read, searches, cost, how, own) = packed;
        let call = NewRow { at, model, input, output, write_5m, write_1h, read, searches, cost, how, own: own != 0 };
        Ok(Self { user, number, call })
    }
}

/// What an account used of one model on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Whose.
    pub user: UserId,
    /// Days since 1970-01-01, in UTC.
    pub day: u32,
    /// The model.
    pub model: String,
    /// How many calls.
    pub calls: u64,
    /// Tokens of prompts, without those of the cache.
    pub input: u64,
    /// Tokens of answers.
    pub output: u64,
    /// Tokens written to the cache.
    pub write: u64,
    /// Tokens read from the cache.
    pub read: u64,
    /// Searches of the web.
    pub searches: u64,
    /// What was charged.
    pub cost: Nanos,
    /// What was metered on the person's own key.
    pub own: Nanos,
}

#[derive(Serialize, Deserialize)]
struct PackedSpending(u64, u64, u64, u64, u64, u64, Nanos, Nanos);

impl Spending {
    pub(crate) fn none(user: UserId, day: u32, model: &str) -> Self {
        let (model, zero) = (model.to_owned(), Nanos::ZERO);
        Self { user, day, model, calls: 0, input: 0, output: 0, write: 0, read: 0, searches: 0, cost: zero, own: zero }
    }

    pub(crate) fn key(user: UserId, day: u32, model: &str) -> Vec<u8> {
        [user.0.as_bytes(), &day.to_be_bytes()[..], model.as_bytes()].concat()
    }

    pub(crate) fn add(&mut self, call: &NewRow) {
        let sum = |total: &mut u64, more: u64| *total = total.saturating_add(more);
        sum(&mut self.calls, 1);
        sum(&mut self.input, call.input);
        sum(&mut self.output, call.output);
        sum(&mut self.write, call.write_5m.saturating_add(call.write_1h));
        sum(&mut self.read, call.read);
        sum(&mut self.searches, call.searches);
        let money = if call.own { &mut self.own } else { &mut self.cost };
        *money = money.plus(call.cost);
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let s = self;
        encode(&PackedSpending(s.calls, s.input, s.output, s.write, s.read, s.searches, s.cost, s.own))
    }

    pub(crate) fn decode(key: &[u8], bytes: &[u8]) -> Result<Self, StoreError> {
        let bad = || bad_key("spending", key);
        let (user, rest) = owner_and_rest(key).ok_or_else(bad)?;
        let (day, model) = rest.split_first_chunk().ok_or_else(bad)?;
        let model = std::str::from_utf8(model).map_err(|_| bad())?.to_owned();
        let packed: PackedSpending = decode("spending", bytes)?;
        let PackedSpending(calls, input, output, write, read, searches, cost, own) = packed;
        let day = u32::from_be_bytes(*day);
        Ok(Self { user, day, model, calls, input, output, write, read, searches, cost, own })
    }
}

/// The account that a key begins with, and what follows.
pub(crate) fn owner_and_rest(key: &[u8]) -> Option<(UserId, &[u8])> {
    let (user, rest) = key.split_first_chunk::<16>()?;
    Some((UserId::from_bytes(*user), rest))
}

fn bad_key(table: &'static str, key: &[u8]) -> StoreError {
    StoreError::Damaged { table, why: format!("a record lies under the wrong key {key:?}") }
}

impl Record for Balance {
    const TABLE: &'static str = "balances";
    fn key(&self) -> Vec<u8> {
        self.user.0.as_bytes().to_vec()
    }
}

impl Record for Lease {
    const TABLE: &'static str = "leases";
    fn key(&self) -> Vec<u8> {
        Row::key(self.user, self.number).to_vec()
    }
}

impl LeaseKey {
    pub(crate) fn bytes(self) -> [u8; 24] {
        Row::key(self.user, self.number)
    }
}
