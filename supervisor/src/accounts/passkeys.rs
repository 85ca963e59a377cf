//! Passkey ceremonies (WebAuthn Level 3, sections 7.1 and 7.2): discoverable credentials, user verification required,
//! exactly one origin. The state between the two halves never leaves this process and works once.

use std::time::{Duration, SystemTime};

use matrixos_store::{Credential, User};
use matrixos_types::{Handle, SessionId, UserId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use webauthn_rs::prelude::{
    CreationChallengeResponse, DiscoverableAuthentication, Passkey, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::error::AccountError;
use super::pending::Pending;
use super::secret::Secret;
use crate::seal::from_hex;

const LIFETIME: Duration = Duration::from_secs(5 * 60);
const AT_ONCE: usize = 10_000;

/// A ceremony that has begun: its secret, and the options for the browser.
#[derive(Debug)]
pub struct Started {
    /// To be sent back with the authenticator's answer.
    pub ceremony: Secret,
    /// `publicKey` of the credential request (JSON form of WebAuthn Level 3).
    pub options: Value,
}

enum Ceremony {
    SignUp {
        handle: Handle,
        user: UserId,
        state: PasskeyRegistration,
    },
    Login {
        state: DiscoverableAuthentication,
    },
    /// One more passkey for an account.
    Add {
        user: UserId,
        state: PasskeyRegistration,
    },
    /// Somebody who is signed in proves once more who they are.
    Verify {
        session: SessionId,
        state: PasskeyAuthentication,
    },
}

/// A new passkey and whose it will be.
pub(super) struct Registered {
    pub(super) handle: Handle,
    pub(super) user: UserId,
    pub(super) credential: String,
    pub(super) passkey: Value,
}

pub(super) struct Passkeys {
    webauthn: Webauthn,
    pending: Pending<Ceremony>,
}

impl Passkeys {
    pub(super) fn new(origin: &Url) -> Result<Self, webauthn_rs::prelude::WebauthnError> {
        let domain = origin.domain().unwrap_or_default();
        // Chromium lets a page on a sibling subdomain use this RP id; only the comparison of the origin refuses it.
        let webauthn = WebauthnBuilder::new(domain, origin)?
            .rp_name("Matrix OS")
            .allow_subdomains(false)
            .allow_any_port(false)
            .build()?;
        Ok(Self { webauthn, pending: Pending::new(LIFETIME, AT_ONCE) })
    }

    fn keep(&self, ceremony: Ceremony, options: Value, now: SystemTime) -> Started {
        Started { ceremony: self.pending.put(ceremony, now), options }
    }

    pub(super) fn start_sign_up(&self, handle: Handle, now: SystemTime) -> Result<Started, AccountError> {
        let user = UserId::random();
        let begun = self.webauthn.start_passkey_registration(user.0, handle.as_str(), handle.as_str(), None);
        let (challenge, state) = begun.map_err(AccountError::rejected)?;
        Ok(self.keep(Ceremony::SignUp { handle, user, state }, discoverable(&challenge), now))
    }

    /// Begins one more registration; an authenticator that has one of `known` already says so.
    pub(super) fn start_add(
        &self,
        user: &User,
        known: &[Credential],
        now: SystemTime,
    ) -> Result<Started, AccountError> {
        let exclude = known.iter().filter_map(|c| from_hex(&c.id)).collect();
        let name = user.handle.as_str();
        let begun = self.webauthn.start_passkey_registration(user.id.0, name, name, Some(exclude));
        let (challenge, state) = begun.map_err(AccountError::rejected)?;
        Ok(self.keep(Ceremony::Add { user: user.id, state }, discoverable(&challenge), now))
    }

    /// Ends a registration for `user`; gives the new passkey and its id.
    pub(super) fn finish_add(
        &self,
        ceremony: &str,
        answer: &Value,
        user: UserId,
        now: SystemTime,
    ) -> Result<(String, Value), AccountError> {
        match self.pending.take(ceremony, now) {
            Some(Ceremony::Add { user: of, state }) if of == user => self.registered(answer, &state),
            _ => Err(AccountError::CeremonyExpired),
        }
    }

    /// Begins a proof with one of `known`, for one session.
    pub(super) fn start_verify(
        &self,
        session: SessionId,
        known: &[Credential],
        now: SystemTime,
    ) -> Result<Started, AccountError> {
        let passkeys: Vec<Passkey> = known.iter().map(passkey).collect::<Result<_, _>>()?;
        let begun = self.webauthn.start_passkey_authentication(&passkeys);
        let (challenge, state) = begun.map_err(AccountError::rejected)?;
        Ok(self.keep(Ceremony::Verify { session, state }, json(&challenge.public_key), now))
    }

    /// Ends a proof. Gives the passkey as it has to be stored, chosen from `known`.
    pub(super) fn finish_verify(
        &self,
        ceremony: &str,
        answer: &Value,
        session: SessionId,
        known: Vec<Credential>,
        now: SystemTime,
    ) -> Result<Credential, AccountError> {
        let state = match self.pending.take(ceremony, now) {
            Some(Ceremony::Verify { session: of, state }) if of == session => state,
            _ => return Err(AccountError::CeremonyExpired),
        };
        let answer: PublicKeyCredential = parse(answer)?;
        let result = self.webauthn.finish_passkey_authentication(&answer, &state).map_err(AccountError::rejected)?;
        let id = hex(result.cred_id());
        let mut credential = known.into_iter().find(|c| c.id == id).ok_or(AccountError::UnknownPasskey)?;
        let mut used = passkey(&credential)?;
        used.update_credential(&result);
        credential.passkey = json(&used);
        Ok(credential)
    }

    fn registered(&self, answer: &Value, state: &PasskeyRegistration) -> Result<(String, Value), AccountError> {
        let answer: RegisterPublicKeyCredential = parse(answer)?;
        let passkey = self.webauthn.finish_passkey_registration(&answer, state).map_err(AccountError::rejected)?;
        Ok((hex(passkey.cred_id()), json(&passkey)))
    }

    pub(super) fn finish_sign_up(
        &self,
        ceremony: &str,
        answer: &Value,
        now: SystemTime,
    ) -> Result<Registered, AccountError> {
        let Some(Ceremony::SignUp { handle, user, state }) = self.pending.take(ceremony, now) else {
            return Err(AccountError::CeremonyExpired);
        };
        let (credential, passkey) = self.registered(answer, &state)?;
        Ok(Registered { handle, user, credential, passkey })
    }

    pub(super) fn start_login(&self, now: SystemTime) -> Result<Started, AccountError> {
        let (challenge, state) = self.webauthn.start_discoverable_authentication().map_err(AccountError::rejected)?;
        let options = json(&challenge.public_key);
        Ok(self.keep(Ceremony::Login { state }, options, now))
    }

    /// Verifies a login. `find` looks up the credential by its id in hexadecimal; the one that is returned has the new
    /// counter and has to be stored.
    pub(super) fn finish_login(
        &self,
        ceremony: &str,
        answer: &Value,
        now: SystemTime,
        find: impl FnOnce(&str) -> Result<Option<Credential>, AccountError>,
    ) -> Result<Credential, AccountError> {
        let Some(Ceremony::Login { state }) = self.pending.take(ceremony, now) else {
            return Err(AccountError::CeremonyExpired);
        };
        let answer: PublicKeyCredential = parse(answer)?;
        let (user, id) = self.webauthn.identify_discoverable_authentication(&answer).map_err(AccountError::rejected)?;
        let mut credential = find(&hex(id))?.ok_or(AccountError::UnknownPasskey)?;
        if credential.user != UserId(user) {
            return Err(AccountError::rejected("the passkey belongs to another account"));
        }
        let mut passkey = passkey(&credential)?;
        // Checks challenge, origin, signature, user verification and that the counter has grown.
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(&answer, state, &passkey)
            .map_err(AccountError::rejected)?;
        passkey.update_credential(&result);
        credential.passkey = json(&passkey);
        Ok(credential)
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("WebAuthn's types are JSON")
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, AccountError> {
    T::deserialize(value).map_err(AccountError::rejected)
}

/// Signing in without typing a handle needs a credential that the authenticator itself can find.
fn discoverable(challenge: &CreationChallengeResponse) -> Value {
    let mut options = json(&challenge.public_key);
    options["authenticatorSelection"]["residentKey"] = "required".into();
    options["authenticatorSelection"]["requireResidentKey"] = true.into();
    options
}

fn passkey(credential: &Credential) -> Result<Passkey, AccountError> {
    Passkey::deserialize(&credential.passkey).map_err(AccountError::rejected)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
