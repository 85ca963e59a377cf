//! Looking for contradictions between records.

use std::collections::{HashMap, HashSet};

use matrixos_types::{Seat, UserId};
use serde::de::DeserializeOwned;

use crate::records::{Credential, Session, Tombstone, User, Wanted};
use crate::store::Store;
use crate::table::{Table, decode};

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In which table.
    pub table: &'static str,
    /// What is wrong, in words for the operator.
    pub what: String,
}

/// Checks every record and what they say of each other. An empty list is a healthy store.
pub fn verify(store: &Store) -> Vec<Finding> {
    let mut check = Check { store, findings: Vec::new() };
    let users: Vec<User> = check.records("users");
    let by_id: HashMap<UserId, &User> = users.iter().map(|u| (u.id, u)).collect();
    check.seats(&users);
    check.handles(&by_id);
    check.tombstones(&users);
    for credential in check.records::<Credential>("credentials") {
        check.owned("credentials", by_id.contains_key(&credential.user), &format!("the passkey {}", credential.id));
    }
    for session in check.records::<Session>("sessions") {
        check.owned("sessions", by_id.contains_key(&session.user), "a session");
    }
    let containers: HashSet<_> = users.iter().map(|u| u.container.clone()).collect();
    let wanted: Vec<Wanted> = check.records("wanted");
    for wish in &wanted {
        check.owned("wanted", containers.contains(&wish.container), &format!("the wish for {}", wish.container));
    }
    let wished: HashSet<_> = wanted.iter().map(|w| w.container.clone()).collect();
    for user in users.iter().filter(|u| !wished.contains(&u.container)) {
        check.add("wanted", format!("nothing says what is wanted of the container of {}", user.handle));
    }
    check.findings
}

struct Check<'a> {
    store: &'a Store,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn add(&mut self, table: &'static str, what: String) {
        self.findings.push(Finding { table, what });
    }

    fn table(&self, name: &str) -> Table {
        self.store.table(name).expect("every name has its table").clone()
    }

    /// The records that can be read; the others are findings.
    fn records<T: DeserializeOwned>(&mut self, name: &'static str) -> Vec<T> {
        let mut good = Vec::new();
        for record in self.table(name).all::<T>() {
            match record {
                Ok(record) => good.push(record),
                Err(error) => self.add(name, error.to_string()),
            }
        }
        good
    }

    fn owned(&mut self, table: &'static str, owned: bool, what: &str) {
        if !owned {
            self.add(table, format!("{what} belongs to no account"));
        }
    }

    fn seats(&mut self, users: &[User]) {
        let next = match self.table("meta").get::<u16>("next_seat") {
            Ok(next) => next.unwrap_or(1),
            Err(error) => return self.add("meta", error.to_string()),
        };
        let mut taken: HashMap<Seat, &User> = HashMap::new();
        for user in users {
            if user.seat.number() >= next {
                self.add("users", format!("the seat {} of {} would be given to somebody else", user.seat, user.handle));
            }
            if let Some(other) = taken.insert(user.seat, user) {
                self.add("users", format!("{} and {} have the same seat {}", other.handle, user.handle, user.seat));
            }
        }
    }

    fn handles(&mut self, by_id: &HashMap<UserId, &User>) {
        let mut named = HashSet::new();
        for entry in self.table("handles").tree.iter() {
            let Ok((key, value)) = entry else { return self.add("handles", "cannot be read".to_owned()) };
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

    fn tombstones(&mut self, users: &[User]) {
        for tombstone in self.records::<Tombstone>("tombstones") {
            if users.iter().any(|u| u.handle == tombstone.handle) {
                self.add("tombstones", format!("{} has an account although it was deleted", tombstone.handle));
            }
        }
    }
}
