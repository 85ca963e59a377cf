//! Version 2 keeps by account what it can be signed in to with, and sessions that can be renewed. Sessions of the older
//! kind cannot, so they end: people sign in once more.

use std::collections::BTreeMap;

use matrixos_types::UserId;

use crate::error::StoreError;
use crate::records::{Credential, Factors};
use crate::store::Store;
use crate::table::{Record, encode};

pub(super) fn apply(store: &Store) -> Result<(), StoreError> {
    let mut passkeys: BTreeMap<UserId, Vec<Credential>> = BTreeMap::new();
    for credential in store.0.credentials.all() {
        let credential = credential?;
        passkeys.entry(credential.user).or_default().push(credential);
    }
    for (user, mut credentials) in passkeys {
        credentials.sort_by_key(|c| c.created);
        let factors = Factors { user, passkeys: credentials.into_iter().map(|c| c.id).collect(), totp: None };
        store.0.factors.tree.insert(factors.key(), encode(&factors))?;
    }
    store.0.sessions.tree.clear()?;
    Ok(())
}
