//! Which sessions each account has, in memory: made from the sessions table at the start, and held while they change.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use matrixos_types::{SessionId, UserId};

use crate::records::{Session, SessionScope};
use crate::table::Table;

#[derive(Default)]
pub(crate) struct SessionIndex(Mutex<Known>);

/// The sessions of each account, the one that was used last at the end.
#[derive(Default)]
pub(crate) struct Known(HashMap<UserId, Vec<Entry>>);

struct Entry {
    id: SessionId,
    /// The platform session that a computer session came from.
    parent: Option<SessionId>,
    last_used: u64,
    expires: u64,
    address: Option<IpAddr>,
}

impl SessionIndex {
    /// Begins anew from the table. Records that cannot be read are left to `verify`.
    pub(crate) fn load(&self, sessions: &Table<Session>) {
        let mut known = Known::default();
        for session in sessions.all().filter_map(Result::ok) {
            known.add(&session);
        }
        for entries in known.0.values_mut() {
            entries.sort_by_key(|e| e.last_used);
        }
        *self.lock() = known;
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    pub(crate) fn add(&mut self, session: &Session) {
        let entry = Entry {
            id: session.id,
            parent: parent(session),
            last_used: session.last_used,
            expires: session.expires,
            address: session.caller.address,
        };
        self.0.entry(session.user).or_default().push(entry);
    }

    /// A session that has changed is the one that was used last.
    pub(crate) fn renew(&mut self, session: &Session) {
        self.forget(session.user, &[session.id]);
        self.add(session);
    }

    /// Every session of an account.
    pub(crate) fn of(&self, user: UserId) -> Vec<SessionId> {
        self.entries(user).iter().map(|e| e.id).collect()
    }

    /// Whether a session of an account, and the one that it came from, are there and have not ended by `now`.
    pub(crate) fn living(&self, user: UserId, id: SessionId, now: u64) -> bool {
        let entries = self.entries(user);
        let find = |id| entries.iter().find(|e| e.id == id && now < e.expires);
        find(id).is_some_and(|entry| entry.parent.is_none_or(|parent| find(parent).is_some()))
    }

    /// Where an account is signed in.
    pub(crate) fn addresses(&self, user: UserId) -> Vec<IpAddr> {
        self.entries(user).iter().filter_map(|e| e.address).collect()
    }

    /// A session and those that came from it.
    pub(crate) fn family(&self, user: UserId, id: SessionId) -> Vec<SessionId> {
        let belongs = |e: &&Entry| e.id == id || e.parent == Some(id);
        self.entries(user).iter().filter(belongs).map(|e| e.id).collect()
    }

    /// What has to end for `session` to begin, if there may be `most` with the same parent: those that were not
    /// used for longest, and their families.
    pub(crate) fn surplus(&self, session: &Session, most: usize) -> Vec<SessionId> {
        let parent = parent(session);
        let siblings: Vec<_> = self.entries(session.user).iter().filter(|e| e.parent == parent).collect();
        let too_many = (siblings.len() + 1).saturating_sub(most);
        siblings[..too_many].iter().flat_map(|e| self.family(session.user, e.id)).collect()
    }

    /// Whose sessions have ended by `now`, and which: with the families of those.
    pub(crate) fn expired(&self, now: u64) -> Vec<(UserId, Vec<SessionId>)> {
        let ended = |user: &UserId, entries: &Vec<Entry>| {
            let old = entries.iter().filter(|e| e.expires <= now);
            let mut ids: Vec<_> = old.flat_map(|e| self.family(*user, e.id)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let all = self.0.iter().map(|(user, entries)| (*user, ended(user, entries)));
        all.filter(|(_, ids)| !ids.is_empty()).collect()
    }

    pub(crate) fn forget(&mut self, user: UserId, ids: &[SessionId]) {
        let Some(entries) = self.0.get_mut(&user) else { return };
        entries.retain(|e| !ids.contains(&e.id));
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

fn parent(session: &Session) -> Option<SessionId> {
    match session.scope {
        SessionScope::Platform => None,
        SessionScope::Computer { parent, .. } => Some(parent),
    }
}
