//! Accounts: made whole or not at all, found by name, id or passkey, and deleted so that nobody can inherit from them.

use std::ops::Bound;

use matrixos_types::{ContainerId, Handle, Seat, SessionId, UserId};
use sled::transaction::{ConflictableTransactionError, Transactional, TransactionalTree};

use crate::error::{CreateError, StoreError, why};
use crate::records::{Credential, Factors, FirstFactor, NewAccount, Tombstone, User, Wanted, WantedState};
use crate::store::Store;
use crate::table::{Record, decode, encode, put_in};

pub(crate) const NEXT_SEAT: &[u8] = b"next_seat";

type Conflict<E> = ConflictableTransactionError<E>;

impl Store {
    /// Makes an account, the way to sign in to it and the wish that its container run: all of it or nothing. Refused
    /// when the disk is almost full.
    pub fn create_account(&self, new: &NewAccount) -> Result<User, CreateError> {
        self.check_room()?;
        let t = &self.0;
        let trees = (
            &t.users.tree,
            &t.handles,
            &t.credentials.tree,
            &t.factors.tree,
            &t.wanted.tree,
            &t.tombstones.tree,
            &t.meta,
        );
        let made = trees.transaction(|(users, handles, credentials, factors, wanted, tombstones, meta)| {
            let handle = new.handle.as_str();
            if handles.get(handle)?.is_some() || tombstones.get(handle)?.is_some() {
                return Err(Conflict::Abort(CreateError::HandleTaken));
            }
            if let Some(credential) = first_credential(new) {
                if credentials.get(credential.key())?.is_some() {
                    return Err(Conflict::Abort(CreateError::CredentialKnown));
                }
                put_in(credentials, &credential)?;
            }
            let user = new_user(new, take_seat(meta)?);
            handles.insert(handle, encode(&user.id))?;
            put_in(factors, &first_factors(new))?;
            put_in(wanted, &first_wish(&user))?;
            put_in(users, &user)?;
            Ok(user)
        });
        let user = made.map_err(why)?;
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

    /// At most `most` accounts whose handles come after `after`, by handle.
    pub fn users_after(&self, after: Option<&Handle>, most: usize) -> Result<Vec<User>, StoreError> {
        let from = after.map_or(Bound::Unbounded, |handle| Bound::Excluded(handle.as_str().as_bytes()));
        let ids = self.0.handles.range::<&[u8], _>((from, Bound::Unbounded)).values();
        // An account may go between the two looks.
        let users = ids.filter_map(|id| {
            id.map_err(StoreError::from).and_then(|id| self.user(decode("handles", &id)?)).transpose()
        });
        users.take(most).collect()
    }

    /// Whether somebody has or had that handle.
    pub fn is_taken(&self, handle: &Handle) -> Result<bool, StoreError> {
        let key = handle.as_str();
        Ok(self.0.handles.contains_key(key)? || self.0.tombstones.tree.contains_key(key)?)
    }

    /// Changes an account. Its id, handle and seat stay what they are.
    pub fn change_user(&self, id: UserId, change: impl Fn(&mut User)) -> Result<User, StoreError> {
        let changed = self.0.users.tree.transaction(|users| {
            let bytes = users.get(id.0)?.ok_or(Conflict::Abort(StoreError::Missing("account")))?;
            let old: User = decode("users", &bytes).map_err(Conflict::Abort)?;
            let mut user = old.clone();
            change(&mut user);
            let User { id, handle, seat, container, .. } = old;
            let user = User { id, handle, seat, container, ..user };
            put_in(users, &user)?;
            Ok(user)
        });
        let user = changed.map_err(StoreError::from)?;
        self.settle()?;
        Ok(user)
    }

    /// Deletes an account with everything that belongs to it; its handle and seat are never given again. Returns the
    /// sessions that have ended.
    pub fn delete_account(&self, user: &User, now: u64) -> Result<Vec<SessionId>, StoreError> {
        let credentials = self.credentials_of(user.id)?;
        let tombstone = Tombstone { handle: user.handle.clone(), deleted: now };
        let t = &self.0;
        // Held to the end, so that no session can begin meanwhile.
        let mut index = t.index.lock();
        let sessions = index.of(user.id);
        let trees = (
            &t.users.tree,
            &t.handles,
            &t.credentials.tree,
            &t.factors.tree,
            &t.wanted.tree,
            &t.sessions.tree,
            &t.tombstones.tree,
        );
        let deleted = trees.transaction(|(users, handles, creds, factors, wanted, signed_in, tombstones)| {
            if users.remove(user.key())?.is_none() {
                return Err(Conflict::Abort(StoreError::Missing("account")));
            }
            handles.remove(user.handle.as_str())?;
            wanted.remove(user.container.as_str())?;
            factors.remove(user.key())?;
            credentials.iter().try_for_each(|c| creds.remove(c.key()).map(drop))?;
            sessions.iter().try_for_each(|id| signed_in.remove(id.0.as_bytes()).map(drop))?;
            put_in(tombstones, &tombstone)?;
            Ok(())
        });
        deleted.map_err(StoreError::from)?;
        // Were this lost, what stays would belong to nobody and be found by `verify`.
        t.rest.tree.remove(user.container.as_str())?;
        t.own_keys.tree.remove(user.key())?;
        index.forget_user(user.id);
        drop(index);
        self.forget_events(user.id)?;
        self.forget_money(user.id)?;
        self.forget_mail(user.id)?;
        self.settle()?;
        Ok(sessions)
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
        admin: false,
        deletion: None,
    }
}

fn first_credential(new: &NewAccount) -> Option<Credential> {
    let FirstFactor::Passkey { id, passkey } = &new.factor else { return None };
    Some(Credential {
        id: id.clone(),
        user: new.id,
        passkey: passkey.clone(),
        name: "Passkey".to_owned(),
        created: new.created,
        last_used: None,
    })
}

fn first_factors(new: &NewAccount) -> Factors {
    let (passkeys, totp) = match &new.factor {
        FirstFactor::Passkey { id, .. } => (vec![id.clone()], None),
        FirstFactor::Totp(totp) => (Vec::new(), Some(totp.clone())),
    };
    Factors { user: new.id, passkeys, totp }
}

fn first_wish(user: &User) -> Wanted {
    Wanted {
        container: user.container.clone(),
        state: WantedState::Running,
        generation: 1,
        reason: "the account is new".to_owned(),
    }
}
