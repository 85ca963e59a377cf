//! Secrets at rest: sealed with a key that is not in the store, and bound to the account whose they are.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use matrixos_types::UserId;

const NONCE: usize = 12;

/// Seals and opens secrets of one kind: AES-256-GCM under a random nonce.
pub(crate) struct Seal(Aes256Gcm);

impl Seal {
    /// With a key for this purpose only.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(Aes256Gcm::new(&key.into()))
    }

    /// Nonce and sealed secret, in hexadecimal.
    pub(crate) fn seal(&self, user: UserId, secret: &[u8]) -> String {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).expect("the kernel gives random bytes");
        let payload = Payload { msg: secret, aad: user.0.as_bytes() };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload).expect("a short secret can be sealed");
        nonce.iter().chain(&sealed).map(|b| format!("{b:02x}")).collect()
    }

    /// The secret, if it was sealed for this account with this key and has not been changed.
    pub(crate) fn open(&self, user: UserId, sealed: &str) -> Option<Vec<u8>> {
        let bytes = from_hex(sealed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: user.0.as_bytes() };
        self.0.decrypt(&Nonce::from(*nonce), payload).ok()
    }
}

/// Bytes from hexadecimal text.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then_some(())?;
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
