//! The way from the platform's host to a computer's: a code that works once, soon, for one computer, and only in the
//! browser that asked for it. Were it good in any, somebody could send it to others, who would then use a stranger's
//! computer as if it were theirs.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use matrixos_store::{Caller, SessionScope, StoreError};
use matrixos_types::{Handle, SessionId};
use subtle::ConstantTimeEq;

use super::evidence::Session;
use super::pending::Pending;
use super::secret::{Secret, hash};
use super::{Accounts, Tokens};

const LIFETIME: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 10_000;

/// Permission to open one computer.
pub(super) struct Permission {
    handle: Handle,
    parent: SessionId,
    /// What the browser showed when it asked: [`state_of`] its own secret.
    state: String,
}

pub(super) fn permissions() -> Pending<Permission> {
    Pending::new(LIFETIME, AT_ONCE)
}

impl Accounts {
    /// A secret for a browser that wants to open a computer, to be kept by it at the computer's host.
    pub fn entry_nonce(&self) -> Secret {
        Secret::random()
    }

    /// What the browser shows of its secret at the platform's host.
    pub fn entry_state(&self, nonce: &str) -> String {
        URL_SAFE_NO_PAD.encode(hash(nonce).0)
    }

    /// A code with which the owner's browser proves itself to their computer's host: once, within a minute.
    pub fn entry_code(&self, session: &Session, state: &str) -> Secret {
        let permission =
            Permission { handle: session.user.handle.clone(), parent: session.id(), state: state.to_owned() };
        self.entries.put(permission, self.clock.now())
    }

    /// Turns an entry code into a session on the host of `handle`. `None` if the code does not hold.
    pub async fn redeem(
        &self,
        code: &str,
        nonce: &str,
        handle: &Handle,
        caller: &Caller,
    ) -> Result<Option<Tokens>, StoreError> {
        let Some(permission) = self.entries.take(code, self.clock.now()) else { return Ok(None) };
        let same = permission.state.as_bytes().ct_eq(self.entry_state(nonce).as_bytes());
        if permission.handle != *handle || !bool::from(same) {
            return Ok(None);
        }
        // The platform session may have ended since.
        let found = self.store.session(permission.parent)?.filter(|s| self.now() < s.expires);
        let Some(parent) = found else { return Ok(None) };
        let Some(user) = self.store.user(parent.user)? else { return Ok(None) };
        let scope = SessionScope::Computer { handle: permission.handle, parent: parent.id };
        match self.begin(&user, scope, parent.method, caller).await {
            // Ended between the look and the writing.
            Err(StoreError::Missing(_)) => Ok(None),
            begun => begun.map(Some),
        }
    }
}
