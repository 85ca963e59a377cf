//! Tables: a type, a name, and the envelope its records lie in: one version byte, then JSON.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::transaction::{TransactionalTree, UnabortableTransactionError};
use sled::{IVec, Tree};

use crate::disk::Files;
use crate::error::StoreError;

/// The version that is written. A change of a record's shape adds a version, a conversion in [`decode`], or a step of
/// migration.
const VERSION: u8 = 1;

/// What lies in a table of its own.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The table's name.
    const TABLE: &'static str;

    /// Where the record lies.
    fn key(&self) -> Vec<u8>;
}

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
pub(crate) struct Table<R> {
    pub(crate) tree: Tree,
    kind: PhantomData<fn() -> R>,
}

impl<R: Record> Table<R> {
    pub(crate) fn open(files: &Files) -> Result<Self, StoreError> {
        Ok(Self { tree: files.tree(R::TABLE)?, kind: PhantomData })
    }

    pub(crate) fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<R>, StoreError> {
        self.tree.get(key)?.map(|bytes| decode(R::TABLE, &bytes)).transpose()
    }

    /// Writes a record in the place of any earlier one. Not settled.
    pub(crate) fn put(&self, record: &R) -> Result<(), StoreError> {
        self.tree.insert(record.key(), encode(record))?;
        Ok(())
    }

    /// The record whose key is the first of those that begin so.
    pub(crate) fn first(&self, prefix: &[u8]) -> Result<Option<R>, StoreError> {
        self.tree.scan_prefix(prefix).next().map(|entry| decode(R::TABLE, &entry?.1)).transpose()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Result<R, StoreError>> + use<R> {
        self.tree.iter().values().map(|bytes| decode(R::TABLE, &bytes?))
    }

    /// The records whose keys are below `key`, the last first.
    pub(crate) fn before(&self, key: Vec<u8>) -> impl Iterator<Item = Result<R, StoreError>> + use<R> {
        self.tree.range(..key).rev().map(|entry| decode(R::TABLE, &entry?.1))
    }

    /// The records with the keys they lie under.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Result<(IVec, R), StoreError>> + use<R> {
        self.tree.iter().map(|entry| {
            let (key, bytes) = entry?;
            Ok((key, decode(R::TABLE, &bytes)?))
        })
    }
}

/// Writes a record within a transaction.
pub(crate) fn put_in<R: Record>(tree: &TransactionalTree, record: &R) -> Result<(), UnabortableTransactionError> {
    tree.insert(record.key(), encode(record)).map(drop)
}
