//! Tables: a name, a type, and the envelope its records lie in: one version byte, then JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::transaction::TransactionalTree;
use sled::{Db, Tree};

use crate::store::StoreError;

/// The version that is written. A change of a record's shape adds a version and a conversion in [`decode`].
const VERSION: u8 = 1;

/// Every table, for export and verification.
pub(crate) const NAMES: [&str; 7] = ["users", "handles", "credentials", "wanted", "sessions", "tombstones", "meta"];

pub(crate) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, record).expect("records are plain data");
    bytes
}

pub(crate) fn decode<T: DeserializeOwned>(table: &'static str, bytes: &[u8]) -> Result<T, StoreError> {
    let damaged = |why: String| StoreError::Damaged { table, why };
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|e| damaged(e.to_string())),
        Some((other, _)) => {
            Err(damaged(format!("record version {other} is not known to this program; use a newer one")))
        }
        None => Err(damaged("an empty record".to_owned())),
    }
}

/// A table of records of one type.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) tree: Tree,
}

impl Table {
    pub(crate) fn open(db: &Db, name: &'static str) -> Result<Self, StoreError> {
        Ok(Self { name, tree: db.open_tree(name)? })
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, key: impl AsRef<[u8]>) -> Result<Option<T>, StoreError> {
        self.tree.get(key)?.map(|bytes| decode(self.name, &bytes)).transpose()
    }

    pub(crate) fn put<T: Serialize>(&self, key: impl AsRef<[u8]>, record: &T) -> Result<(), StoreError> {
        self.tree.insert(key, encode(record))?;
        Ok(())
    }

    pub(crate) fn remove(&self, key: impl AsRef<[u8]>) -> Result<bool, StoreError> {
        Ok(self.tree.remove(key)?.is_some())
    }

    pub(crate) fn all<T: DeserializeOwned>(&self) -> impl Iterator<Item = Result<T, StoreError>> + use<T> {
        let name = self.name;
        self.tree.iter().values().map(move |bytes| decode(name, &bytes?))
    }
}

/// The same within a transaction.
pub(crate) fn put_in<T: Serialize>(
    tree: &TransactionalTree,
    key: impl AsRef<[u8]>,
    record: &T,
) -> Result<(), sled::transaction::UnabortableTransactionError> {
    tree.insert(key.as_ref(), encode(record)).map(drop)
}
