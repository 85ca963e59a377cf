//! The open store. What it can be asked lies in modules of its own; each change is acknowledged only when it is on the
//! disk.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sled::Tree;

use crate::audit::{AuditIndex, Event};
use crate::disk::Files;
use crate::durable::Durable;
use crate::error::StoreError;
use crate::mail::Mail;
use crate::migrate;
use crate::money::Money;
use crate::records::{Credential, Factors, OwnKey, Rest, Session, Tombstone, User, Wanted};
use crate::session_index::SessionIndex;
use crate::table::Table;

/// The open store; clones are the same store.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) users: Table<User>,
    /// From a handle to the id of its account.
    pub(crate) handles: Tree,
    pub(crate) credentials: Table<Credential>,
    pub(crate) factors: Table<Factors>,
    pub(crate) own_keys: Table<OwnKey>,
    pub(crate) wanted: Table<Wanted>,
    pub(crate) rest: Table<Rest>,
    pub(crate) sessions: Table<Session>,
    pub(crate) tombstones: Table<Tombstone>,
    pub(crate) audit: Table<Event>,
    pub(crate) money: Money,
    pub(crate) mail: Mail,
    /// Single values: which seat comes next.
    pub(crate) meta: Tree,
    /// What is true of these files only: which version they have.
    pub(crate) local: Tree,
    pub(crate) index: SessionIndex,
    pub(crate) numbers: AuditIndex,
    durable: Durable<Files>,
}

impl Store {
    /// Opens the store in `folder`, or makes it. Blocks.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let (files, settled) = Files::open(folder)?;
        let (money, left) = Money::open(&files, folder)?;
        let inner = Inner {
            users: Table::open(&files)?,
            handles: files.tree("handles")?,
            credentials: Table::open(&files)?,
            factors: Table::open(&files)?,
            own_keys: Table::open(&files)?,
            wanted: Table::open(&files)?,
            rest: Table::open(&files)?,
            sessions: Table::open(&files)?,
            tombstones: Table::open(&files)?,
            audit: Table::open(&files)?,
            money,
            mail: Mail::open(&files)?,
            meta: files.tree("meta")?,
            local: files.local().clone(),
            index: SessionIndex::default(),
            numbers: AuditIndex::default(),
            durable: Durable::new(files, settled),
        };
        let store = Self(Arc::new(inner));
        migrate::migrate(&store)?;
        store.take_from_the_slate(left)?;
        store.load_indexes();
        Ok(store)
    }

    /// Makes what is kept in memory from the tables.
    pub(crate) fn load_indexes(&self) {
        self.0.index.load(&self.0.sessions);
        self.0.numbers.load(&self.0.audit);
    }

    /// Runs blocking store work off the threads that serve.
    pub async fn run<T, E>(&self, work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::Io(io::Error::other(error)).into()),
        }
    }

    /// Fails if there is no room for anything new, or nothing can be written any more. What only changes is still accepted then.
    pub fn check_room(&self) -> Result<(), StoreError> {
        self.check_writable()?;
        self.0.durable.disk().check_room()
    }

    /// Reads something; returns when the files have answered.
    pub fn check_alive(&self) -> Result<(), StoreError> {
        Ok(self.0.meta.iter().next().transpose().map(drop)?)
    }

    /// Fails once the disk has failed. To be asked before something is written that must not happen after it was refused.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        self.0.durable.check()
    }

    /// Returns when everything written so far is on the disk. Those who wait at the same time share the work.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.0.durable.settle()
    }

    /// Every table with its name: what an export holds.
    pub(crate) fn trees(&self) -> [(&'static str, &Tree); 20] {
        let t = &self.0;
        [
            ("users", &t.users.tree),
            ("handles", &t.handles),
            ("credentials", &t.credentials.tree),
            ("factors", &t.factors.tree),
            ("own_keys", &t.own_keys.tree),
            ("wanted", &t.wanted.tree),
            ("rest", &t.rest.tree),
            ("sessions", &t.sessions.tree),
            ("tombstones", &t.tombstones.tree),
            ("audit", &t.audit.tree),
            ("balances", &t.money.balances.tree),
            ("leases", &t.money.leases.tree),
            ("ledger", &t.money.ledger),
            ("spending", &t.money.spending),
            ("channels", &t.mail.settings.tree),
            ("mailboxes", &t.mail.mailboxes.tree),
            ("letters", &t.mail.letters.tree),
            ("replies", &t.mail.replies.tree),
            ("profiles", &t.mail.profiles.tree),
            ("meta", &t.meta),
        ]
    }
}
