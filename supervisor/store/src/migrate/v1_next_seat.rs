//! Version 1 always says which seat comes next, so that a store that does not is known to be damaged.

use crate::accounts::NEXT_SEAT;
use crate::error::StoreError;
use crate::store::Store;
use crate::table::encode;

pub(super) fn apply(store: &Store) -> Result<(), StoreError> {
    if !store.0.meta.contains_key(NEXT_SEAT)? {
        let highest = store.users()?.iter().map(|u| u.seat.number()).max().unwrap_or(0);
        store.0.meta.insert(NEXT_SEAT, encode(&(highest + 1)))?;
    }
    Ok(())
}
