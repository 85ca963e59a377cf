//! Bringing the records to the shape that this program knows, one step at a time.
//!
//! A step lies in a file of its own, changes records only, and comes to the same end when a stop has cut it short and it
//! runs again. What it wrote is on the disk before the store has the step's version.

mod v1_next_seat;
mod v2_factors;

use crate::error::StoreError;
use crate::store::Store;
use crate::table::{decode, encode};

type Step = fn(&Store) -> Result<(), StoreError>;

/// The step at index `n` makes version `n + 1`.
const STEPS: [Step; 2] = [v1_next_seat::apply, v2_factors::apply];
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
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::*;

    /// sled gives its lock back a little after it was dropped, when no other test is in the middle of something.
    fn reopened(folder: &Path) -> Result<Store, StoreError> {
        let begun = Instant::now();
        loop {
            match Store::open(folder) {
                Err(StoreError::InUse(_)) if begun.elapsed() < Duration::from_secs(10) => std::thread::yield_now(),
                opened => return opened,
            }
        }
    }

    #[test]
    fn a_store_of_a_newer_program_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("new");
        assert_eq!(version(&store).expect("readable"), VERSION);
        set_version(&store, VERSION + 1).expect("written");
        store.settle().expect("settled");
        drop(store);
        match reopened(folder.path()) {
            Err(StoreError::Newer { found, known }) => assert_eq!((found, known), (VERSION + 1, VERSION)),
            other => panic!("{:?}", other.err()),
        }
    }

    #[test]
    fn accounts_of_the_first_version_keep_their_passkeys_and_sign_in_once_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("new");
        let user = "6b0b3c1e-2a1f-4a44-8c11-1f6f6a1f2b3c";
        let id: matrixos_types::UserId = serde_json::from_str(&format!("\"{user}\"")).expect("an id");
        let text = |json: String| [&[1], json.as_bytes()].concat();
        let t = &store.0;
        // As version 1 wrote them.
        let account = r#""handle":"alice","seat":1,"container":"c0123456789abcdef","created":5,"feed":true}"#;
        t.users.tree.insert(id.0, text(format!(r#"{{"id":"{user}",{account}"#))).expect("written");
        for (credential, created) in [("bb", 9), ("aa", 7)] {
            let rest = format!(r#""passkey":{{}},"name":"Passkey","created":{created},"last_used":null}}"#);
            let record = text(format!(r#"{{"id":"{credential}","user":"{user}",{rest}"#));
            t.credentials.tree.insert(credential, record).expect("written");
        }
        let old = text(format!(r#"{{"token":[],"user":"{user}","scope":"platform","created":1,"expires":9}}"#));
        t.sessions.tree.insert([1; 32], old).expect("written");
        set_version(&store, 1).expect("written");
        migrate(&store).expect("migrated");
        assert_eq!(store.factors(id).expect("readable").expect("there").passkeys, ["aa", "bb"]);
        assert!(store.0.sessions.tree.is_empty());
        let user = store.user(id).expect("readable").expect("there");
        assert_eq!((user.admin, user.deletion, user.created), (false, None, 5));
    }
}
