//! Accounts: made whole or not at all, found by name, id or passkey, and deleted so that nobody can inherit from them.

use matrixos_types::{ContainerId, Handle, Seat, UserId};
use sled::transaction::{ConflictableTransactionError, Transactional, TransactionalTree};

use crate::error::{CreateError, StoreError};
use crate::records::{Credential, NewAccount, Tombstone, User, Wanted, WantedState};
use crate::store::Store;
use crate::table::{Record, decode, encode, put_in};

pub(crate) const NEXT_SEAT: &[u8] = b"next_seat";

type Conflict<E> = ConflictableTransactionError<E>;

impl Store {
    /// Makes an account, its first credential and the wish that its container run: all of it or nothing. Refused
    /// when the disk is almost full.
    pub fn create_account(&self, new: &NewAccount) -> Result<User, CreateError> {
        self.check_room()?;
        let t = &self.0;
        let trees = (&t.users.tree, &t.handles, &t.credentials.tree, &t.wanted.tree, &t.tombstones.tree, &t.meta);
        let made = trees.transaction(|(users, handles, credentials, wanted, tombstones, meta)| {
            let handle = new.handle.as_str();
            if handles.get(handle)?.is_some() || tombstones.get(handle)?.is_some() {
                return Err(Conflict::Abort(CreateError::HandleTaken));
            }
            if credentials.get(&*new.credential)?.is_some() {
                return Err(Conflict::Abort(CreateError::CredentialKnown));
            }
            let user = new_user(new, take_seat(meta)?);
            handles.insert(handle, encode(&user.id))?;
            put_in(credentials, &first_credential(new))?;
            put_in(wanted, &first_wish(&user))?;
            put_in(users, &user)?;
            Ok(user)
        });
        let user = made.map_err(|error| match error {
            sled::transaction::TransactionError::Abort(why) => why,
            sled::transaction::TransactionError::Storage(e) => CreateError::Store(e.into()),
        })?;
        self.settle()?;
        Ok(user)
    }

    /// The account of that handle.
    pub fn user_by_handle(&self, handle: &Handle) -> Result<Option<User>, StoreError> {
        match self.0.handles.get(handle.as_str())? {
            Some(bytes) => self.user(decode("handles", &bytes)?),
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
        Ok(self.0.handles.contains_key(key)? || self.0.tombstones.tree.contains_key(key)?)
    }

    /// The credential of that id (hexadecimal).
    pub fn credential(&self, id: &str) -> Result<Option<Credential>, StoreError> {
        self.0.credentials.get(id)
    }

    /// Every credential of a user.
    pub fn credentials_of(&self, user: UserId) -> Result<Vec<Credential>, StoreError> {
        self.0.credentials.all().filter(|c| c.as_ref().map_or(true, |c| c.user == user)).collect()
    }

    /// Replaces a credential that exists.
    pub fn update_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        let updated = self.0.credentials.tree.transaction(|credentials| {
            if credentials.get(credential.key())?.is_none() {
                return Err(Conflict::Abort(StoreError::Missing("passkey")));
            }
            put_in(credentials, credential)?;
            Ok(())
        });
        updated.map_err(StoreError::from)?;
        self.settle()
    }

    /// Deletes an account with its credentials and sessions; its handle and seat are never given again.
    pub fn delete_account(&self, user: &User, now: u64) -> Result<(), StoreError> {
        let credentials = self.credentials_of(user.id)?;
        let tombstone = Tombstone { handle: user.handle.clone(), deleted: now };
        let t = &self.0;
        // Held to the end, so that no session can begin meanwhile.
        let mut index = t.index.lock();
        let sessions = index.of(user.id);
        let trees =
            (&t.users.tree, &t.handles, &t.credentials.tree, &t.wanted.tree, &t.sessions.tree, &t.tombstones.tree);
        let deleted = trees.transaction(|(users, handles, creds, wanted, signed_in, tombstones)| {
            if users.remove(user.key())?.is_none() {
                return Err(Conflict::Abort(StoreError::Missing("account")));
            }
            handles.remove(user.handle.as_str())?;
            wanted.remove(user.container.as_str())?;
            credentials.iter().try_for_each(|c| creds.remove(c.key()).map(drop))?;
            sessions.iter().try_for_each(|token| signed_in.remove(&token.0).map(drop))?;
            put_in(tombstones, &tombstone)?;
            Ok(())
        });
        deleted.map_err(StoreError::from)?;
        // Were this lost, what stays would belong to nobody and be found by `verify`.
        t.rest.tree.remove(user.container.as_str())?;
        index.forget_user(user.id);
        drop(index);
        self.settle()
    }
}

/// The next seat, which is then given.
fn take_seat(meta: &TransactionalTree) -> Result<Seat, Conflict<CreateError>> {
    let abort = |error: StoreError| Conflict::Abort(CreateError::Store(error));
    // Were this missing, beginning again would give away somebody's ids and address.
    let missing = || StoreError::Damaged { table: "meta", why: "nothing says which seat comes next".to_owned() };
    let bytes = meta.get(NEXT_SEAT)?.ok_or_else(|| abort(missing()))?;
    let number: u16 = decode("meta", &bytes).map_err(abort)?;
    let seat = Seat::new(number).map_err(|_| Conflict::Abort(CreateError::Full))?;
    meta.insert(NEXT_SEAT, encode(&(number + 1)))?;
    Ok(seat)
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
