//! The records, as values. Times are seconds since 1970.

use std::net::IpAddr;

use matrixos_types::{ContainerId, Handle, Seat, SessionId, UserId};
use serde::{Deserialize, Serialize};

use crate::audit::Event;
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
    /// Whether the person may see to other people's accounts.
    #[serde(default)]
    pub admin: bool,
    /// When the account and its files will be deleted, if its owner asked for that.
    #[serde(default)]
    pub deletion: Option<u64>,
}

/// By what a person can prove who they are. There is always at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// Whose.
    pub user: UserId,
    /// Ids of the passkeys, oldest first.
    pub passkeys: Vec<String>,
    /// The authenticator app, if one was set up.
    pub totp: Option<Totp>,
}

/// An authenticator app (RFC 6238) and what stands in for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// The shared secret, sealed with a key that is not in the store; hexadecimal.
    pub sealed: String,
    /// When it was confirmed.
    pub since: u64,
    /// The last time step whose code was used: a code works once.
    pub last_step: u64,
    /// The recovery codes that came with it.
    pub recovery: Vec<RecoveryCode>,
}

impl Totp {
    /// How many recovery codes are left.
    pub fn unused(&self) -> usize {
        self.recovery.iter().filter(|code| code.used.is_none()).count()
    }
}

/// A recovery code, which works once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCode {
    /// Its keyed hash; the key is not in the store.
    pub hash: TokenHash,
    /// When it was used.
    pub used: Option<u64>,
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

/// A person's own key to the provider of models, used in place of the platform's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnKey {
    /// Whose.
    pub user: UserId,
    /// The key, sealed with one that is not in the store; hexadecimal.
    pub sealed: String,
    /// When it was given.
    pub since: u64,
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
    /// Since when it has not run, asleep or stopped, in seconds since 1970.
    #[serde(default)]
    pub since: Option<u64>,
    /// True if its files are in an archive: they are unpacked before it runs.
    #[serde(default)]
    pub archived: bool,
    /// Until when it must not rest, if somebody asked for that.
    pub keep: Option<Keep>,
    /// Until when a program in it has asked the same.
    #[serde(default)]
    pub lease: Option<Keep>,
    /// When it has to be awake next for a job of its own, in seconds since 1970.
    #[serde(default)]
    pub due: Option<u64>,
    /// What its owner said about themselves when it ran last: shown to strangers while it does not.
    #[serde(default)]
    pub profile: Option<String>,
    /// What happened to it, oldest first.
    pub history: Vec<Change>,
}

impl Rest {
    /// Nothing has happened to it yet.
    pub fn of_a_new(container: &ContainerId) -> Self {
        Self {
            container: container.clone(),
            asleep: false,
            since: None,
            archived: false,
            keep: None,
            lease: None,
            due: None,
            profile: None,
            history: Vec::new(),
        }
    }
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
pub struct Change {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What it became: `running`, `frozen`, `asleep`, …
    pub what: String,
    /// Why.
    pub why: String,
}

/// A hash of a secret. The secret itself is kept nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(pub [u8; 32]);

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name, in every token of it.
    pub id: SessionId,
    /// Who is signed in.
    pub user: UserId,
    /// Where it is valid.
    pub scope: SessionScope,
    /// When it began.
    pub created: u64,
    /// When it was last renewed.
    pub last_used: u64,
    /// When it ends by itself, if it is not renewed.
    pub expires: u64,
    /// When the person last proved who they are.
    pub verified: u64,
    /// By what the person signed in.
    pub method: Method,
    /// From where.
    pub caller: Caller,
    /// Which tokens renew it.
    pub refresh: Refresh,
}

/// By what somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A passkey.
    Passkey,
    /// A code of the authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
}

/// From where somebody asks, as far as it can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The address.
    pub address: Option<IpAddr>,
    /// The browser, in words for people: `Firefox on Linux`.
    pub browser: Option<String>,
}

/// The tokens that renew a session: each works once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// Those that work. Several, if a browser asked several times at once.
    pub live: Vec<TokenHash>,
    /// Those that the living ones have replaced.
    pub parents: Vec<TokenHash>,
    /// When that was.
    pub rotated: u64,
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
        parent: SessionId,
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
    /// By what the person will sign in.
    pub factor: FirstFactor,
}

/// What a new account can be signed in to with.
#[derive(Clone, Debug)]
pub enum FirstFactor {
    /// A passkey.
    Passkey {
        /// Its id, in hexadecimal.
        id: String,
        /// Its public key and counters.
        passkey: serde_json::Value,
    },
    /// An authenticator app.
    Totp(Totp),
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
record!("factors", Factors, factors => factors.user.0);
record!("sessions", Session, session => session.id.0);
record!("own_keys", OwnKey, key => key.user.0);
record!("audit", Event, event => event.number.to_be_bytes());
record!("tombstones", Tombstone, tombstone => tombstone.handle.as_str());
