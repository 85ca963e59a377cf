//! Looking for contradictions between records.

use std::collections::{HashMap, HashSet};

use matrixos_types::{ContainerId, Handle, Seat, SessionId, UserId};
use serde::Serialize;

use crate::accounts::NEXT_SEAT;
use crate::audit::Event;
use crate::error::StoreError;
use crate::mail;
use crate::money;
use crate::records::{Credential, Factors, OwnKey, Session, SessionScope, User, Wanted};
use crate::store::{Inner, Store};
use crate::table::{Record, Table, decode};

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In which table.
    pub table: &'static str,
    /// What is wrong, in words for the operator.
    pub what: String,
}

/// Checks every record and what they say of each other. An empty list is a healthy store.
pub fn verify(store: &Store) -> Vec<Finding> {
    let tables = &*store.0;
    let mut check = Check { findings: Vec::new() };
    let users = check.records(&tables.users);
    let by_id: HashMap<UserId, &User> = users.iter().map(|u| (u.id, u)).collect();
    check.seats(tables, &users);
    check.handles(tables, &by_id);
    check.tombstones(tables, &users);
    check.credentials(tables, &by_id);
    check.sessions(tables, &by_id);
    check.wanted(tables, &users);
    check.rest(tables, &users);
    check.audit(tables, &by_id);
    check.own_keys(tables, &by_id);
    mail::verify(store, &users, &mut check);
    money::verify(store, &mut check);
    check.findings
}

pub(crate) struct Check {
    findings: Vec<Finding>,
}

impl Check {
    pub(crate) fn add(&mut self, table: &'static str, what: String) {
        self.findings.push(Finding { table, what });
    }

    /// The records that can be read and lie where they belong; the others are findings.
    pub(crate) fn records<R: Record>(&mut self, table: &Table<R>) -> Vec<R> {
        let mut good = Vec::new();
        for entry in table.entries() {
            match entry {
                Ok((key, record)) if *key == *record.key() => good.push(record),
                Ok((key, _)) => self.add(R::TABLE, format!("a record lies under the wrong key {key:?}")),
                Err(error) => self.add(R::TABLE, error.to_string()),
            }
        }
        good
    }

    fn seats(&mut self, tables: &Inner, users: &[User]) {
        let next = tables.meta.get(NEXT_SEAT).map_err(StoreError::from);
        let next = match next.and_then(|bytes| bytes.map(|bytes| decode::<u16>("meta", &bytes)).transpose()) {
            Ok(Some(next)) => next,
            Ok(None) => return self.add("meta", "nothing says which seat comes next".to_owned()),
            Err(error) => return self.add("meta", error.to_string()),
        };
        let mut taken: HashMap<Seat, &Handle> = HashMap::new();
        for User { seat, handle, .. } in users {
            if seat.number() >= next {
                self.add("users", format!("the seat {seat} of {handle} would be given to somebody else"));
            }
            if let Some(other) = taken.insert(*seat, handle) {
                self.add("users", format!("{other} and {handle} have the same seat {seat}"));
            }
        }
    }

    fn handles(&mut self, tables: &Inner, by_id: &HashMap<UserId, &User>) {
        let mut named = HashSet::new();
        for entry in tables.handles.iter() {
            let (key, value) = match entry {
                Ok(entry) => entry,
                Err(error) => return self.add("handles", StoreError::from(error).to_string()),
            };
            let handle = String::from_utf8_lossy(&key).into_owned();
            match decode::<UserId>("handles", &value).map(|id| by_id.get(&id)) {
                Ok(Some(user)) if user.handle.as_str() == handle => drop(named.insert(user.id)),
                Ok(_) => self.add("handles", format!("{handle} leads to no account of that name")),
                Err(error) => self.add("handles", error.to_string()),
            }
        }
        for user in by_id.values().filter(|u| !named.contains(&u.id)) {
            self.add("handles", format!("the account {} cannot be found by its handle", user.handle));
        }
    }

    fn rest(&mut self, tables: &Inner, users: &[User]) {
        let owned: HashSet<_> = users.iter().map(|u| &u.container).collect();
        for rest in self.records(&tables.rest) {
            if !owned.contains(&rest.container) {
                self.add("rest", format!("the history of {} belongs to no account", rest.container));
            }
        }
    }

    fn tombstones(&mut self, tables: &Inner, users: &[User]) {
        let living: HashSet<_> = users.iter().map(|u| &u.handle).collect();
        for tombstone in self.records(&tables.tombstones) {
            if living.contains(&tombstone.handle) {
                self.add("tombstones", format!("{} has an account although it was deleted", tombstone.handle));
            }
        }
    }

    fn credentials(&mut self, tables: &Inner, by_id: &HashMap<UserId, &User>) {
        let mut owners: HashMap<String, UserId> = HashMap::new();
        for Credential { user, id, .. } in self.records(&tables.credentials) {
            if !by_id.contains_key(&user) {
                self.add("credentials", format!("the passkey {id} belongs to no account"));
            }
            owners.insert(id, user);
        }
        let mut able = HashSet::new();
        for Factors { user, passkeys, totp } in self.records(&tables.factors) {
            let Some(owner) = by_id.get(&user) else {
                self.add("factors", "a way to sign in belongs to no account".to_owned());
                continue;
            };
            if passkeys.is_empty() && totp.is_none() {
                self.add("factors", format!("{} has nothing to sign in with", owner.handle));
            }
            for id in passkeys {
                if owners.remove(&id) != Some(user) {
                    self.add("factors", format!("{} has no such passkey {id}", owner.handle));
                }
            }
            able.insert(user);
        }
        for id in owners.iter().filter(|(_, user)| able.contains(user)).map(|(id, _)| id) {
            self.add("credentials", format!("the passkey {id} is not among its account's"));
        }
        for user in by_id.values().filter(|u| !able.contains(&u.id)) {
            self.add("factors", format!("nothing says what {} signs in with", user.handle));
        }
    }

    fn sessions(&mut self, tables: &Inner, by_id: &HashMap<UserId, &User>) {
        let sessions = self.records(&tables.sessions);
        let platform = sessions.iter().filter(|s| s.scope == SessionScope::Platform);
        let platform: HashSet<(UserId, SessionId)> = platform.map(|s| (s.user, s.id)).collect();
        for Session { user, scope, .. } in &sessions {
            let Some(owner) = by_id.get(user) else {
                self.add("sessions", "a session belongs to no account".to_owned());
                continue;
            };
            let SessionScope::Computer { handle, parent } = scope else { continue };
            if *handle != owner.handle {
                self.add("sessions", format!("a session of {} is for the computer of {handle}", owner.handle));
            }
            if !platform.contains(&(*user, *parent)) {
                self.add("sessions", format!("a session of {handle} came from none on the platform"));
            }
        }
    }

    fn wanted(&mut self, tables: &Inner, users: &[User]) {
        let mut owners: HashMap<&ContainerId, &Handle> = HashMap::new();
        for User { container, handle, .. } in users {
            if let Some(other) = owners.insert(container, handle) {
                self.add("users", format!("{other} and {handle} have the same container {container}"));
            }
        }
        let mut wished = HashSet::new();
        for Wanted { container, .. } in self.records(&tables.wanted) {
            if !owners.contains_key(&container) {
                self.add("wanted", format!("the wish for {container} belongs to no account"));
            }
            wished.insert(container);
        }
        for (_, handle) in owners.iter().filter(|(container, _)| !wished.contains(**container)) {
            self.add("wanted", format!("nothing says what is wanted of the container of {handle}"));
        }
    }

    fn own_keys(&mut self, tables: &Inner, by_id: &HashMap<UserId, &User>) {
        for OwnKey { user, .. } in self.records(&tables.own_keys) {
            if !by_id.contains_key(&user) {
                self.add("own_keys", "a key to the provider of models belongs to no account".to_owned());
            }
        }
    }

    fn audit(&mut self, tables: &Inner, by_id: &HashMap<UserId, &User>) {
        for Event { number, user, .. } in self.records(&tables.audit) {
            if !by_id.contains_key(&user) {
                self.add("audit", format!("the event {number} belongs to no account"));
            }
        }
    }
}
