//! Why the store did not do what it was asked: what happened, and what to do.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use matrixos_types::Bytes;
use sled::transaction::TransactionError;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the store {} is in use by another process; stop the platform first, or ask it", .0.display())]
    InUse(PathBuf),
    /// The disk is full, and a write was cut short by it.
    #[error("the disk that holds the store is full; free some space, then restart the platform")]
    Full,
    /// The disk is almost full, so nothing may grow. Nothing was changed.
    #[error("only {left} are left on the disk that holds the store; nothing new is accepted until {needed} are free")]
    Low {
        /// What is left.
        left: Bytes,
        /// What must be.
        needed: Bytes,
    },
    /// A record cannot be read.
    #[error("a record of the table {table} is damaged: {why}")]
    Damaged {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The end of the log is gone: the database opens, but without writes that were acknowledged.
    #[error(
        "the store has lost writes that were acknowledged (it ends at {found}, it had reached {promised}): its file is \
         damaged; restore a backup, or go on with what is left by deleting {}", mark.display()
    )]
    Lost {
        /// The last settlement that is there.
        found: u64,
        /// The last settlement that was acknowledged.
        promised: u64,
        /// The file that remembers it.
        mark: PathBuf,
    },
    /// A newer program has written it.
    #[error("the store has version {found}, this program knows up to {known}; use the newer program")]
    Newer {
        /// Version of the store.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// An earlier write failed, so what the disk holds is not known.
    #[error("an earlier write failed ({0}); restart the platform")]
    Broken(String),
    /// There is no such record.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// The database failed.
    #[error("the database: {0}")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// A file operation failed.
    #[error("the store's files: {0}")]
    Io(#[source] io::Error),
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(e) => e.into(),
            other => Self::Database(Box::new(other)),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

impl<E> From<TransactionError<E>> for StoreError
where
    Self: From<E>,
{
    fn from(error: TransactionError<E>) -> Self {
        match error {
            TransactionError::Abort(why) => why.into(),
            TransactionError::Storage(e) => e.into(),
        }
    }
}

/// Why a transaction with reasons of its own came to nothing.
pub(crate) fn why<E: From<StoreError>>(error: TransactionError<E>) -> E {
    match error {
        TransactionError::Abort(why) => why,
        TransactionError::Storage(e) => StoreError::from(e).into(),
    }
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Somebody has or had this handle.
    #[error("the handle is taken")]
    HandleTaken,
    /// This passkey belongs to an account already.
    #[error("the passkey is known already")]
    CredentialKnown,
    /// This machine has no seat left.
    #[error("this machine is full")]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the ways in which a person signs in were not changed.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// Without it nobody could sign in.
    #[error("it is the last way to sign in")]
    Last,
    /// This passkey belongs to an account already.
    #[error("the passkey is known already")]
    Known,
    /// The account has as many as it may have.
    #[error("the account has too many passkeys")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
