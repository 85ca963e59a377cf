//! What a person signs in with, seen to by themselves: passkeys, the authenticator app, recovery codes; and proving once
//! more who one is.

use std::time::Duration;

use matrixos_store::{By, Caller, Credential, FactorError, Factors, StoreError, Totp, What};
use matrixos_types::{Handle, UserId};
use serde_json::Value;

use super::evidence::{Fresh, Session};
use super::passkeys::Started;
use super::pending::Pending;
use super::secret::Secret;
use super::totp::{Code, Offer, Shared};
use super::{AccountError, Accounts};

const LIFETIME: Duration = Duration::from_secs(5 * 60);
const AT_ONCE: usize = 10_000;
/// Codes that may be tried to confirm an app.
const TRIES: u8 = 5;
/// Longest name of a passkey, in characters.
const NAME: usize = 64;

/// An authenticator app that was set up and not yet confirmed.
pub(super) struct Offered {
    pub(super) purpose: For,
    pub(super) user: UserId,
    pub(super) shared: Shared,
    tries: u8,
}

/// What an app is set up for.
pub(super) enum For {
    /// A new account.
    SignUp(Handle),
    /// An account that there is.
    Account,
}

impl Offered {
    pub(super) fn new(purpose: For, user: UserId, shared: Shared) -> Self {
        Self { purpose, user, shared, tries: 0 }
    }
}

pub(super) fn offers() -> Pending<Offered> {
    Pending::new(LIFETIME, AT_ONCE)
}

/// By what a person can sign in.
#[derive(Clone, Debug)]
pub struct Security {
    /// Passkeys, oldest first.
    pub passkeys: Vec<Credential>,
    /// Since when there is an authenticator app.
    pub totp_since: Option<u64>,
    /// Recovery codes that are left, and how many were made.
    pub recovery_codes: Option<(usize, usize)>,
}

impl Accounts {
    /// By what a person can sign in.
    pub fn security(&self, session: &Session) -> Result<Security, StoreError> {
        let passkeys = self.store.credentials_of(session.user.id)?;
        let totp = self.store.factors(session.user.id)?.and_then(|f| f.totp);
        let recovery_codes = totp.as_ref().map(|t| (t.unused(), t.recovery.len()));
        Ok(Security { passkeys, totp_since: totp.map(|t| t.since), recovery_codes })
    }

    /// Begins to add a passkey.
    pub fn start_passkey(&self, fresh: &Fresh) -> Result<Started, AccountError> {
        let known = self.store.credentials_of(fresh.user.id)?;
        self.passkeys.start_add(&fresh.user, &known, self.clock.now())
    }

    /// Adds a passkey.
    pub async fn finish_passkey(
        &self,
        fresh: &Fresh,
        ceremony: &str,
        answer: &Value,
        name: &str,
        caller: &Caller,
    ) -> Result<Credential, AccountError> {
        let (name, user) = (name_of(name)?, fresh.user.id);
        let (id, passkey) = self.passkeys.finish_add(ceremony, answer, user, self.clock.now())?;
        let credential = Credential { id, user, passkey, name, created: self.now(), last_used: None };
        let added = credential.clone();
        self.store.run(move |store| store.add_credential(&added)).await?;
        self.note(user, What::PasskeyAdded, Some(credential.name.clone()), caller, By::Owner).await?;
        Ok(credential)
    }

    /// Gives a passkey another name.
    pub async fn rename_passkey(
        &self,
        session: &Session,
        id: &str,
        name: &str,
        caller: &Caller,
    ) -> Result<Credential, AccountError> {
        let (name, user, id) = (name_of(name)?, session.user.id, id.to_owned());
        let rename = move |credential: &mut Credential| credential.name.clone_from(&name);
        let renamed = self.store.run(move |store| store.change_credential(user, &id, rename)).await?;
        self.note(user, What::PasskeyRenamed, Some(renamed.name.clone()), caller, By::Owner).await?;
        Ok(renamed)
    }

    /// Removes a passkey, unless it is the last way to sign in.
    pub async fn remove_passkey(&self, fresh: &Fresh, id: &str, caller: &Caller) -> Result<(), AccountError> {
        let (user, id) = (fresh.user.id, id.to_owned());
        let removed = self.store.run(move |store| store.remove_credential(user, &id)).await?;
        Ok(self.note(user, What::PasskeyRemoved, Some(removed.name), caller, By::Owner).await?)
    }

    /// Begins to set up an authenticator app. One that is there goes on working until the new one is confirmed.
    pub fn start_totp(&self, fresh: &Fresh) -> Offer {
        let shared = Shared::random();
        let offered = Offered::new(For::Account, fresh.user.id, shared.clone());
        shared.offer(self.offers.put(offered, self.clock.now()), &fresh.user.handle)
    }

    /// Sets the authenticator app up once its first code has come; gives its recovery codes, which are shown this once.
    pub async fn finish_totp(
        &self,
        fresh: &Fresh,
        ceremony: &str,
        code: &str,
        caller: &Caller,
    ) -> Result<Vec<Secret>, AccountError> {
        let user = fresh.user.id;
        let mine = |offered: &Offered| matches!(offered.purpose, For::Account) && offered.user == user;
        let (offered, step) = self.confirm(ceremony, code, mine)?;
        let (totp, codes) = self.vault.confirmed(user, &offered.shared, step, self.now());
        let set = move |factors: &mut Factors| {
            factors.totp = Some(totp.clone());
            Ok::<_, StoreError>(true)
        };
        self.store.run(move |store| store.change_factors(user, set)).await?;
        self.note(user, What::TotpSet, None, caller, By::Owner).await?;
        Ok(codes)
    }

    /// Takes an offer out once a code of its app has come; says whose step it was. A few tries are given.
    pub(super) fn confirm(
        &self,
        ceremony: &str,
        code: &str,
        mine: impl Fn(&Offered) -> bool,
    ) -> Result<(Offered, u64), AccountError> {
        let (clock, now) = (self.clock.now(), self.now());
        let code = Code::parse(code);
        let tried = self.offers.look(ceremony, clock, |offered| {
            if !mine(offered) || offered.tries >= TRIES {
                return Err(AccountError::CeremonyExpired);
            }
            offered.tries += 1;
            let Code::Digits(digits) = &code else { return Err(AccountError::CodeRejected) };
            offered.shared.step(digits, now).ok_or(AccountError::CodeRejected)
        });
        let step = tried.ok_or(AccountError::CeremonyExpired)??;
        let offered = self.offers.take(ceremony, clock).ok_or(AccountError::CeremonyExpired)?;
        Ok((offered, step))
    }

    /// Removes the authenticator app and its recovery codes, unless it is the last way to sign in.
    pub async fn remove_totp(&self, fresh: &Fresh, caller: &Caller) -> Result<(), AccountError> {
        let user = fresh.user.id;
        let remove = |factors: &mut Factors| match factors.totp.take() {
            None => Err(FactorError::Store(StoreError::Missing("authenticator app"))),
            Some(_) if factors.passkeys.is_empty() => Err(FactorError::Last),
            Some(_) => Ok(true),
        };
        self.store.run(move |store| store.change_factors(user, remove)).await?;
        Ok(self.note(user, What::TotpRemoved, None, caller, By::Owner).await?)
    }

    /// Makes new recovery codes, which are shown this once; those before them no longer work.
    pub async fn new_recovery_codes(&self, fresh: &Fresh, caller: &Caller) -> Result<Vec<Secret>, AccountError> {
        let user = fresh.user.id;
        let (recovery, codes) = self.vault.recovery_codes(user);
        let replace = move |factors: &mut Factors| {
            let totp: &mut Totp = factors.totp.as_mut().ok_or(StoreError::Missing("authenticator app"))?;
            totp.recovery.clone_from(&recovery);
            Ok::<_, StoreError>(true)
        };
        self.store.run(move |store| store.change_factors(user, replace)).await?;
        self.note(user, What::RecoveryCodesMade, None, caller, By::Owner).await?;
        Ok(codes)
    }

    /// Begins to prove once more who one is, with a passkey.
    pub fn start_verify(&self, session: &Session) -> Result<Started, AccountError> {
        let known = self.store.credentials_of(session.user.id)?;
        if known.is_empty() {
            return Err(AccountError::Missing("passkey"));
        }
        self.passkeys.start_verify(session.id(), &known, self.clock.now())
    }

    /// Proves once more who one is, with a passkey. Says until when that counts.
    pub async fn finish_verify(
        &self,
        session: &Session,
        ceremony: &str,
        answer: &Value,
        caller: &Caller,
    ) -> Result<u64, AccountError> {
        let known = self.store.credentials_of(session.user.id)?;
        let used = self.passkeys.finish_verify(ceremony, answer, session.id(), known, self.clock.now())?;
        self.used(used).await?;
        self.verified(session, caller).await
    }

    /// Proves once more who one is, with a code.
    pub async fn verify_with_code(&self, session: &Session, code: &str, caller: &Caller) -> Result<u64, AccountError> {
        // Counted by account, wherever they come from: whoever is signed in is not a stranger who locks others out.
        let (now, bucket) = (self.now(), format!("signed in: {}", session.user.id));
        let attempt = self.throttle.admit(&bucket, None, false, now).map_err(|wait| AccountError::TooOften { wait })?;
        let (method, left) = self.spend(session.user.id, Code::parse(code), now).await?;
        self.throttle.forgive(attempt);
        if method == matrixos_store::Method::RecoveryCode {
            let detail = Some(format!("{left} left"));
            self.note(session.user.id, What::RecoveryCodeUsed, detail, caller, By::Owner).await?;
        }
        self.verified(session, caller).await
    }

    /// Stores what the use of a passkey has changed.
    pub(super) async fn used(&self, used: Credential) -> Result<(), StoreError> {
        let now = self.now();
        let (user, id) = (used.user, used.id.clone());
        let change = move |credential: &mut Credential| {
            credential.passkey.clone_from(&used.passkey);
            credential.last_used = Some(now);
        };
        self.store.run(move |store| store.change_credential(user, &id, change)).await.map(drop)
    }
}

fn name_of(text: &str) -> Result<String, AccountError> {
    let name = text.trim();
    let good = (1..=NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
    good.then(|| name.to_owned()).ok_or(AccountError::BadName)
}
