//! Passkey ceremonies (WebAuthn Level 3, sections 7.1 and 7.2): discoverable credentials, user verification required,
//! exactly one origin. The state between the two halves never leaves this process and works once.

use std::time::{Duration, SystemTime};

use matrixos_store::Credential;
use matrixos_types::{Handle, UserId};
use serde_json::Value;
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::error::AccountError;
use super::pending::Pending;
use super::secret::Secret;

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
    SignUp { handle: Handle, user: UserId, state: PasskeyRegistration },
    Login { state: DiscoverableAuthentication },
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

    fn keep(&self, ceremony: Ceremony, options: Value, now: SystemTime) -> Result<Started, AccountError> {
        let busy = AccountError::Busy("Too many people are signing in right now. Please try again in a minute.");
        let ceremony = self.pending.put(ceremony, now).ok_or(busy)?;
        Ok(Started { ceremony, options })
    }

    pub(super) fn start_sign_up(&self, handle: Handle, now: SystemTime) -> Result<Started, AccountError> {
        let user = UserId::random();
        let begun = self.webauthn.start_passkey_registration(user.0, handle.as_str(), handle.as_str(), None);
        let (challenge, state) = begun.map_err(|_| AccountError::Rejected)?;
        let mut options = json(&challenge.public_key);
        // Signing in without typing a handle needs a credential that the authenticator itself can find.
        options["authenticatorSelection"]["residentKey"] = "required".into();
        options["authenticatorSelection"]["requireResidentKey"] = true.into();
        self.keep(Ceremony::SignUp { handle, user, state }, options, now)
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
        let answer: RegisterPublicKeyCredential = parse(answer)?;
        let passkey = self.webauthn.finish_passkey_registration(&answer, &state).map_err(|_| AccountError::Rejected)?;
        Ok(Registered { handle, user, credential: hex(passkey.cred_id()), passkey: json(&passkey) })
    }

    pub(super) fn start_login(&self, now: SystemTime) -> Result<Started, AccountError> {
        let (challenge, state) =
            self.webauthn.start_discoverable_authentication().map_err(|_| AccountError::Rejected)?;
        let options = json(&challenge.public_key);
        self.keep(Ceremony::Login { state }, options, now)
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
        let (user, id) =
            self.webauthn.identify_discoverable_authentication(&answer).map_err(|_| AccountError::Rejected)?;
        let mut credential = find(&hex(id))?.ok_or(AccountError::UnknownPasskey)?;
        if credential.user != UserId(user) {
            return Err(AccountError::Rejected);
        }
        let mut passkey: Passkey =
            serde_json::from_value(credential.passkey.clone()).map_err(|_| AccountError::Rejected)?;
        // Checks challenge, origin, signature, user verification and that the counter has grown.
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(&answer, state, &passkey)
            .map_err(|_| AccountError::Rejected)?;
        passkey.update_credential(&result);
        credential.passkey = json(&passkey);
        Ok(credential)
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("WebAuthn's types are JSON")
}

fn parse<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, AccountError> {
    T::deserialize(value).map_err(|_| AccountError::Rejected)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
