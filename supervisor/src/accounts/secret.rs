//! Random secrets that are handed out once and kept only as hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use matrixos_store::TokenHash;
use sha2::{Digest, Sha256};

/// A text that opens something. Does not show itself in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A fresh one: 256 random bits in base64url (43 characters). Without randomness from the kernel nothing here could be safe, so then the process ends.
    pub(super) fn random() -> Self {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).expect("the kernel gives random bytes");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// One that was made elsewhere.
    pub(super) fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The text to hand out.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a token.
pub(super) fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token).into())
}
