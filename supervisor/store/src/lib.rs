//! The platform's own memory. The only crate that names its database: everybody else speaks of accounts and wishes.

mod accounts;
mod audit;
mod disk;
mod durable;
mod error;
mod export;
mod factors;
mod mail;
mod migrate;
mod money;
mod own_keys;
mod records;
mod reserve;
mod rest;
mod session_index;
mod sessions;
mod store;
mod table;
mod verify;
mod wanted;

pub use audit::{By, EVENTS, EVENTS_BY_STRANGERS, Event, What};
pub use error::{CreateError, FactorError, StoreError};
pub use export::{ExportError, export, import};
pub use factors::PASSKEYS;
pub use mail::{ChannelSettings, Incoming, LETTER, LETTERS, Letter, MailError, Outgoing, Profile, REPLIES, Reply};
pub use money::{Balance, Held, Hold, HoldError, How, Lease, LeaseKey, NewRow, Row, Spending, Spent};
pub use records::{
    Caller, Change, Credential, Factors, FirstFactor, Keep, Method, NewAccount, OwnKey, RecoveryCode, Refresh, Rest,
    Session, SessionScope, TokenHash, Tombstone, Totp, User, Wanted, WantedState,
};
pub use sessions::{COMPUTER_SESSIONS, Fate, PLATFORM_SESSIONS};
pub use store::Store;
pub use verify::{Finding, verify};
