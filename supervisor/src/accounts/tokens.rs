//! The two texts a browser holds: an access token, signed and short-lived, and a refresh token, kept as a hash.

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use matrixos_store::{Session, TokenHash, User};
use matrixos_types::{ContainerId, Handle, SessionId, UserId};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::keys::{Keys, mac};
use super::secret::{Secret, hash};
use super::{ACCESS, hs256};

/// No access token of ours is longer, in bytes.
const LONGEST: usize = 2_048;
/// How far a token may come from the future, in seconds: the clock may have been set back.
const AHEAD: u64 = 60;

/// Where a token is good: nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// The platform's own host.
    Platform,
    /// The computer of that handle.
    Computer(Handle),
}

/// What a signed-in browser gets, as cookies.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Good for an hour.
    pub access: Secret,
    /// Good once, for seven days. None if the browser has a newer one already.
    pub refresh: Option<Secret>,
}

/// What an access token says (RFC 7519). Every field must be there, and of its type.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    pub(super) sub: UserId,
    handle: Handle,
    /// Stays the same when the container is made anew.
    container: ContainerId,
    pub(super) sid: SessionId,
    iat: u64,
    exp: u64,
}

/// A refresh token that is one of ours, whether or not it is still good.
pub(super) struct Known {
    pub(super) session: SessionId,
    pub(super) hash: TokenHash,
}

/// Makes tokens and reads them.
pub(super) struct Mint {
    keys: Arc<Keys>,
    /// Says that a refresh token was made here, so that a guess is told from one that was used before.
    tag: [u8; 32],
    /// The platform's origin.
    issuer: String,
}

impl Mint {
    pub(super) fn new(keys: Arc<Keys>, issuer: String) -> Self {
        hs256::install();
        let tag = keys.derive("refresh tokens");
        Self { keys, tag, issuer }
    }

    fn audience(&self, door: &Door) -> String {
        match door {
            Door::Platform => self.issuer.clone(),
            Door::Computer(handle) => format!("{}/@{handle}", self.issuer),
        }
    }

    /// An access token for a session.
    pub(super) fn access(&self, user: &User, session: &Session, now: u64) -> Secret {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience(&Door::of(session)),
            sub: user.id,
            handle: user.handle.clone(),
            container: user.container.clone(),
            sid: session.id,
            iat: now,
            exp: now + ACCESS.as_secs(),
        };
        let key = self.keys.newest();
        let header = Header { kid: Some(key.id), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key.secret));
        Secret::from_text(token.expect("claims are plain data, and the algorithm is ours"))
    }

    /// What an access token says, if it is ours, for this door, and not too old. `kid` only chooses among our keys.
    pub(super) fn read(&self, token: &str, door: &Door, now: u64) -> Option<Claims> {
        static VALIDATION: LazyLock<Validation> = LazyLock::new(|| {
            let mut validation = Validation::new(Algorithm::HS256);
            // Both are compared below, with the clock that was passed in and the door that was asked at.
            (validation.validate_exp, validation.validate_aud) = (false, false);
            validation
        });
        if token.len() > LONGEST {
            return None;
        }
        let key = self.keys.named(&jsonwebtoken::decode_header(token).ok()?.kid?)?;
        let decoded = jsonwebtoken::decode(token, &DecodingKey::from_secret(&key.secret), &VALIDATION);
        let claims: Claims = decoded.ok()?.claims;
        let ours = claims.iss == self.issuer && claims.aud == self.audience(door);
        (ours && now < claims.exp && claims.iat <= now + AHEAD).then_some(claims)
    }

    /// A fresh refresh token for a session, and what is kept of it: `v1.{session}.{secret}.{tag}`.
    pub(super) fn refresh(&self, session: SessionId) -> (Secret, TokenHash) {
        let body = format!("v1.{session}.{}", Secret::random().expose());
        let text = format!("{body}.{}", self.tag_of(&body));
        let hash = hash(&text);
        (Secret::from_text(text), hash)
    }

    /// Reads a refresh token. `None` if it was not made here.
    pub(super) fn known(&self, text: &str) -> Option<Known> {
        let (body, tag) = text.rsplit_once('.')?;
        if !bool::from(self.tag_of(body).as_bytes().ct_eq(tag.as_bytes())) {
            return None;
        }
        let (session, _) = body.strip_prefix("v1.")?.split_once('.')?;
        Some(Known { session: SessionId::parse(session).ok()?, hash: hash(text) })
    }

    fn tag_of(&self, body: &str) -> String {
        URL_SAFE_NO_PAD.encode(&mac(&self.tag, &[body.as_bytes()])[..16])
    }
}

impl Door {
    /// Where a session is good.
    pub(super) fn of(session: &Session) -> Self {
        match &session.scope {
            matrixos_store::SessionScope::Platform => Self::Platform,
            matrixos_store::SessionScope::Computer { handle, .. } => Self::Computer(handle.clone()),
        }
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
