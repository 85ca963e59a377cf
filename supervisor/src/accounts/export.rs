//! What the platform itself knows of an account, for its owner to take along: everything but secrets and their hashes.

use std::time::SystemTime;

use matrixos_store::{By, Caller, Credential, EVENTS, EVENTS_BY_STRANGERS, Event, Session, StoreError, User, What};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Accounts, Fresh, evidence};

impl Accounts {
    /// Everything about an account. For whoever has proved that it is theirs, and for the operator.
    pub fn record(&self, user: &User) -> Result<Value, StoreError> {
        let now = self.now();
        let totp = self.store.factors(user.id)?.and_then(|factors| factors.totp);
        let sessions = self.store.platform_sessions(user.id)?;
        let events = self.store.events_of(user.id, u64::MAX, EVENTS + EVENTS_BY_STRANGERS)?;
        Ok(json!({
            "about": "Everything this platform knows about the account. Times are seconds since 1970.",
            "written": now,
            "handle": user.handle,
            "created": user.created,
            "publicFeed": user.feed,
            "administrator": user.admin,
            "deletion": user.deletion,
            "passkeys": self.store.credentials_of(user.id)?.iter().map(passkey).collect::<Value>(),
            "authenticatorApp": totp.as_ref().map(|totp| json!({ "since": totp.since })),
            "recoveryCodes": totp.as_ref().map(|totp| json!({ "left": totp.unused(), "of": totp.recovery.len() })),
            "ownKey": self.own_key_since(user.id)?.map(|since| json!({ "since": since })),
            "sessions": sessions.iter().filter(|session| now < session.expires).map(session).collect::<Value>(),
            "events": events.iter().map(event).collect::<Value>(),
        }))
    }

    /// What time it is, for names of files.
    pub fn time(&self) -> SystemTime {
        self.clock.now()
    }

    /// Writes down that the owner downloads everything, and gives the signal of the session's end: the download ends then,
    /// too.
    pub async fn note_export(&self, fresh: &Fresh, caller: &Caller) -> Result<CancellationToken, StoreError> {
        let session: &evidence::Session = fresh;
        // Before looking whether it lives, so that an end in between is not missed.
        let until = self.ends.of(session.id());
        if !self.store.is_living(session.user.id, session.id(), self.now()) {
            self.ends.end(&[session.id()]);
        }
        self.note(session.user.id, What::DataExported, None, caller, By::Owner).await?;
        Ok(until)
    }
}

fn passkey(Credential { id, name, created, last_used, .. }: &Credential) -> Value {
    json!({ "id": id, "name": name, "created": created, "lastUsed": last_used })
}

fn session(session: &Session) -> Value {
    json!({
        "created": session.created,
        "lastUsed": session.last_used,
        "expires": session.expires,
        "method": session.method,
        "browser": session.caller.browser,
        "address": session.caller.address,
    })
}

fn event(event: &Event) -> Value {
    json!({
        "at": event.at,
        "what": event.what,
        "detail": event.detail,
        "browser": event.caller.browser,
        "address": event.caller.address,
        "by": event.by,
    })
}
