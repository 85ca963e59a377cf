//! Who is who: handles, passkeys, codes, sessions, and what happened to accounts.

mod admin;
mod audit;
mod deletion;
mod ends;
mod entry;
mod error;
mod evidence;
mod export;
mod factors;
mod handles;
mod hs256;
mod keys;
mod own_key;
mod passkeys;
mod pending;
mod refresh;
mod secret;
mod sessions;
mod sign_in;
mod throttle;
mod tokens;
mod totp;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use matrixos_store::{SessionScope, Store, StoreError, User};
use matrixos_types::{Handle, SessionId, UserId};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::clock::Clock;
use crate::seal::Seal;
pub use deletion::GRACE as DELETION_GRACE;
use ends::Ends;
pub use error::AccountError;
pub use evidence::{AdminGrant, FRESH, Fresh, FreshGrant, Session, Visit};
pub use factors::Security;
pub use handles::Availability;
pub use keys::Keys;
use passkeys::Passkeys;
pub use passkeys::Started;
use pending::Pending;
pub use secret::Secret;
pub use sessions::{Admitted, Presented};
pub use sign_in::Arrival;
use throttle::Throttle;
use tokens::Mint;
pub use tokens::{Door, Tokens};
use totp::Vault;
pub use totp::{Offer, RECOVERY_CODES};

/// How long an access token is good.
pub const ACCESS: Duration = Duration::from_secs(3600);
/// How long a session lasts if it is not renewed.
pub const SESSION: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a session lasts, however often it is renewed.
pub const SESSION_AT_MOST: Duration = Duration::from_secs(90 * 24 * 3600);

/// Accounts and everything that says who somebody is.
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    keys: Arc<Keys>,
    mint: Mint,
    vault: Arc<Vault>,
    own_keys: Seal,
    passkeys: Passkeys,
    /// Authenticator apps on their way to be confirmed.
    offers: Pending<factors::Offered>,
    throttle: Throttle,
    /// Permission to open one computer, on its way from the platform's host to the computer's.
    entries: Pending<entry::Permission>,
    /// Invitations to become an administrator.
    invitations: Pending<()>,
    ends: Ends,
}

impl Accounts {
    /// Accounts whose passkeys are for exactly this origin. Every session's end comes when `end` does, at the latest.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        origin: &Url,
        keys: Keys,
        end: CancellationToken,
    ) -> Result<Self, String> {
        let passkeys =
            Passkeys::new(origin).map_err(|e| format!("passkeys cannot be used with the origin {origin}: {e}"))?;
        let keys = Arc::new(keys);
        Ok(Self {
            store,
            clock,
            mint: Mint::new(keys.clone(), origin.origin().ascii_serialization()),
            vault: Arc::new(Vault::new(&keys)),
            own_keys: Seal::new(keys.derive("own keys to the provider of models")),
            keys,
            passkeys,
            offers: factors::offers(),
            throttle: Throttle::default(),
            entries: entry::permissions(),
            invitations: admin::invitations(),
            ends: Ends::new(end),
        })
    }

    /// Fails, saying why, if the store takes nothing new at the moment.
    pub fn room(&self) -> Result<(), StoreError> {
        self.store.check_room()
    }

    /// Whether a handle may be had, for a text as it was typed.
    pub fn availability(&self, text: &str) -> Result<Availability, StoreError> {
        handles::availability(&self.store, text)
    }

    /// The account of that handle, if there is one.
    pub fn find(&self, handle: &Handle) -> Result<Option<User>, StoreError> {
        self.store.user_by_handle(handle)
    }

    /// The account of that id, if there is one.
    pub fn account(&self, user: UserId) -> Result<Option<User>, StoreError> {
        self.store.user(user)
    }

    /// The handle of that account, if there is one.
    pub fn handle_of(&self, user: UserId) -> Result<Option<Handle>, StoreError> {
        Ok(self.store.user(user)?.map(|user| user.handle))
    }

    /// Deletes an account for good, its sessions with it; its container must be gone.
    pub async fn delete(&self, user: User) -> Result<(), StoreError> {
        let now = self.now();
        let ended = self.store.run(move |store| store.delete_account(&user, now)).await?;
        self.ends.end(&ended);
        Ok(())
    }

    /// Forgets what has expired, and makes a new signing key when it is time.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.throttle.tidy(now);
        if let Err(error) = self.keys.rotate(self.clock.now()) {
            tracing::warn!(%error, "no new key for sessions could be made; the old one goes on signing");
        }
        let ended = self.store.run(move |store| store.purge_expired(now)).await?;
        self.ends.end(&ended);
        Ok(())
    }

    fn now(&self) -> u64 {
        seconds(self.clock.now())
    }

    /// Ends a session and those that came from it, and what waits on them.
    async fn end(&self, id: SessionId) -> Result<(), StoreError> {
        let ended = self.store.run(move |store| store.end_session(id)).await?;
        self.ends.end(&ended);
        Ok(())
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// The scope of sessions that are good at a door.
fn fits(scope: &SessionScope, door: &Door) -> bool {
    match (scope, door) {
        (SessionScope::Platform, Door::Platform) => true,
        (SessionScope::Computer { handle, .. }, Door::Computer(of)) => handle == of,
        _ => false,
    }
}
