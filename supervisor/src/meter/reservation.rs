//! Money on hold for one call, from before the provider sees it until it is charged.

use std::sync::Arc;
use std::time::SystemTime;

use matrixos_store::{Held, HoldError, How, Lease, NewRow, Spent, StoreError};
use matrixos_types::Nanos;

use super::clerk::{Receipt, gone};
use super::days::seconds;
use super::engine::{Call, Meter, Need, Place, as_leased};
use super::notice::Level;
use super::prices::{Price, Prices, Terms};
use super::reader::UsageReader;
use super::usage::{Ending, Settled, Tokens, Usage};

/// For how many tokens of a streamed answer money is put on hold at once.
pub(super) const LEASE: u64 = 4_096;
/// With less of it left than this, more is put on hold.
const MARGIN: u64 = 1_024;

/// The budget does not suffice for more of an answer: stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the budget of {quota} is used up; {remaining} remain when this call is paid for")]
pub struct OutOfBudget {
    /// What will remain, at the least.
    pub remaining: Nanos,
    /// What may be spent in all.
    pub quota: Nanos,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The model, by the name that has a price.
    pub model: String,
    /// Its tokens.
    pub tokens: Tokens,
    /// What it cost.
    pub cost: Nanos,
    /// How that is known.
    pub how: How,
    /// Its number in the ledger.
    pub number: u64,
    /// What may still be spent.
    pub remaining: Nanos,
}

/// A call that may be made. If it is dropped instead of settled, what it holds is charged.
pub struct Reservation {
    /// Frees the place of this call when the reservation ends.
    place: Place,
    prices: Arc<Prices>,
    price: Price,
    terms: Terms,
    /// The most that its prompt can be.
    prompt: Tokens,
    /// The most that its answer can be.
    max_tokens: u64,
    at: SystemTime,
    quota: Nanos,
    /// What was not spent and not on hold after this call's lease.
    free: Nanos,
    /// None for a call with the person's own key.
    lease: Option<Lease>,
    /// What it may cost without asking for more.
    amount: Nanos,
    /// There was no more to be had.
    exhausted: bool,
}

impl Reservation {
    #[allow(clippy::too_many_arguments, reason = "called in one place, which has all of it at hand")]
    pub(super) fn new(
        place: Place,
        prices: Arc<Prices>,
        price: Price,
        terms: Terms,
        call: &Call,
        need: &Need,
        at: SystemTime,
        quota: Nanos,
        held: Option<Held>,
    ) -> Self {
        let amount = held.as_ref().map_or(need.most, |held| held.lease.amount);
        let free = held.as_ref().map_or(Nanos::ZERO, |held| held.balance.free(quota));
        let buys = price.output_for(terms, need.prompt, amount);
        let max_tokens = if call.stream { call.max_tokens } else { call.max_tokens.min(buys) };
        let (prompt, lease) = (need.prompt, held.map(|held| held.lease));
        let exhausted = false;
        Self { place, prices, price, terms, prompt, max_tokens, at, quota, free, lease, amount, exhausted }
    }

    /// The most tokens that the answer may have: fewer than asked for, if it is no stream and the budget buys no more.
    pub fn max_tokens(&self) -> u64 {
        self.max_tokens
    }

    /// The model, by the name that has a price.
    pub fn model(&self) -> &str {
        &self.price.model
    }

    /// What may be spent in all.
    pub fn quota(&self) -> Nanos {
        self.quota
    }

    /// What is neither spent nor on hold, this call's hold being counted.
    pub fn free(&self) -> Nanos {
        self.free
    }

    /// Whether what is on hold suffices for the answer so far and a little more. If not, [`Self::extend`].
    pub fn covers(&self, reader: &UsageReader) -> bool {
        self.lease.is_none() || self.covers_up_to(reader, if self.exhausted { 0 } else { MARGIN })
    }

    fn covers_up_to(&self, reader: &UsageReader, margin: u64) -> bool {
        self.at_most(&reader.progress(), margin) <= self.amount
    }

    /// Puts more on hold while a stream flows. It is on the disk when this returns. Rare: once in some thousand tokens.
    pub async fn extend(&mut self, reader: &UsageReader) -> Result<(), OutOfBudget> {
        if self.covers(reader) {
            return Ok(());
        }
        let Some(lease) = &self.lease else { return Ok(()) };
        let progress = reader.progress();
        let (least, most) = (self.at_most(&progress, 0), self.at_most(&progress, LEASE));
        let (key, usual) = (lease.key(), self.place.meter.0.settings.quota);
        match self.place.meter.0.clerk.write(key.user, move |store| store.widen(key, least, most, usual)).await {
            Ok(held) => {
                self.exhausted = held.lease.amount < most;
                self.amount = held.lease.amount;
                self.quota = self.place.meter.quota(held.balance.quota);
                self.free = held.balance.free(self.quota);
                self.lease = Some(held.lease);
                Ok(())
            }
            Err(HoldError::Short { balance, .. }) => {
                let spent = balance.spent.plus(least.max(self.amount));
                Err(OutOfBudget { remaining: self.quota.minus(spent), quota: self.quota })
            }
            // What cannot be written down must not be spent either.
            Err(HoldError::Store(_)) => Err(OutOfBudget { remaining: self.free, quota: self.quota }),
        }
    }

    /// The most that the call can have cost by now, and with so many more tokens of the answer.
    fn at_most(&self, progress: &Settled, more: u64) -> Nanos {
        let said = progress.usage.total();
        let output =
            said.output.max(progress.text.at_most()).saturating_add(more).min(self.max_tokens.max(said.output));
        let prompt = if progress.known { said } else { self.prompt };
        let usage = Usage { tokens: Tokens { output, ..prompt }, ..progress.usage.clone() };
        self.prices.cost(&self.price, self.terms, &usage, self.at)
    }

    /// Charges what the call cost. It is on the disk when this returns.
    pub async fn settle(self, settled: Settled) -> Result<Charge, StoreError> {
        self.pay(&settled, true).written().await
    }

    /// Charges what the call cost without waiting for the disk: until it is there, the hold is. The place of this call is
    /// free again, and whatever is asked of the meter for this account from now on counts the charge.
    pub fn charge(self, settled: &Settled) -> Charging {
        self.pay(settled, false)
    }

    fn pay(mut self, settled: &Settled, now: bool) -> Charging {
        let row = self.row(settled);
        let (lease, user, meter) = (self.lease.take(), self.place.user, self.place.meter.clone());
        let cost = if lease.is_some() { row.cost } else { Nanos::ZERO };
        let spent = meter.0.store.balance(user).ok().flatten().map_or(Nanos::ZERO, |balance| balance.spent);
        let remaining = self.quota.minus(spent.plus(cost));
        let written = meter.0.clerk.post(user, now, move |store| match lease {
            Some(lease) => store.charge(lease.key(), &row),
            None => store.meter(user, &row),
        });
        Charging { meter, remaining, written }
    }

    /// Gives back what was on hold: the provider has refused the call, or was never reached. It is on the disk when this
    /// returns.
    pub async fn release(mut self) -> Result<(), StoreError> {
        let Some(lease) = self.lease.take() else { return Ok(()) };
        let clerk = self.place.meter.0.clerk.clone();
        clerk.write(lease.user, move |store| store.release(lease.key())).await.map(drop)
    }

    /// What is written down. Without a proper end, what came of the answer is estimated; if not even the prompt is known,
    /// the call costs what it held, at the least.
    fn row(&self, settled: &Settled) -> NewRow {
        let mut usage = settled.usage.clone();
        let complete = settled.ending == Ending::Complete;
        if !complete {
            usage.tokens.output = usage.tokens.output.max(settled.text.likely());
        }
        let cost = self.prices.cost(&self.price, self.terms, &usage, self.at);
        let (cost, how) = match () {
            () if complete => (cost, How::Exact),
            () if settled.known => (cost, How::Estimated),
            () => (cost.max(self.amount), How::Leased),
        };
        let tokens = self.terms.split(usage.total());
        NewRow {
            at: seconds(self.place.meter.0.clock.now()),
            model: self.price.model.clone(),
            input: tokens.input,
            output: tokens.output,
            write_5m: tokens.write_5m,
            write_1h: tokens.write_1h,
            read: tokens.read,
            searches: usage.searches,
            cost,
            how,
            own: self.lease.is_none(),
        }
    }
}

/// A charge that is on its way to the disk, and gets there whether or not somebody waits for it.
pub struct Charging {
    meter: Meter,
    remaining: Nanos,
    written: Receipt<Spent, StoreError>,
}

impl Charging {
    /// What may still be spent after it, but for calls that end at the same time.
    pub fn remaining(&self) -> Nanos {
        self.remaining
    }

    /// What was charged, once it is on the disk.
    pub async fn written(self) -> Result<Charge, StoreError> {
        let spent = self.written.await.map_err(|_| gone())??;
        Ok(charged(&self.meter, &spent))
    }
}

fn charged(meter: &Meter, spent: &Spent) -> Charge {
    let (balance, call) = (&spent.balance, &spent.row.call);
    let quota = meter.quota(balance.quota);
    meter.0.notices.give(Level::of(balance, quota), balance, quota);
    Charge {
        model: call.model.clone(),
        tokens: Tokens {
            input: call.input,
            output: call.output,
            write_5m: call.write_5m,
            write_1h: call.write_1h,
            write_unsplit: 0,
            read: call.read,
        },
        cost: call.cost,
        how: call.how,
        number: spent.row.number,
        remaining: quota.minus(balance.spent),
    }
}

impl Drop for Reservation {
    /// Nothing is free: what nobody settled costs what it held.
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        let meter = &self.place.meter.0;
        let row = as_leased(&lease, seconds(meter.clock.now()));
        drop(meter.clerk.post(lease.user, false, move |store| store.charge(lease.key(), &row)));
    }
}
