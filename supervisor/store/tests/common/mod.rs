//! Records to put into a store.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use matrixos_store::{
    By, Caller, Credential, Event, FirstFactor, Method, NewAccount, Refresh, Session, SessionScope, Store, StoreError,
    TokenHash, User, What,
};
use matrixos_types::{Handle, SessionId, UserId};

pub(crate) fn account(handle: &str) -> NewAccount {
    let id = UserId::random();
    NewAccount {
        id,
        handle: Handle::parse(handle).unwrap(),
        created: 1,
        feed: false,
        factor: passkey(&id.0.simple().to_string(), handle),
    }
}

pub(crate) fn passkey(id: &str, key: &str) -> FirstFactor {
    FirstFactor::Passkey { id: id.to_owned(), passkey: serde_json::json!({ "key": key }) }
}

pub(crate) fn session(user: &User, number: u8, scope: SessionScope) -> Session {
    Session {
        id: SessionId::random(),
        user: user.id,
        scope,
        created: 1,
        last_used: u64::from(number),
        expires: 100 + u64::from(number),
        verified: 1,
        method: Method::Passkey,
        caller: Caller::default(),
        refresh: Refresh { live: vec![TokenHash([number; 32])], ..Refresh::default() },
    }
}

pub(crate) fn event(user: &User, by: By) -> Event {
    let what = if by == By::Stranger { What::SignInRefused } else { What::SignedIn };
    Event { number: 0, user: user.id, at: 1, what, detail: None, caller: Caller::default(), by }
}

pub(crate) fn added(user: &User, id: &str) -> Credential {
    let passkey = serde_json::Value::Null;
    Credential { id: id.to_owned(), user: user.id, passkey, name: id.to_owned(), created: 2, last_used: None }
}

/// Opens a store once more in the same process. sled gives its lock back a little after it was dropped, when no other
/// test is in the middle of something.
pub(crate) fn reopened(folder: &Path) -> Result<Store, StoreError> {
    let begun = Instant::now();
    loop {
        match Store::open(folder) {
            Err(StoreError::InUse(_)) if begun.elapsed() < Duration::from_secs(10) => std::thread::yield_now(),
            opened => return opened,
        }
    }
}
