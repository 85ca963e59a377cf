//! A person's device with passkeys, in software: makes and uses real credentials without a browser.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use webauthn_authenticator_rs::AuthenticatorBackend;
use webauthn_authenticator_rs::softpasskey::SoftPasskey;
use webauthn_rs_proto::{PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions};

/// Milliseconds.
const TIMEOUT: u32 = 60_000;

/// One device. Its browser does not compare the page's origin with the relying party, as a hostile one would not. It remembers what it registered, so that it can sign in without being told a name.
pub struct Device {
    origin: Url,
    inner: SoftPasskey,
    /// Credential id in base64url, and the user handle that belongs to it.
    known: Vec<(String, String)>,
}

impl Device {
    /// A device whose browser shows pages of `origin`.
    pub fn at(origin: &str) -> Self {
        let origin = Url::parse(origin).expect("an origin");
        Self { origin, inner: SoftPasskey::new(true), known: Vec::new() }
    }

    /// The same device with its browser on another page.
    pub fn goes_to(&mut self, origin: &str) {
        self.origin = Url::parse(origin).expect("an origin");
    }

    /// Makes a passkey for these creation options (`publicKey`). `None` if the browser refuses.
    pub fn register(&mut self, options: &Value) -> Option<Value> {
        let mut options = options.clone();
        let user = options["user"]["id"].as_str()?.to_owned();
        // The software authenticator keeps no discoverable credentials; this device's own memory stands in for that.
        options["authenticatorSelection"]["residentKey"] = json!("discouraged");
        options["authenticatorSelection"]["requireResidentKey"] = json!(false);
        let options: PublicKeyCredentialCreationOptions = serde_json::from_value(options).ok()?;
        let answer = self.inner.perform_register(self.origin.clone(), options, TIMEOUT).ok()?;
        let answer = serde_json::to_value(answer).ok()?;
        self.known.push((answer["id"].as_str()?.to_owned(), user));
        Some(answer)
    }

    /// Uses the newest passkey for these request options (`publicKey`). `None` if the browser refuses.
    pub fn sign_in(&mut self, options: &Value) -> Option<Value> {
        let (id, user) = self.known.last()?.clone();
        let mut options = options.clone();
        options["allowCredentials"] = json!([{ "type": "public-key", "id": id }]);
        let options: PublicKeyCredentialRequestOptions = serde_json::from_value(options).ok()?;
        let answer = self.inner.perform_auth(self.origin.clone(), options, TIMEOUT).ok()?;
        let mut answer = serde_json::to_value(answer).ok()?;
        answer["response"]["userHandle"] = json!(user);
        Some(answer)
    }
}

/// The user handle of a user id, as authenticators return it.
pub fn user_handle(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}
