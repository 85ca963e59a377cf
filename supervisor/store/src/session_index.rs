//! Which sessions each account has, in memory: made from the sessions table at the start, and held while they change.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use matrixos_types::UserId;

use crate::records::{Session, SessionScope, TokenHash};
use crate::table::Table;

#[derive(Default)]
pub(crate) struct SessionIndex(Mutex<Known>);

/// The sessions of each account, oldest first.
#[derive(Default)]
pub(crate) struct Known(HashMap<UserId, Vec<Entry>>);

struct Entry {
    token: TokenHash,
    /// The platform session that a computer session came from.
    parent: Option<TokenHash>,
    created: u64,
    expires: u64,
}

impl SessionIndex {
    /// Begins anew from the table. Records that cannot be read are left to `verify`.
    pub(crate) fn load(&self, sessions: &Table<Session>) {
        let mut known = Known::default();
        for session in sessions.all().filter_map(Result::ok) {
            known.add(&session);
        }
        for entries in known.0.values_mut() {
            entries.sort_by_key(|e| e.created);
        }
        *self.lock() = known;
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    pub(crate) fn add(&mut self, session: &Session) {
        let entry =
            Entry { token: session.token, parent: parent(session), created: session.created, expires: session.expires };
        self.0.entry(session.user).or_default().push(entry);
    }

    /// Every session of an account.
    pub(crate) fn of(&self, user: UserId) -> Vec<TokenHash> {
        self.entries(user).iter().map(|e| e.token).collect()
    }

    /// A session and those that came from it.
    pub(crate) fn family(&self, user: UserId, token: TokenHash) -> Vec<TokenHash> {
        let belongs = |e: &&Entry| e.token == token || e.parent == Some(token);
        self.entries(user).iter().filter(belongs).map(|e| e.token).collect()
    }

    /// What has to end for `session` to begin, if there may be `most` with the same parent: the oldest and their families.
    pub(crate) fn surplus(&self, session: &Session, most: usize) -> Vec<TokenHash> {
        let parent = parent(session);
        let siblings: Vec<_> = self.entries(session.user).iter().filter(|e| e.parent == parent).collect();
        let too_many = (siblings.len() + 1).saturating_sub(most);
        siblings[..too_many].iter().flat_map(|e| self.family(session.user, e.token)).collect()
    }

    /// Whose sessions have ended by `now`, and which: with the families of those.
    pub(crate) fn expired(&self, now: u64) -> Vec<(UserId, Vec<TokenHash>)> {
        let ended = |user: &UserId, entries: &Vec<Entry>| {
            let old = entries.iter().filter(|e| e.expires <= now);
            let mut tokens: Vec<_> = old.flat_map(|e| self.family(*user, e.token)).collect();
            tokens.sort_unstable();
            tokens.dedup();
            tokens
        };
        let all = self.0.iter().map(|(user, entries)| (*user, ended(user, entries)));
        all.filter(|(_, tokens)| !tokens.is_empty()).collect()
    }

    pub(crate) fn forget(&mut self, user: UserId, tokens: &[TokenHash]) {
        let Some(entries) = self.0.get_mut(&user) else { return };
        entries.retain(|e| !tokens.contains(&e.token));
        if entries.is_empty() {
            self.0.remove(&user);
        }
    }

    pub(crate) fn forget_user(&mut self, user: UserId) {
        self.0.remove(&user);
    }

    fn entries(&self, user: UserId) -> &[Entry] {
        self.0.get(&user).map_or(&[], Vec::as_slice)
    }
}

fn parent(session: &Session) -> Option<TokenHash> {
    match session.scope {
        SessionScope::Platform => None,
        SessionScope::Computer { parent, .. } => Some(parent),
    }
}
