//! The records, as values. Times are seconds since 1970.

use matrixos_types::{ContainerId, Handle, Seat, UserId};
use serde::{Deserialize, Serialize};

use crate::table::Record;

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// For life.
    pub id: UserId,
    /// The public name, for life.
    pub handle: Handle,
    /// The place on this machine, never given to another.
    pub seat: Seat,
    /// The container; stays the same when it is made anew.
    pub container: ContainerId,
    /// When the account was made.
    pub created: u64,
    /// Whether the person agreed to appear in the public activity feed.
    pub feed: bool,
}

/// A passkey of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// The credential id the authenticator chose, in hexadecimal.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// The public key and counters, in the form of the library that checks them.
    pub passkey: serde_json::Value,
    /// The person's name for it.
    pub name: String,
    /// When it was added.
    pub created: u64,
    /// When it last signed somebody in.
    pub last_used: Option<u64>,
}

/// What should be true of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Which container.
    pub container: ContainerId,
    /// What is wanted.
    pub state: WantedState,
    /// Grows with every change.
    pub generation: u64,
    /// Why, in words for the owner.
    pub reason: String,
}

/// What may be wanted of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedState {
    /// It should serve its owner.
    Running,
    /// It should not run; the files stay.
    Stopped,
    /// It and its files should be gone.
    Destroyed,
}

/// How a container rests, and how it came to be as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// Which container.
    pub container: ContainerId,
    /// True if it was stopped because nobody used it: the next use starts it.
    pub asleep: bool,
    /// Until when it must not rest, if somebody asked for that.
    pub keep: Option<Keep>,
    /// What its owner said about themselves when it ran last: shown to strangers while it does not.
    #[serde(default)]
    pub profile: Option<String>,
    /// What happened to it, oldest first.
    pub history: Vec<Event>,
}

/// "Stay awake until then, because …".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// Until when, in seconds since 1970.
    pub until: u64,
    /// Why, in the words of whoever asked.
    pub because: String,
}

/// Something that happened to a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What it became: `running`, `frozen`, `asleep`, …
    pub what: String,
    /// Why.
    pub why: String,
}

/// SHA-256 of a session's token. The token itself is kept nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(pub [u8; 32]);

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Hash of its token.
    pub token: TokenHash,
    /// Who is signed in.
    pub user: UserId,
    /// Where it is valid.
    pub scope: SessionScope,
    /// When it began.
    pub created: u64,
    /// When it ends by itself.
    pub expires: u64,
}

/// Where a session is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionScope {
    /// The platform's own host.
    Platform,
    /// One computer's host; ends with the platform session it came from.
    Computer {
        /// Whose computer.
        handle: Handle,
        /// The platform session.
        parent: TokenHash,
    },
}

/// A handle that was used once and is never given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The handle.
    pub handle: Handle,
    /// When its account was deleted.
    pub deleted: u64,
}

/// What a sign-up brings with it.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// For life.
    pub id: UserId,
    /// The chosen name.
    pub handle: Handle,
    /// Now.
    pub created: u64,
    /// The answer about the public feed.
    pub feed: bool,
    /// The first passkey's id, in hexadecimal.
    pub credential: String,
    /// The first passkey.
    pub passkey: serde_json::Value,
}

macro_rules! record {
    ($table:literal, $type:ty, $record:ident => $key:expr) => {
        impl Record for $type {
            const TABLE: &'static str = $table;
            fn key(&self) -> Vec<u8> {
                let $record = self;
                AsRef::<[u8]>::as_ref(&$key).to_vec()
            }
        }
    };
}

record!("users", User, user => user.id.0);
record!("credentials", Credential, credential => credential.id);
record!("wanted", Wanted, wanted => wanted.container.as_str());
record!("rest", Rest, rest => rest.container.as_str());
record!("sessions", Session, session => session.token.0);
record!("tombstones", Tombstone, tombstone => tombstone.handle.as_str());
