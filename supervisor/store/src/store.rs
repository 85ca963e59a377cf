//! The store: operations as intent, each acknowledged only when it is on the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrixos_types::{ContainerId, Handle, Seat, UserId};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use sled::{Config, Db};

use crate::durable::Durable;
use crate::records::{Credential, NewAccount, Session, SessionScope, TokenHash, Tombstone, User, Wanted, WantedState};
use crate::table::{NAMES, Table, decode, encode, put_in};

const NEXT_SEAT: &[u8] = b"next_seat";
/// sled's page cache. The store of a thousand accounts is a few megabytes.
const CACHE: u64 = 8 << 20;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the store {} is in use by another process; stop the platform first, or ask it", .0.display())]
    InUse(PathBuf),
    /// The disk is full.
    #[error("the disk that holds the store is full; free some space, then restart the platform")]
    Full,
    /// A record cannot be read.
    #[error("a record of the table {table} is damaged: {why}")]
    Damaged {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        why: String,
    },
    /// An earlier write failed, so what the disk holds is not known.
    #[error("an earlier write failed ({0}); restart the platform")]
    Broken(String),
    /// There is no such record.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// The database failed.
    #[error("the database: {0}")]
    Database(sled::Error),
    /// A file operation failed.
    #[error("the store's files: {0}")]
    Io(io::Error),
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(e) => e.into(),
            other => Self::Database(other),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Somebody has or had this handle.
    #[error("the handle is taken")]
    HandleTaken,
    /// This passkey belongs to an account already.
    #[error("the passkey is known already")]
    CredentialKnown,
    /// This machine has no seat left.
    #[error("this machine is full")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The open store; clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    db: Db,
    durable: Durable,
    users: Table,
    handles: Table,
    credentials: Table,
    wanted: Table,
    sessions: Table,
    tombstones: Table,
    meta: Table,
}

impl Store {
    /// Opens the store in `folder`, or makes it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let opened = Config::new().path(folder).cache_capacity(CACHE).flush_every_ms(None).open();
        let db = opened.map_err(|error| match error {
            // sled reports a lock that is held as "other" with this text and nothing else to go by.
            sled::Error::Io(e) if e.to_string().contains("could not acquire lock") => {
                StoreError::InUse(folder.to_owned())
            }
            other => other.into(),
        })?;
        let [users, handles, credentials, wanted, sessions, tombstones, meta] =
            NAMES.map(|name| Table::open(&db, name));
        let inner = Inner {
            durable: Durable::new(folder)?,
            users: users?,
            handles: handles?,
            credentials: credentials?,
            wanted: wanted?,
            sessions: sessions?,
            tombstones: tombstones?,
            meta: meta?,
            db,
        };
        let store = Self(Arc::new(inner));
        store.settle()?;
        Ok(store)
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

    fn settle(&self) -> Result<(), StoreError> {
        self.0.durable.settle(&self.0.db)
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        let t = &self.0;
        [&t.users, &t.handles, &t.credentials, &t.wanted, &t.sessions, &t.tombstones, &t.meta]
            .into_iter()
            .find(|t| t.name == name)
    }

    pub(crate) fn settle_import(&self) -> Result<(), StoreError> {
        self.settle()
    }

    /// Makes an account, its first credential and the wish that its container run: all of it or nothing.
    pub fn create_account(&self, new: &NewAccount) -> Result<User, CreateError> {
        let t = &self.0;
        let trees =
            (&t.users.tree, &t.handles.tree, &t.credentials.tree, &t.wanted.tree, &t.tombstones.tree, &t.meta.tree);
        let made = trees.transaction(|(users, handles, credentials, wanted, tombstones, meta)| {
            let refuse = |why| Err(ConflictableTransactionError::Abort(why));
            if handles.get(new.handle.as_str())?.is_some() || tombstones.get(new.handle.as_str())?.is_some() {
                return refuse(CreateError::HandleTaken);
            }
            if credentials.get(new.credential.as_str())?.is_some() {
                return refuse(CreateError::CredentialKnown);
            }
            let number = match meta.get(NEXT_SEAT)? {
                Some(bytes) => {
                    decode::<u16>("meta", &bytes).map_err(|e| ConflictableTransactionError::Abort(e.into()))?
                }
                None => 1,
            };
            let Ok(seat) = Seat::new(number) else { return refuse(CreateError::Full) };
            let user = new_user(new, seat);
            put_in(meta, NEXT_SEAT, &(number + 1))?;
            put_in(handles, new.handle.as_str(), &user.id)?;
            put_in(users, user.id.0, &user)?;
            put_in(credentials, new.credential.as_str(), &first_credential(new))?;
            put_in(wanted, user.container.as_str(), &first_wish(&user))?;
            Ok(user)
        });
        let user = made.map_err(|error| match error {
            TransactionError::Abort(why) => why,
            TransactionError::Storage(e) => CreateError::Store(e.into()),
        })?;
        self.settle()?;
        Ok(user)
    }

    /// The account of that handle.
    pub fn user_by_handle(&self, handle: &Handle) -> Result<Option<User>, StoreError> {
        match self.0.handles.get::<UserId>(handle.as_str())? {
            Some(id) => self.user(id),
            None => Ok(None),
        }
    }

    /// The account of that id.
    pub fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.0.users.get(id.0)
    }

    /// Every account.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        self.0.users.all().collect()
    }

    /// Whether somebody has or had that handle.
    pub fn is_taken(&self, handle: &Handle) -> Result<bool, StoreError> {
        let key = handle.as_str();
        Ok(self.0.handles.tree.contains_key(key)? || self.0.tombstones.tree.contains_key(key)?)
    }

    /// The credential of that id (hexadecimal).
    pub fn credential(&self, id: &str) -> Result<Option<Credential>, StoreError> {
        self.0.credentials.get(id)
    }

    /// Every credential of a user.
    pub fn credentials_of(&self, user: UserId) -> Result<Vec<Credential>, StoreError> {
        self.0.credentials.all::<Credential>().filter(|c| c.as_ref().map_or(true, |c| c.user == user)).collect()
    }

    /// Replaces a credential that exists.
    pub fn update_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        if self.credential(&credential.id)?.is_none() {
            return Err(StoreError::Missing("passkey"));
        }
        self.0.credentials.put(&credential.id, credential)?;
        self.settle()
    }

    /// What is wanted of a container.
    pub fn wanted(&self, container: &ContainerId) -> Result<Option<Wanted>, StoreError> {
        self.0.wanted.get(container.as_str())
    }

    /// Writes down what is wanted of a container and why; returns the new generation.
    pub fn set_wanted(&self, container: &ContainerId, state: WantedState, reason: &str) -> Result<u64, StoreError> {
        let t = &self.0;
        let result = t.wanted.tree.transaction(|wanted| {
            let Some(bytes) = wanted.get(container.as_str())? else {
                return Err(ConflictableTransactionError::Abort(StoreError::Missing("container")));
            };
            let mut record: Wanted = decode("wanted", &bytes).map_err(ConflictableTransactionError::Abort)?;
            record.state = state;
            record.reason = reason.to_owned();
            record.generation += 1;
            put_in(wanted, container.as_str(), &record)?;
            Ok(record.generation)
        });
        let generation = result.map_err(unpack)?;
        self.settle()?;
        Ok(generation)
    }

    /// Remembers a session.
    pub fn put_session(&self, session: &Session) -> Result<(), StoreError> {
        self.0.sessions.put(session.token.0, session)?;
        self.settle()
    }

    /// The session of that token, whether or not it has expired.
    pub fn session(&self, token: &TokenHash) -> Result<Option<Session>, StoreError> {
        self.0.sessions.get(token.0)
    }

    /// Ends a session and every one that came from it.
    pub fn delete_session(&self, token: &TokenHash) -> Result<(), StoreError> {
        self.delete_sessions(|session| {
            session.token == *token
                || matches!(&session.scope, SessionScope::Computer { parent, .. } if parent == token)
        })
    }

    /// Forgets the sessions that have ended by `now`.
    pub fn purge_expired(&self, now: u64) -> Result<(), StoreError> {
        self.delete_sessions(|session| session.expires <= now)
    }

    fn delete_sessions(&self, which: impl Fn(&Session) -> bool) -> Result<(), StoreError> {
        for session in self.0.sessions.all::<Session>() {
            let session = session?;
            if which(&session) {
                self.0.sessions.remove(session.token.0)?;
            }
        }
        self.settle()
    }

    /// Deletes the account; its handle and seat are never given again.
    pub fn delete_account(&self, user: &User, now: u64) -> Result<(), StoreError> {
        let credentials = self.credentials_of(user.id)?;
        let t = &self.0;
        let trees = (&t.users.tree, &t.handles.tree, &t.credentials.tree, &t.wanted.tree, &t.tombstones.tree);
        let result = trees.transaction(|(users, handles, creds, wanted, tombstones)| {
            for credential in &credentials {
                creds.remove(credential.id.as_str())?;
            }
            handles.remove(user.handle.as_str())?;
            users.remove(user.id.0.as_bytes().as_slice())?;
            wanted.remove(user.container.as_str())?;
            let tombstone = Tombstone { handle: user.handle.clone(), deleted: now };
            tombstones.insert(user.handle.as_str(), encode(&tombstone))?;
            Ok(())
        });
        result.map_err(unpack)?;
        self.delete_sessions(|session| session.user == user.id)
    }
}

fn unpack(error: TransactionError<StoreError>) -> StoreError {
    match error {
        TransactionError::Abort(why) => why,
        TransactionError::Storage(e) => e.into(),
    }
}

fn new_user(new: &NewAccount, seat: Seat) -> User {
    User {
        id: new.id,
        handle: new.handle.clone(),
        seat,
        container: ContainerId::random(),
        created: new.created,
        feed: new.feed,
    }
}

fn first_credential(new: &NewAccount) -> Credential {
    Credential {
        id: new.credential.clone(),
        user: new.id,
        passkey: new.passkey.clone(),
        name: "Passkey".to_owned(),
        created: new.created,
        last_used: None,
    }
}

fn first_wish(user: &User) -> Wanted {
    Wanted {
        container: user.container.clone(),
        state: WantedState::Running,
        generation: 1,
        reason: "the account is new".to_owned(),
    }
}
