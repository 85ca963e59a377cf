//! The secrets that a container and the platform share: derived, so that they need not be stored and are known again
//! after a restart.

use std::io;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use matrixos_runtime::protocol::Token;
use matrixos_types::ContainerId;
use sha2::Sha256;

use crate::key_file;

/// The installation's key from which all gateway tokens are derived (HMAC-SHA-256, RFC 2104).
pub struct GatewayKey([u8; 32]);

impl GatewayKey {
    /// Reads the key from `path`, or makes it there (mode 0600, flushed) if the file does not exist.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        key_file::load_or_create(path, "then every computer has to be restarted").map(Self)
    }

    /// The token that one container's gateway demands: 64 hexadecimal digits.
    pub fn token(&self, container: &ContainerId) -> Token {
        self.derive(b"gateway token, version 1\0", container)
    }

    /// What one container shows at the platform's door for computers: 64 hexadecimal digits.
    pub fn credential(&self, container: &ContainerId) -> Token {
        self.derive(b"container credential, version 1\0", container)
    }

    fn derive(&self, purpose: &[u8], container: &ContainerId) -> Token {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose);
        mac.update(container.as_str().as_bytes());
        Token(mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_token_is_the_same_after_a_restart_and_differs_between_containers() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gateway.key");
        let (a, b) = (ContainerId::random(), ContainerId::random());
        let first = GatewayKey::load_or_create(&path).expect("made").token(&a);
        let again = GatewayKey::load_or_create(&path).expect("read");
        assert_eq!(first, again.token(&a));
        assert_ne!(first, again.token(&b));
        assert_ne!(first, again.credential(&a), "who knows one does not know the other");
        assert_ne!(again.credential(&a), again.credential(&b));
        assert_eq!(first.0.len(), 64);
    }

    #[test]
    fn a_damaged_key_file_is_refused_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gateway.key");
        fs::write(&path, b"short").expect("written");
        assert!(GatewayKey::load_or_create(&path).is_err());
        assert_eq!(fs::read(&path).expect("still there"), b"short");
    }
}
