//! Telling a person that their money comes to an end: once when little is left, once when nothing is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use matrixos_store::Balance;
use matrixos_types::{Nanos, UserId};
use tokio::sync::mpsc;

/// How far the money has come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Four fifths are spent.
    Low,
    /// Nothing is left that a call could be made with.
    Out,
}

/// Something a person should be told, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whom.
    pub user: UserId,
    /// What.
    pub level: Level,
    /// What is left of it.
    pub remaining: Nanos,
    /// What may be spent in all.
    pub quota: Nanos,
}

impl Level {
    /// In percent of the quota.
    pub fn percent(self) -> u8 {
        match self {
            Self::Low => 80,
            Self::Out => 100,
        }
    }

    /// How far a balance is.
    pub(super) fn of(balance: &Balance, quota: Nanos) -> Option<Self> {
        let (spent, quota) = (u128::from(balance.spent.0), u128::from(quota.0));
        match () {
            () if spent >= quota => Some(Self::Out),
            () if spent * 100 >= quota * 80 => Some(Self::Low),
            () => None,
        }
    }

    /// How far a balance is with which a call was just refused: a twentieth that buys nothing is nothing.
    pub(super) fn of_refused(balance: &Balance, quota: Nanos) -> Option<Self> {
        if quota.minus(balance.spent).0 < quota.0 / 20 { Some(Self::Out) } else { Self::of(balance, quota) }
    }
}

/// Hands out notices, each once; a restart hands out again what nobody said was delivered.
pub(super) struct Notices {
    sender: mpsc::UnboundedSender<Notice>,
    /// In percent, what was handed out or delivered. Its bound is the number of accounts.
    given: Mutex<HashMap<UserId, u8>>,
}

impl Notices {
    /// At most two notices for each account wait in the channel.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Notice>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender, given: Mutex::default() }, receiver)
    }

    /// Hands out a notice, if this level is news.
    pub(super) fn give(&self, level: Option<Level>, balance: &Balance, quota: Nanos) {
        let Some(level) = level else { return };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let known = given.entry(balance.user).or_insert(balance.told);
        if level.percent() > (*known).max(balance.told) {
            *known = level.percent();
            let remaining = quota.minus(balance.spent);
            let _ = self.sender.send(Notice { user: balance.user, level, remaining, quota });
        }
    }

    /// After the quota has changed: what is not true any more may be said again.
    pub(super) fn reset(&self, user: UserId, percent: u8) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = given.get_mut(&user) {
            *known = (*known).min(percent);
        }
    }
}
