//! The keys that are not in the store: whoever has a copy of the store alone can neither sign in nor read a secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::seconds;
use crate::key_file;

/// A signing key is used for this long, in seconds; then a new one signs, and this one only verifies.
const SIGNS_FOR: u64 = 30 * 24 * 3600;
/// The key that signs and the one before it. Access tokens live an hour, so no older one is needed.
const KEPT: usize = 2;

/// The keys of the accounts, in a folder of their own.
pub struct Keys {
    root: [u8; 32],
    /// The newest first.
    signing: RwLock<Vec<SigningKey>>,
    path: PathBuf,
}

/// A key for access tokens.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SigningKey {
    /// Its name in the tokens' headers.
    pub(super) id: String,
    pub(super) secret: [u8; 32],
    made: u64,
}

impl Keys {
    /// Reads `accounts.key` and `sessions.json` in `folder`, or makes them.
    pub fn load_or_create(folder: &Path, now: SystemTime) -> io::Result<Self> {
        let lost = "then authenticator apps and recovery codes no longer work, and everybody has to sign in once more";
        let root = key_file::load_or_create(&folder.join("accounts.key"), lost)?;
        let path = folder.join("sessions.json");
        let signing = match fs::read(&path) {
            Ok(text) => parse(&path, &text)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        let keys = Self { root, signing: RwLock::new(signing), path };
        keys.rotate(now)?;
        Ok(keys)
    }

    /// Makes a new signing key if the newest is old enough, or there is none. Nobody is signed out by it.
    pub(super) fn rotate(&self, now: SystemTime) -> io::Result<()> {
        let now = seconds(now);
        let mut keys = self.signing().clone();
        if keys.first().is_some_and(|key| now < key.made.saturating_add(SIGNS_FOR)) {
            return Ok(());
        }
        let id = key_file::random()?[..8].iter().map(|b| format!("{b:02x}")).collect();
        keys.insert(0, SigningKey { id, secret: key_file::random()?, made: now });
        keys.truncate(KEPT);
        key_file::write(&self.path, &serde_json::to_vec(&keys)?)?;
        *self.signing_mut() = keys;
        Ok(())
    }

    /// The key that signs.
    pub(super) fn newest(&self) -> SigningKey {
        self.signing().first().cloned().expect("there is one since the keys were loaded")
    }

    /// The key of that name, if it is one of ours.
    pub(super) fn named(&self, id: &str) -> Option<SigningKey> {
        self.signing().iter().find(|key| key.id == id).cloned()
    }

    /// A key for one purpose only.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        mac(&self.root, &[purpose.as_bytes()])
    }

    fn signing(&self) -> RwLockReadGuard<'_, Vec<SigningKey>> {
        self.signing.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn signing_mut(&self) -> RwLockWriteGuard<'_, Vec<SigningKey>> {
        self.signing.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// HMAC-SHA-256 (RFC 2104) over parts, each with its length, so that no two lists of parts look the same.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn parse(path: &Path, text: &[u8]) -> io::Result<Vec<SigningKey>> {
    serde_json::from_slice(text).map_err(|error| {
        let why = format!(
            "{} is damaged ({error}); restore it from a backup, or delete it: people are then signed in anew by their browsers",
            path.display()
        );
        io::Error::new(io::ErrorKind::InvalidData, why)
    })
}
