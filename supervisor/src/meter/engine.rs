//! The meter: who may make a call, and how everybody stands.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use matrixos_store::{Held, Hold, HoldError, How, Lease, NewRow, Row, Store, StoreError};
use matrixos_types::{ContainerId, Nanos, UserId};
use tokio::sync::mpsc;

use super::clerk::Clerk;
use super::days::seconds;
use super::notice::{Level, Notice, Notices};
use super::prices::{Price, Prices, Terms};
use super::report::{Standing, UsageReport};
use super::reservation::{LEASE, Reservation};
use super::usage::Tokens;
use crate::clock::Clock;

/// What the provider puts before a prompt (how tools are described, and the like), in tokens.
const OVERHEAD: u64 = 1_000;
/// With less of an answer than this, a call is not worth making.
const WORTHWHILE: u64 = 256;
/// When to try again while others of one's calls are in flight.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What holds for everybody.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What may be spent by whoever has no quota of their own.
    pub quota: Nanos,
    /// How many calls one person may have in flight.
    pub calls: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { quota: Nanos::dollars(5), calls: 5 }
    }
}

/// A call that somebody wants to make.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The model, as written.
    pub model: String,
    /// Bytes of the body: no prompt has more tokens than bytes.
    pub bytes: u64,
    /// Tokens of the prompt, where the provider has counted them: less is put on hold than for the bytes.
    pub counted: Option<u64>,
    /// The most tokens that the answer may have.
    pub max_tokens: u64,
    /// Whether the answer comes as a stream. Otherwise all of it must be on hold from the beginning.
    pub stream: bool,
    /// The speed that is asked for.
    pub speed: Option<String>,
    /// The place that is asked for.
    pub geo: Option<String>,
    /// Whether anything is to be cached for an hour (`"ttl":"1h"`), which costs more. If in doubt, true.
    pub hour: bool,
    /// Whether it is made with the person's own key: metered, not charged.
    pub own_key: bool,
}

/// Why a call is not made.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The model has no price.
    #[error("the model {model:?} is not known here; these are: {}", known.join(", "))]
    UnknownModel {
        /// As it was asked for, without what cannot be shown.
        model: String,
        /// Those that have a price.
        known: Vec<String>,
    },
    /// Something was asked for whose price is not known.
    #[error("{0} has no known price here; leave it out")]
    Unpriced(String),
    /// The budget does not suffice.
    #[error("{}", out_of_budget(.remaining, .held, .needed, .quota))]
    OutOfBudget {
        /// What is not spent.
        remaining: Nanos,
        /// What of it calls in flight may still cost: trying again later may help.
        held: Nanos,
        /// What would have to be free.
        needed: Nanos,
        /// What may be spent in all.
        quota: Nanos,
    },
    /// As many calls as may be are in flight already.
    #[error("{most} calls are in flight already; try again when one has ended")]
    TooMany {
        /// How many may be.
        most: u32,
        /// When to try again.
        retry_after: Duration,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn out_of_budget(remaining: &Nanos, held: &Nanos, needed: &Nanos, quota: &Nanos) -> String {
    let begin = format!("{remaining} of the budget of {quota} remain");
    match *held {
        Nanos::ZERO => format!("{begin}, and this call may cost ${}", needed.exact()),
        held => format!("{begin}, of which calls in flight hold {held}; this one may cost ${}", needed.exact()),
    }
}

/// The meter; clones are the same one.
#[derive(Clone)]
pub struct Meter(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) clerk: Clerk,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) notices: Notices,
    pub(super) settings: Settings,
    prices: RwLock<Arc<Prices>>,
    in_flight: Mutex<HashMap<UserId, u32>>,
}

impl Meter {
    /// Begins to meter. Leases that an earlier process left behind are charged before anything else, since nobody knows any
    /// more what their calls came to. Blocks. Also returns what people are to be told, from now on.
    pub fn open(
        store: Store,
        prices: Prices,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Notice>), StoreError> {
        recover(&store, seconds(clock.now()))?;
        let clerk = Clerk::start(store.clone()).map_err(StoreError::Io)?;
        let (notices, receiver) = Notices::new();
        for balance in store.balances() {
            let balance = balance?;
            let quota = balance.quota.unwrap_or(settings.quota);
            notices.give(Level::of(&balance, quota), &balance, quota);
        }
        let prices = RwLock::new(Arc::new(prices));
        let inner = Inner { store, clerk, clock, notices, settings, prices, in_flight: Mutex::default() };
        Ok((Self(Arc::new(inner)), receiver))
    }

    /// The prices that hold now.
    pub fn prices(&self) -> Arc<Prices> {
        self.0.prices.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other prices in their place, for calls from now on.
    pub fn set_prices(&self, prices: Prices) {
        *self.0.prices.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(prices);
    }

    /// The day it is, since 1970, in UTC.
    pub fn today(&self) -> u32 {
        super::days::day(self.0.clock.now())
    }

    /// The models that have a price now.
    pub fn models(&self) -> Vec<String> {
        self.prices().models(self.0.clock.now())
    }

    /// Fails, naming those that are known, if a model has no price now.
    pub fn ensure_known(&self, model: &str) -> Result<(), Refused> {
        let (prices, at) = (self.prices(), self.0.clock.now());
        prices.price(model, at).map(drop).ok_or_else(|| unknown(model, &prices.models(at)))
    }

    /// Puts money on hold for a call. It is on the disk when this returns.
    pub async fn reserve(&self, user: UserId, container: &ContainerId, call: &Call) -> Result<Reservation, Refused> {
        let (prices, at) = (self.prices(), self.0.clock.now());
        let price = prices.price(&call.model, at).ok_or_else(|| unknown(&call.model, &prices.models(at)))?;
        let terms = price.terms(call.speed.as_deref(), call.geo.as_deref(), call.hour).map_err(unpriced)?;
        let place = Place::take(self, user)?;
        let need = Need::of(call, &price, terms);
        let reservation = |held: Option<Held>| {
            let quota = self.quota(held.as_ref().and_then(|held| held.balance.quota));
            Reservation::new(place, prices.clone(), price.clone(), terms, call, &need, at, quota, held)
        };
        if call.own_key {
            return Ok(reservation(None));
        }
        let hold = Hold {
            user,
            container: container.clone(),
            model: price.model.clone(),
            at: seconds(at),
            least: need.least,
            most: need.most,
            quota: self.0.settings.quota,
        };
        let held = self.0.clerk.hold(hold).await;
        Ok(reservation(Some(held.map_err(|error| self.refused(error))?)))
    }

    fn refused(&self, error: HoldError) -> Refused {
        match error {
            HoldError::Store(error) => Refused::Store(error),
            HoldError::Short { balance, needed } => {
                let quota = self.quota(balance.quota);
                self.0.notices.give(Level::of_refused(&balance, quota), &balance, quota);
                Refused::OutOfBudget { remaining: quota.minus(balance.spent), held: balance.held, needed, quota }
            }
        }
    }

    /// Returns when what an account was charged before is counted in what [`Self::standing`], [`Self::usage`] and
    /// [`Self::calls`] say. Charges are not waited for otherwise.
    pub async fn catch_up(&self, user: UserId) -> Result<(), StoreError> {
        self.0.clerk.catch_up(user).await
    }

    /// How an account stands. Cheap: two look-ups in memory.
    pub fn standing(&self, user: UserId) -> Result<Standing, StoreError> {
        let balance = self.0.store.balance(user)?;
        let in_flight = self.in_flight().get(&user).copied().unwrap_or(0);
        let quota = self.quota(balance.as_ref().and_then(|balance| balance.quota));
        let zero = Nanos::ZERO;
        let (spent, held, own) = balance.map_or((zero, zero, zero), |b| (b.spent, b.held, b.own));
        Ok(Standing { quota, spent, held, own, in_flight })
    }

    /// What an account may still spend.
    pub fn remaining(&self, user: UserId) -> Result<Nanos, StoreError> {
        Ok(self.standing(user)?.remaining())
    }

    /// How an account stands and what it used on these days (see [`super::day`]).
    pub fn usage(&self, user: UserId, days: RangeInclusive<u32>) -> Result<UsageReport, StoreError> {
        Ok(UsageReport { standing: self.standing(user)?, days: self.0.store.spending(user, days)? })
    }

    /// An account's calls, oldest first, from a number on. May be millions: read them off the threads that serve.
    pub fn calls(&self, user: UserId, from: u64) -> impl Iterator<Item = Result<Row, StoreError>> + Send + use<> {
        self.0.store.ledger(user, from)
    }

    /// Sets what an account may spend in all; `None` is what everybody may. Whoever has enough again is told again when it
    /// comes to an end.
    pub async fn set_quota(&self, user: UserId, quota: Option<Nanos>) -> Result<Standing, StoreError> {
        let usual = self.0.settings.quota;
        let written = self.0.clerk.write(user, move |store| {
            let balance = store.set_quota(user, quota)?;
            let level = Level::of(&balance, quota.unwrap_or(usual)).map_or(0, Level::percent);
            if level < balance.told { store.set_told(user, level) } else { Ok::<_, StoreError>(balance) }
        });
        let balance = written.await?;
        let quota = self.quota(balance.quota);
        let level = Level::of(&balance, quota);
        self.0.notices.reset(user, level.map_or(0, Level::percent));
        self.0.notices.give(level, &balance, quota);
        self.standing(user)
    }

    /// Remembers that a person was told. Until then a restart hands out the notice again.
    pub async fn told(&self, notice: &Notice) -> Result<(), StoreError> {
        let (user, percent) = (notice.user, notice.level.percent());
        self.0.clerk.write(user, move |store| store.set_told(user, percent)).await.map(drop)
    }

    pub(super) fn quota(&self, own: Option<Nanos>) -> Nanos {
        own.unwrap_or(self.0.settings.quota)
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<UserId, u32>> {
        self.0.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call may cost.
pub(super) struct Need {
    /// The most that its prompt can be.
    pub(super) prompt: Tokens,
    /// With less than this it is not worth making.
    least: Nanos,
    /// What is put on hold for it if there is as much.
    pub(super) most: Nanos,
}

impl Need {
    fn of(call: &Call, price: &Price, terms: Terms) -> Self {
        let prompt = price.prompt_at_most(terms, call.counted.unwrap_or(call.bytes).saturating_add(OVERHEAD));
        let with = |output: u64| price.cost(terms, Tokens { output, ..prompt });
        let at_first = if call.stream { LEASE } else { call.max_tokens };
        Self { prompt, least: with(call.max_tokens.min(WORTHWHILE)), most: with(call.max_tokens.min(at_first)) }
    }
}

/// One of the calls that a person may have in flight.
pub(super) struct Place {
    pub(super) meter: Meter,
    pub(super) user: UserId,
}

impl Place {
    fn take(meter: &Meter, user: UserId) -> Result<Self, Refused> {
        let most = meter.0.settings.calls;
        let mut in_flight = meter.in_flight();
        let count = in_flight.entry(user).or_insert(0);
        if *count >= most {
            return Err(Refused::TooMany { most, retry_after: RETRY_AFTER });
        }
        *count += 1;
        Ok(Self { meter: meter.clone(), user })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut in_flight = self.meter.in_flight();
        if let Some(count) = in_flight.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                in_flight.remove(&self.user);
            }
        }
    }
}

fn unknown(model: &str, known: &[String]) -> Refused {
    let model = model.chars().filter(|c| !c.is_control()).take(80).collect();
    Refused::UnknownModel { model, known: known.to_vec() }
}

fn unpriced(what: String) -> Refused {
    Refused::Unpriced(what.chars().filter(|c| !c.is_control()).take(120).collect())
}

/// Charges the leases that are left, and takes away what deleted accounts have left.
fn recover(store: &Store, now: u64) -> Result<(), StoreError> {
    store.forget_orphans()?;
    for lease in store.leases()? {
        store.charge(lease.key(), &as_leased(&lease, now))?;
    }
    store.settle()
}

/// What is written of a call of which nothing is known but what it held.
pub(super) fn as_leased(lease: &Lease, now: u64) -> NewRow {
    NewRow {
        at: now,
        model: lease.model.clone(),
        input: 0,
        output: 0,
        write_5m: 0,
        write_1h: 0,
        read: 0,
        searches: 0,
        cost: lease.amount,
        how: How::Leased,
        own: false,
    }
}
