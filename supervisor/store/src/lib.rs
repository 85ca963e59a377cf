//! The platform's own memory. The only crate that names its database: everybody else speaks of accounts and wishes.

mod durable;
mod export;
mod records;
mod store;
mod table;
mod verify;

pub use export::{ExportError, export, import};
pub use records::{Credential, NewAccount, Session, SessionScope, TokenHash, Tombstone, User, Wanted, WantedState};
pub use store::{CreateError, Store, StoreError};
pub use verify::{Finding, verify};
