//! Bringing the records to the shape that this program knows, one step at a time.
//!
//! A step lies in a file of its own, changes records only, and comes to the same end when a stop has cut it short and it
//! runs again. What it wrote is on the disk before the store has the step's version.

mod v1_next_seat;

use crate::error::StoreError;
use crate::store::Store;
use crate::table::{decode, encode};

type Step = fn(&Store) -> Result<(), StoreError>;

/// The step at index `n` makes version `n + 1`.
const STEPS: [Step; 1] = [v1_next_seat::apply];
/// The version that the steps lead to.
pub(crate) const VERSION: u32 = STEPS.len() as u32;

const KEY: &[u8] = b"version";

/// Takes the steps that are missing.
pub(crate) fn migrate(store: &Store) -> Result<(), StoreError> {
    let found = version(store)?;
    let newer = || StoreError::Newer { found, known: VERSION };
    let missing = STEPS.get(found as usize..).ok_or_else(newer)?;
    for (step, version) in missing.iter().zip(found + 1..) {
        step(store)?;
        store.settle()?;
        set_version(store, version)?;
    }
    store.settle()
}

/// The version of the records.
pub(crate) fn version(store: &Store) -> Result<u32, StoreError> {
    store.0.local.get(KEY)?.map_or(Ok(0), |bytes| decode("local", &bytes))
}

/// Says which version the records have. Not settled.
pub(crate) fn set_version(store: &Store, version: u32) -> Result<(), StoreError> {
    store.0.local.insert(KEY, encode(&version))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_a_newer_program_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("new");
        assert_eq!(version(&store).expect("readable"), VERSION);
        set_version(&store, VERSION + 1).expect("written");
        store.settle().expect("settled");
        drop(store);
        match Store::open(folder.path()) {
            Err(StoreError::Newer { found, known }) => assert_eq!((found, known), (VERSION + 1, VERSION)),
            other => panic!("{:?}", other.err()),
        }
    }
}
