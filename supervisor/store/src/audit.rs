//! What happened to accounts, in one order for all of them, and bounded for each: its oldest events make room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use matrixos_types::UserId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::records::Caller;
use crate::store::Store;
use crate::table::{Table, encode};

/// Events that are kept of one account.
pub const EVENTS: usize = 500;
/// Events that strangers caused and that are kept of one account: they must not push out what its owner did.
pub const EVENTS_BY_STRANGERS: usize = 100;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place among all events; given by the store.
    pub number: u64,
    /// Whose account it concerns.
    pub user: UserId,
    /// When, in seconds since 1970.
    pub at: u64,
    /// What happened.
    pub what: What,
    /// To what, in words for people.
    pub detail: Option<String>,
    /// From where.
    pub caller: Caller,
    /// Who did it.
    pub by: By,
}

/// What can happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The account was made.
    SignedUp,
    /// A browser was signed in.
    SignedIn,
    /// A sign-in was refused.
    SignInRefused,
    /// A browser signed itself out.
    SignedOut,
    /// A session was ended from another.
    SessionRevoked,
    /// All sessions were ended.
    SessionsRevoked,
    /// A token that had been replaced was used again: its session was ended.
    RefreshReused,
    /// The person proved once more who they are.
    Verified,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey got another name.
    PasskeyRenamed,
    /// A passkey was removed.
    PasskeyRemoved,
    /// An authenticator app was set up.
    TotpSet,
    /// The authenticator app was removed.
    TotpRemoved,
    /// New recovery codes were made.
    RecoveryCodesMade,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// Everything that the account has was downloaded.
    DataExported,
    /// The owner asked for the account to be deleted.
    DeletionRequested,
    /// The owner changed their mind.
    DeletionUndone,
    /// The account became an administrator's.
    AdminGranted,
    /// The account is not an administrator's any more.
    AdminRevoked,
    /// The owner gave a key of their own for AI calls.
    OwnKeySet,
    /// The owner took that key back.
    OwnKeyRemoved,
    /// An administrator changed what may be spent on AI calls.
    QuotaSet,
    /// The operator or an administrator stopped the computer.
    ComputerStopped,
    /// The operator or an administrator started the computer.
    ComputerStarted,
}

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The owner, as far as can be told.
    #[serde(rename = "self")]
    Owner,
    /// The operator; for what was done before there were administrators who do such things, one of those.
    Operator,
    /// An administrator; the event's detail is their handle.
    Administrator,
    /// Somebody who did not prove anything.
    Stranger,
}

/// Which events each account has, in memory: made from the table at the start, and held while it changes.
#[derive(Default)]
pub(crate) struct AuditIndex(Mutex<Numbers>);

#[derive(Default)]
pub(crate) struct Numbers {
    next: u64,
    /// By account, and whether strangers caused them; oldest first.
    known: HashMap<(UserId, bool), VecDeque<u64>>,
}

impl AuditIndex {
    /// Begins anew from the table. Records that cannot be read are left to `verify`.
    pub(crate) fn load(&self, events: &Table<Event>) {
        let mut numbers = Numbers::default();
        for event in events.all().filter_map(Result::ok) {
            numbers.add(&event);
        }
        *self.lock() = numbers;
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbers {
    /// Adds an event; returns the number of the one that has to make room.
    fn add(&mut self, event: &Event) -> Option<u64> {
        self.next = self.next.max(event.number + 1);
        let by_stranger = event.by == By::Stranger;
        let most = if by_stranger { EVENTS_BY_STRANGERS } else { EVENTS };
        let numbers = self.known.entry((event.user, by_stranger)).or_default();
        numbers.push_back(event.number);
        if numbers.len() > most { numbers.pop_front() } else { None }
    }

    /// The newest `most` numbers of an account below `before`, newest first.
    fn of(&self, user: UserId, before: u64, most: usize) -> Vec<u64> {
        let kinds = [false, true].into_iter().filter_map(|by_stranger| self.known.get(&(user, by_stranger)));
        let mut numbers: Vec<u64> = kinds.flatten().copied().filter(|n| *n < before).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.truncate(most);
        numbers
    }
}

impl Store {
    /// Writes an event down; its number is given here.
    pub fn note(&self, mut event: Event) -> Result<(), StoreError> {
        let mut numbers = self.0.numbers.lock();
        // Whoever deletes an account takes its events away afterwards.
        if self.user(event.user)?.is_none() {
            return Err(StoreError::Missing("account"));
        }
        event.number = numbers.next;
        self.0.audit.tree.insert(event.number.to_be_bytes(), encode(&event))?;
        if let Some(oldest) = numbers.add(&event) {
            self.0.audit.tree.remove(oldest.to_be_bytes())?;
        }
        drop(numbers);
        self.settle()
    }

    /// The newest `most` events of an account with numbers below `before`, newest first.
    pub fn events_of(&self, user: UserId, before: u64, most: usize) -> Result<Vec<Event>, StoreError> {
        let numbers = self.0.numbers.lock().of(user, before, most);
        numbers.into_iter().filter_map(|number| self.0.audit.get(number.to_be_bytes()).transpose()).collect()
    }

    /// The newest `most` events of everybody with numbers below `before`, newest first.
    pub fn events(&self, before: u64, most: usize) -> Result<Vec<Event>, StoreError> {
        self.0.audit.before(before.to_be_bytes().to_vec()).take(most).collect()
    }

    /// The events of an account go with it.
    pub(crate) fn forget_events(&self, user: UserId) -> Result<(), StoreError> {
        let mut numbers = self.0.numbers.lock();
        for by_stranger in [false, true] {
            for number in numbers.known.remove(&(user, by_stranger)).unwrap_or_default() {
                self.0.audit.tree.remove(number.to_be_bytes())?;
            }
        }
        Ok(())
    }
}
