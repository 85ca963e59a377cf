//! Sessions: they belong to an account that exists, a computer's session ends with the platform session it came from,
//! and nobody can have more than a few.

use matrixos_types::UserId;
use sled::Batch;

use crate::error::StoreError;
use crate::records::{Session, SessionScope, TokenHash};
use crate::session_index::Known;
use crate::store::Store;
use crate::table::encode;

/// Browsers that one account may be signed in with at once. One more ends the oldest.
pub const PLATFORM_SESSIONS: usize = 32;
/// Computer sessions that one platform session may have at once: several tabs may come in at the same time.
pub const COMPUTER_SESSIONS: usize = 8;

impl Store {
    /// Remembers a session, and ends the oldest of its kind where there are too many.
    pub fn put_session(&self, session: &Session) -> Result<(), StoreError> {
        let mut index = self.0.index.lock();
        let most = self.room_for(session)?;
        let surplus = index.surplus(session, most);
        let mut batch = removal(&surplus);
        batch.insert(&session.token.0, encode(session));
        self.0.sessions.tree.apply_batch(batch)?;
        index.forget(session.user, &surplus);
        index.add(session);
        drop(index);
        self.settle()
    }

    /// How many sessions like this one there may be; an error if it would belong to nothing.
    fn room_for(&self, session: &Session) -> Result<usize, StoreError> {
        if self.user(session.user)?.is_none() {
            return Err(StoreError::Missing("account"));
        }
        let SessionScope::Computer { parent, .. } = &session.scope else { return Ok(PLATFORM_SESSIONS) };
        match self.session(parent)? {
            Some(found) if found.user == session.user && found.scope == SessionScope::Platform => Ok(COMPUTER_SESSIONS),
            _ => Err(StoreError::Missing("platform session")),
        }
    }

    /// The session of that token, whether or not it has expired.
    pub fn session(&self, token: &TokenHash) -> Result<Option<Session>, StoreError> {
        self.0.sessions.get(token.0)
    }

    /// Ends a session and every one that came from it.
    pub fn delete_session(&self, token: &TokenHash) -> Result<(), StoreError> {
        let mut index = self.0.index.lock();
        let Some(session) = self.session(token)? else { return Ok(()) };
        let family = index.family(session.user, *token);
        self.end(&mut index, session.user, &family)?;
        drop(index);
        self.settle()
    }

    /// Forgets the sessions that have ended by `now`.
    pub fn purge_expired(&self, now: u64) -> Result<(), StoreError> {
        let mut index = self.0.index.lock();
        for (user, tokens) in index.expired(now) {
            self.end(&mut index, user, &tokens)?;
        }
        drop(index);
        self.settle()
    }

    fn end(&self, index: &mut Known, user: UserId, tokens: &[TokenHash]) -> Result<(), StoreError> {
        self.0.sessions.tree.apply_batch(removal(tokens))?;
        index.forget(user, tokens);
        Ok(())
    }
}

fn removal(tokens: &[TokenHash]) -> Batch {
    let mut batch = Batch::default();
    tokens.iter().for_each(|token| batch.remove(&token.0));
    batch
}
