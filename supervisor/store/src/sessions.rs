//! Sessions: they belong to an account that exists, a computer's session ends with the platform session it came from,
//! and nobody can have more than a few. Whatever ends sessions says which.

use std::net::IpAddr;

use matrixos_types::{SessionId, UserId};
use sled::Batch;

use crate::error::StoreError;
use crate::records::{Session, SessionScope};
use crate::session_index::Known;
use crate::store::Store;
use crate::table::encode;

/// Browsers that one account may be signed in with at once. One more ends the one that was not used for longest.
pub const PLATFORM_SESSIONS: usize = 32;
/// Computer sessions that one platform session may have at once: several tabs may come in at the same time.
pub const COMPUTER_SESSIONS: usize = 8;

/// What becomes of a session that was looked at, and what that means for whoever asked.
pub enum Fate<T> {
    /// It stays as it was.
    Stays(T),
    /// It was changed.
    Changed(T),
    /// It ends, and those that came from it.
    Ends(T),
}

impl Store {
    /// Remembers a new session. Returns those that had to end for it: there are only so many of a kind.
    pub fn begin_session(&self, session: &Session) -> Result<Vec<SessionId>, StoreError> {
        let mut index = self.0.index.lock();
        let most = self.room_for(session)?;
        let surplus = index.surplus(session, most);
        let mut batch = removal(&surplus);
        batch.insert(session.id.0.as_bytes(), encode(session));
        self.0.sessions.tree.apply_batch(batch)?;
        index.forget(session.user, &surplus);
        index.add(session);
        drop(index);
        self.settle()?;
        Ok(surplus)
    }

    /// How many sessions like this one there may be; an error if it would belong to nothing.
    fn room_for(&self, session: &Session) -> Result<usize, StoreError> {
        if self.user(session.user)?.is_none() {
            return Err(StoreError::Missing("account"));
        }
        let SessionScope::Computer { parent, .. } = &session.scope else { return Ok(PLATFORM_SESSIONS) };
        match self.session(*parent)? {
            Some(found) if found.user == session.user && found.scope == SessionScope::Platform => Ok(COMPUTER_SESSIONS),
            _ => Err(StoreError::Missing("platform session")),
        }
    }

    /// The session of that id, whether or not it has expired.
    pub fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.0.sessions.get(id.0)
    }

    /// Whether a session of an account, and the one that it came from, are there and have not ended by `now`. Asked at
    /// every request to a computer, so it is answered from memory.
    pub fn is_living(&self, user: UserId, id: SessionId, now: u64) -> bool {
        self.0.index.lock().living(user, id, now)
    }

    /// The browsers that an account is signed in with, the one that was used last first.
    pub fn platform_sessions(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let ids = self.0.index.lock().of(user);
        let found = ids.into_iter().rev().filter_map(|id| self.session(id).transpose());
        found.filter(|s| s.as_ref().map_or(true, |s| s.scope == SessionScope::Platform)).collect()
    }

    /// The addresses at which an account is signed in. Takes as long for accounts that do not exist.
    pub fn addresses_of(&self, user: UserId) -> Vec<IpAddr> {
        self.0.index.lock().addresses(user)
    }

    /// Looks at a session while nothing else can change it, and does with it what `decide` says. `None` if there is no
    /// such session. Also returns what has ended.
    pub fn decide_session<T>(
        &self,
        id: SessionId,
        decide: impl FnOnce(&mut Session) -> Fate<T>,
    ) -> Result<Option<(T, Vec<SessionId>)>, StoreError> {
        let mut index = self.0.index.lock();
        let Some(mut session) = self.session(id)? else { return Ok(None) };
        let (answer, ended) = match decide(&mut session) {
            Fate::Stays(answer) => return Ok(Some((answer, Vec::new()))),
            Fate::Changed(answer) => {
                self.0.sessions.tree.insert(session.id.0, encode(&session))?;
                index.renew(&session);
                (answer, Vec::new())
            }
            Fate::Ends(answer) => {
                let family = index.family(session.user, session.id);
                self.end(&mut index, session.user, &family)?;
                (answer, family)
            }
        };
        drop(index);
        self.settle()?;
        Ok(Some((answer, ended)))
    }

    /// Ends a session and every one that came from it.
    pub fn end_session(&self, id: SessionId) -> Result<Vec<SessionId>, StoreError> {
        let ended = self.decide_session(id, |_| Fate::Ends(()))?;
        Ok(ended.map(|((), ended)| ended).unwrap_or_default())
    }

    /// Ends every session of an account, but for one and those that came from it.
    pub fn end_sessions_of(&self, user: UserId, but: Option<SessionId>) -> Result<Vec<SessionId>, StoreError> {
        let mut index = self.0.index.lock();
        let kept = but.map(|id| index.family(user, id)).unwrap_or_default();
        let ended: Vec<_> = index.of(user).into_iter().filter(|id| !kept.contains(id)).collect();
        self.end(&mut index, user, &ended)?;
        drop(index);
        self.settle()?;
        Ok(ended)
    }

    /// Ends the sessions that nobody has renewed by `now`.
    pub fn purge_expired(&self, now: u64) -> Result<Vec<SessionId>, StoreError> {
        let mut index = self.0.index.lock();
        let mut all = Vec::new();
        for (user, ended) in index.expired(now) {
            self.end(&mut index, user, &ended)?;
            all.extend(ended);
        }
        drop(index);
        self.settle()?;
        Ok(all)
    }

    fn end(&self, index: &mut Known, user: UserId, ids: &[SessionId]) -> Result<(), StoreError> {
        self.0.sessions.tree.apply_batch(removal(ids))?;
        index.forget(user, ids);
        Ok(())
    }
}

fn removal(ids: &[SessionId]) -> Batch {
    let mut batch = Batch::default();
    ids.iter().for_each(|id| batch.remove(id.0.as_bytes()));
    batch
}
