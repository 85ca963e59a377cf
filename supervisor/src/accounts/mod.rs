//! Who is who: handles, passkeys, sessions.

mod error;
mod handles;
mod passkeys;
mod pending;
mod secret;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use matrixos_store::{self as records, CreateError, NewAccount, SessionScope, Store, StoreError, TokenHash, User};
use matrixos_types::Handle;
use serde_json::Value;
use url::Url;

use crate::clock::Clock;
pub use error::AccountError;
pub use handles::Availability;
use passkeys::Passkeys;
pub use passkeys::Started;
use pending::Pending;
pub use secret::Secret;

/// How long a session lasts.
pub const SESSION: Duration = Duration::from_secs(7 * 24 * 3600);
const ENTRY_CODE: Duration = Duration::from_secs(60);
const ENTRY_CODES: usize = 10_000;

/// Evidence that a request comes from a signed-in browser of this user, on the platform's own host.
#[derive(Clone, Debug)]
pub struct Session {
    user: User,
    token: TokenHash,
}

impl Session {
    /// Who is signed in.
    pub fn user(&self) -> &User {
        &self.user
    }
}

/// Evidence that a request to a computer's host comes from its owner's browser.
#[derive(Clone, Debug)]
pub struct Visit {
    owner: User,
}

impl Visit {
    /// Whose computer it is.
    pub fn owner(&self) -> &User {
        &self.owner
    }
}

/// Accounts and everything that says who somebody is.
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    passkeys: Passkeys,
    /// Permission to open one computer, on its way from the platform's host to the computer's.
    entries: Pending<(Handle, TokenHash)>,
}

impl Accounts {
    /// Accounts whose passkeys are for exactly this origin.
    pub fn new(store: Store, clock: Arc<dyn Clock>, origin: &Url) -> Result<Self, String> {
        let passkeys =
            Passkeys::new(origin).map_err(|e| format!("passkeys cannot be used with the origin {origin}: {e}"))?;
        Ok(Self { store, clock, passkeys, entries: Pending::new(ENTRY_CODE, ENTRY_CODES) })
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

    /// Begins a sign-up. The handle is not held: whoever finishes first has it.
    pub fn start_sign_up(&self, text: &str) -> Result<Started, AccountError> {
        match self.availability(text)? {
            Availability::Available(handle) => self.passkeys.start_sign_up(handle, self.clock.now()),
            Availability::Unavailable(suggestions) => Err(AccountError::Unavailable(suggestions)),
            Availability::Malformed(error) => Err(error.into()),
        }
    }

    /// Makes the account and signs its browser in.
    pub async fn finish_sign_up(
        &self,
        ceremony: &str,
        answer: &Value,
        feed: bool,
    ) -> Result<(User, Secret), AccountError> {
        let new = self.passkeys.finish_sign_up(ceremony, answer, self.clock.now())?;
        let account = NewAccount {
            id: new.user,
            handle: new.handle,
            created: self.now(),
            feed,
            credential: new.credential,
            passkey: new.passkey,
        };
        let handle = account.handle.clone();
        let user = match self.store.run(move |store| store.create_account(&account)).await {
            Ok(user) => user,
            Err(CreateError::HandleTaken) => {
                return Err(AccountError::Unavailable(handles::suggestions(&self.store, &handle)?));
            }
            Err(CreateError::CredentialKnown) => return Err(AccountError::KnownPasskey),
            Err(CreateError::Full) => return Err(AccountError::Busy("This machine has no room for another computer.")),
            Err(CreateError::Store(error)) => return Err(error.into()),
        };
        let token = self.begin_session(&user, SessionScope::Platform).await?;
        Ok((user, token))
    }

    /// Begins a login; the person's device knows which passkeys fit.
    pub fn start_login(&self) -> Result<Started, AccountError> {
        self.passkeys.start_login(self.clock.now())
    }

    /// Signs a browser in.
    pub async fn finish_login(&self, ceremony: &str, answer: &Value) -> Result<(User, Secret), AccountError> {
        let find = |id: &str| Ok(self.store.credential(id)?);
        let mut credential = self.passkeys.finish_login(ceremony, answer, self.clock.now(), find)?;
        credential.last_used = Some(self.now());
        let user = self.store.user(credential.user)?.ok_or(AccountError::UnknownPasskey)?;
        self.store.run(move |store| store.update_credential(&credential)).await?;
        let token = self.begin_session(&user, SessionScope::Platform).await?;
        Ok((user, token))
    }

    async fn begin_session(&self, user: &User, scope: SessionScope) -> Result<Secret, StoreError> {
        let token = Secret::random();
        let created = self.now();
        let record = records::Session {
            token: secret::hash(token.expose()),
            user: user.id,
            scope,
            created,
            expires: created + SESSION.as_secs(),
        };
        self.store.run(move |store| store.put_session(&record)).await?;
        Ok(token)
    }

    /// Who is signed in on the platform's host with that token.
    pub fn session(&self, token: &str) -> Result<Option<Session>, StoreError> {
        let Some(record) = self.living(token)? else { return Ok(None) };
        let SessionScope::Platform = record.scope else { return Ok(None) };
        Ok(self.store.user(record.user)?.map(|user| Session { user, token: record.token }))
    }

    /// Whether that token opens the computer of `handle`.
    pub fn visit(&self, token: &str, handle: &Handle) -> Result<Option<Visit>, StoreError> {
        let Some(record) = self.living(token)? else { return Ok(None) };
        let SessionScope::Computer { handle: of, .. } = &record.scope else { return Ok(None) };
        if of != handle {
            return Ok(None);
        }
        let owner = self.store.user(record.user)?.filter(|user| user.handle == *handle);
        Ok(owner.map(|owner| Visit { owner }))
    }

    fn living(&self, token: &str) -> Result<Option<records::Session>, StoreError> {
        Ok(self.store.session(&secret::hash(token))?.filter(|session| session.expires > self.now()))
    }

    /// Ends a session and the computer sessions that came from it.
    pub async fn sign_out(&self, session: &Session) -> Result<(), StoreError> {
        let token = session.token;
        self.store.run(move |store| store.delete_session(&token)).await
    }

    /// A code with which the owner's browser proves itself to their computer's host: once, within a minute.
    pub fn entry_code(&self, session: &Session) -> Result<Secret, AccountError> {
        let permission = (session.user.handle.clone(), session.token);
        self.entries
            .put(permission, self.clock.now())
            .ok_or(AccountError::Busy("Too many people are coming in right now. Please try again in a minute."))
    }

    /// Turns an entry code into a session on the host of `handle`. `None` if the code does not hold.
    pub async fn redeem(&self, code: &str, handle: &Handle) -> Result<Option<Secret>, StoreError> {
        let Some((of, parent)) = self.entries.take(code, self.clock.now()) else { return Ok(None) };
        if of != *handle {
            return Ok(None);
        }
        // The platform session may have ended since.
        let Some(record) = self.store.session(&parent)?.filter(|s| s.expires > self.now()) else { return Ok(None) };
        let Some(user) = self.store.user(record.user)? else { return Ok(None) };
        let scope = SessionScope::Computer { handle: of, parent };
        match self.begin_session(&user, scope).await {
            // Ended between the look and the writing.
            Err(StoreError::Missing(_)) => Ok(None),
            begun => begun.map(Some),
        }
    }

    /// Deletes an account for good, its sessions with it; its container must be gone.
    pub async fn delete(&self, user: User) -> Result<(), StoreError> {
        let now = self.now();
        self.store.run(move |store| store.delete_account(&user, now)).await
    }

    /// Forgets what has expired.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.now();
        self.store.run(move |store| store.purge_expired(now)).await
    }

    fn now(&self) -> u64 {
        seconds(self.clock.now())
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
