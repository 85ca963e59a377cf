//! The ways in: sign-up and login, with a passkey or with codes.

use matrixos_store::{
    By, Caller, CreateError, Event, Factors, FirstFactor, Method, NewAccount, SessionScope, StoreError, User, What,
};
use matrixos_types::{Handle, UserId};
use serde_json::Value;

use super::Accounts;
use super::error::AccountError;
use super::factors::{For, Offered};
use super::handles::{self, Availability};
use super::passkeys::Started;
use super::secret::Secret;
use super::throttle::network;
use super::tokens::Tokens;
use super::totp::{Code, NOBODY, Offer, Shared, spend};

/// Somebody who has come in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Who.
    pub user: User,
    /// For their browser.
    pub tokens: Tokens,
    /// New recovery codes; shown this once.
    pub recovery_codes: Vec<Secret>,
    /// How many recovery codes are left, if one was used.
    pub recovery_codes_left: Option<usize>,
}

impl Accounts {
    /// Begins a sign-up. The handle is not held: whoever finishes first has it.
    pub fn start_sign_up(&self, text: &str) -> Result<Started, AccountError> {
        self.passkeys.start_sign_up(self.available(text)?, self.clock.now())
    }

    /// Makes the account and signs its browser in.
    pub async fn finish_sign_up(
        &self,
        ceremony: &str,
        answer: &Value,
        feed: bool,
        caller: &Caller,
    ) -> Result<Arrival, AccountError> {
        let new = self.passkeys.finish_sign_up(ceremony, answer, self.clock.now())?;
        let factor = FirstFactor::Passkey { id: new.credential, passkey: new.passkey };
        let user = self.create(new.user, new.handle, feed, factor).await?;
        self.arrive(user, Method::Passkey, caller, What::SignedUp).await
    }

    /// Begins a sign-up with an authenticator app.
    pub fn start_totp_sign_up(&self, text: &str) -> Result<Offer, AccountError> {
        let handle = self.available(text)?;
        let shared = Shared::random();
        let offered = Offered::new(For::SignUp(handle.clone()), UserId::random(), shared.clone());
        Ok(shared.offer(self.offers.put(offered, self.clock.now()), &handle))
    }

    /// Makes the account once the app's first code has come, and signs its browser in.
    pub async fn finish_totp_sign_up(
        &self,
        ceremony: &str,
        code: &str,
        feed: bool,
        caller: &Caller,
    ) -> Result<Arrival, AccountError> {
        let (offered, step) = self.confirm(ceremony, code, |offered| matches!(offered.purpose, For::SignUp(_)))?;
        let For::SignUp(handle) = offered.purpose else { return Err(AccountError::CeremonyExpired) };
        let (totp, codes) = self.vault.confirmed(offered.user, &offered.shared, step, self.now());
        let user = self.create(offered.user, handle, feed, FirstFactor::Totp(totp)).await?;
        let arrival = self.arrive(user, Method::Totp, caller, What::SignedUp).await?;
        Ok(Arrival { recovery_codes: codes, ..arrival })
    }

    /// Begins a login; the person's device knows which passkeys fit.
    pub fn start_login(&self) -> Result<Started, AccountError> {
        self.passkeys.start_login(self.clock.now())
    }

    /// Signs a browser in.
    pub async fn finish_login(&self, ceremony: &str, answer: &Value, caller: &Caller) -> Result<Arrival, AccountError> {
        let find = |id: &str| Ok(self.store.credential(id)?);
        let credential = self.passkeys.finish_login(ceremony, answer, self.clock.now(), find)?;
        let user = self.store.user(credential.user)?.ok_or(AccountError::UnknownPasskey)?;
        self.used(credential).await?;
        self.arrive(user, Method::Passkey, caller, What::SignedIn).await
    }

    /// Signs a browser in with a handle and a code. Whoever asks learns nothing about handles: neither from the answer
    /// nor from how long it takes.
    pub async fn login_with_code(&self, handle: &str, code: &str, caller: &Caller) -> Result<Arrival, AccountError> {
        let (now, code) = (self.now(), Code::parse(code));
        let user = Handle::parse(handle).ok().map(|handle| self.store.user_by_handle(&handle)).transpose()?.flatten();
        let id = user.as_ref().map_or(NOBODY, |user| user.id);
        let shared = matches!(code, Code::Digits(_)) && !self.is_known(id, caller);
        let attempt = self.throttle.admit(handle, caller.address, shared, now);
        let attempt = attempt.map_err(|wait| AccountError::TooOften { wait })?;
        match self.spend(id, code, now).await {
            Ok((method, left)) => {
                self.throttle.forgive(attempt);
                let user = user.ok_or(AccountError::SignInRejected)?;
                self.arrive_by_code(user, method, left, caller).await
            }
            Err(AccountError::CodeRejected) => {
                self.note_refusal(user.as_ref(), caller);
                Err(AccountError::SignInRejected)
            }
            Err(other) => Err(other),
        }
    }

    async fn arrive_by_code(
        &self,
        user: User,
        method: Method,
        left: usize,
        caller: &Caller,
    ) -> Result<Arrival, AccountError> {
        if method != Method::RecoveryCode {
            return self.arrive(user, method, caller, What::SignedIn).await;
        }
        self.note(user.id, What::RecoveryCodeUsed, Some(format!("{left} left")), caller, By::Owner).await?;
        let arrival = self.arrive(user, method, caller, What::SignedIn).await?;
        Ok(Arrival { recovery_codes_left: Some(left), ..arrival })
    }

    /// Uses a code of an account up. Says what it was, and how many recovery codes are left.
    pub(super) async fn spend(&self, user: UserId, code: Code, now: u64) -> Result<(Method, usize), AccountError> {
        let factors = self.store.factors(user)?;
        let totp = factors.as_ref().and_then(|f| f.totp.as_ref());
        // Looked at first without the lock and the disk, which a wrong code must not reach.
        if self.vault.fit(user, totp, &code, now).is_none() {
            return Err(AccountError::CodeRejected);
        }
        let method = if matches!(code, Code::Recovery(_)) { Method::RecoveryCode } else { Method::Totp };
        let vault = self.vault.clone();
        let use_up = move |factors: &mut Factors| {
            let fit = vault.fit(user, factors.totp.as_ref(), &code, now);
            let (Some(fit), Some(totp)) = (fit, factors.totp.as_mut()) else { return Err(AccountError::CodeRejected) };
            spend(totp, fit, now);
            Ok(true)
        };
        let factors = self.store.run(move |store| store.change_factors(user, use_up)).await?;
        Ok((method, factors.totp.map_or(0, |totp| totp.unused())))
    }

    /// Whether the owner was seen near that address: then strangers' guesses elsewhere do not count.
    fn is_known(&self, user: UserId, caller: &Caller) -> bool {
        let near = |address| self.store.addresses_of(user).into_iter().any(|known| network(known) == network(address));
        caller.address.is_some_and(near)
    }

    /// Not waited for: writing takes time, and there is something to write only if the account exists.
    fn note_refusal(&self, user: Option<&User>, caller: &Caller) {
        let event = user.map(|user| Event {
            number: 0,
            user: user.id,
            at: self.now(),
            what: What::SignInRefused,
            detail: None,
            caller: caller.clone(),
            by: By::Stranger,
        });
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || match event.map(|event| store.note(event)) {
            // The account is gone, or there was none.
            None | Some(Ok(()) | Err(StoreError::Missing(_))) => {}
            Some(Err(error)) => tracing::warn!(%error, "a refused sign-in could not be written down"),
        });
    }

    fn available(&self, text: &str) -> Result<Handle, AccountError> {
        match self.availability(text)? {
            Availability::Available(handle) => Ok(handle),
            Availability::Unavailable(suggestions) => Err(AccountError::Unavailable(suggestions)),
            Availability::Malformed(error) => Err(error.into()),
        }
    }

    async fn create(&self, id: UserId, handle: Handle, feed: bool, factor: FirstFactor) -> Result<User, AccountError> {
        let account = NewAccount { id, handle: handle.clone(), created: self.now(), feed, factor };
        match self.store.run(move |store| store.create_account(&account)).await {
            Ok(user) => Ok(user),
            Err(CreateError::HandleTaken) => {
                Err(AccountError::Unavailable(handles::suggestions(&self.store, &handle)?))
            }
            Err(CreateError::CredentialKnown) => Err(AccountError::KnownPasskey),
            Err(CreateError::Full) => Err(AccountError::Busy("This machine has no room for another computer.")),
            Err(CreateError::Store(error)) => Err(error.into()),
        }
    }

    async fn arrive(&self, user: User, method: Method, caller: &Caller, what: What) -> Result<Arrival, AccountError> {
        let tokens = self.begin(&user, SessionScope::Platform, method, caller).await?;
        self.note(user.id, what, None, caller, By::Owner).await?;
        Ok(Arrival { user, tokens, recovery_codes: Vec::new(), recovery_codes_left: None })
    }
}
