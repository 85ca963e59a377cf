//! The platform's own memory. The only crate that names its database: everybody else speaks of accounts and wishes.

mod accounts;
mod disk;
mod durable;
mod error;
mod export;
mod migrate;
mod records;
mod reserve;
mod rest;
mod session_index;
mod sessions;
mod store;
mod table;
mod verify;
mod wanted;

pub use error::{CreateError, StoreError};
pub use export::{ExportError, export, import};
pub use records::{
    Credential, Event, Keep, NewAccount, Rest, Session, SessionScope, TokenHash, Tombstone, User, Wanted, WantedState,
};
pub use sessions::{COMPUTER_SESSIONS, PLATFORM_SESSIONS};
pub use store::Store;
pub use verify::{Finding, verify};
