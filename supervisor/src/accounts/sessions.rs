//! Sessions: begun at a sign-in, renewed by whoever holds the latest token, listed, and ended at once.

use matrixos_store::{self as records, By, Caller, Fate, Method, Refresh, SessionScope, StoreError, User, What};
use matrixos_types::{Handle, SessionId, UserId};

use super::evidence::{Session, Visit};
use super::refresh::{Use, present};
use super::tokens::{Door, Known, Tokens};
use super::{ACCESS, AccountError, Accounts, SESSION, SESSION_AT_MOST, fits};

/// What a browser shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presented<'a> {
    /// The access token.
    pub access: Option<&'a str>,
    /// The refresh token.
    pub refresh: Option<&'a str>,
}

/// A request that was let in.
#[derive(Clone, Debug)]
pub struct Admitted<T> {
    /// As whom.
    pub as_: T,
    /// What its browser has to hold from now on, if that is something new.
    pub renewed: Option<Tokens>,
}

/// What looking at a session for its renewal came to.
enum Renewal {
    Renewed(Box<records::Session>, bool),
    Refused,
    Reused(Box<records::Session>),
}

impl Accounts {
    /// Lets a request to the platform's host in, if its browser is signed in. An access token that has ended is
    /// replaced on the way.
    pub async fn session(
        &self,
        presented: Presented<'_>,
        caller: &Caller,
    ) -> Result<Option<Admitted<Session>>, StoreError> {
        let door = Door::Platform;
        let claims = presented.access.and_then(|token| self.mint.read(token, &door, self.now()));
        let living = claims.map(|claims| self.living(claims.sid, &door)).transpose()?.flatten();
        let known = presented.refresh.and_then(|token| self.mint.known(token));
        let found = match (living, known) {
            (Some(record), _) => Some((record, None)),
            (None, Some(known)) => self.renew(&door, known, caller).await?,
            (None, None) => None,
        };
        let Some((record, renewed)) = found else { return Ok(None) };
        let user = self.store.user(record.user)?;
        Ok(user.map(|user| Admitted { as_: Session { user, record }, renewed }))
    }

    /// Lets a request to the computer of `handle` in, if its browser is the owner's.
    pub async fn visit(
        &self,
        handle: &Handle,
        presented: Presented<'_>,
        caller: &Caller,
    ) -> Result<Option<Admitted<Visit>>, StoreError> {
        let door = Door::Computer(handle.clone());
        let claims = presented.access.and_then(|token| self.mint.read(token, &door, self.now()));
        if let Some(claims) = claims
            && let Some(visit) = self.visitor(handle, claims.sub, claims.sid)?
        {
            return Ok(Some(Admitted { as_: visit, renewed: None }));
        }
        let known = presented.refresh.and_then(|token| self.mint.known(token));
        let Some(known) = known else { return Ok(None) };
        let Some((record, renewed)) = self.renew(&door, known, caller).await? else { return Ok(None) };
        let visit = self.visitor(handle, record.user, record.id)?;
        Ok(visit.map(|visit| Admitted { as_: visit, renewed }))
    }

    /// The owner, at a session that lives.
    fn visitor(&self, handle: &Handle, user: UserId, id: SessionId) -> Result<Option<Visit>, StoreError> {
        // Before looking whether it lives, so that an end in between is not missed.
        let until = self.ends.of(id);
        if !self.store.is_living(user, id, self.now()) {
            self.ends.end(&[id]);
            return Ok(None);
        }
        let owner = self.store.user(user)?.filter(|user| user.handle == *handle);
        Ok(owner.map(|owner| Visit { owner, until }))
    }

    /// The session of that id, if it is good at this door now; with the one it came from.
    fn living(&self, id: SessionId, door: &Door) -> Result<Option<records::Session>, StoreError> {
        let now = self.now();
        let good = |s: &records::Session| now < s.expires;
        let Some(session) = self.store.session(id)?.filter(|s| good(s) && fits(&s.scope, door)) else {
            return Ok(None);
        };
        let SessionScope::Computer { parent, .. } = session.scope else { return Ok(Some(session)) };
        Ok(self.store.session(parent)?.filter(good).map(|_| session))
    }

    async fn renew(
        &self,
        door: &Door,
        known: Known,
        caller: &Caller,
    ) -> Result<Option<(records::Session, Option<Tokens>)>, StoreError> {
        let (refresh, fresh) = self.mint.refresh(known.session);
        if self.living(known.session, door)?.is_none() {
            return Ok(None);
        }
        let (now, from) = (self.now(), caller.clone());
        let decide = move |session: &mut records::Session| {
            if session.expires <= now {
                return Fate::Stays(Renewal::Refused);
            }
            let used = present(&mut session.refresh, known.hash, fresh, now);
            if used == Use::Reused {
                return Fate::Ends(Renewal::Reused(Box::new(session.clone())));
            }
            session.last_used = now;
            session.expires = (now + SESSION.as_secs()).min(session.created + SESSION_AT_MOST.as_secs());
            session.caller = from;
            Fate::Changed(Renewal::Renewed(Box::new(session.clone()), used == Use::Renewed))
        };
        let decided = self.store.run(move |store| store.decide_session(known.session, decide)).await?;
        let Some((renewal, ended)) = decided else { return Ok(None) };
        self.ends.end(&ended);
        match renewal {
            Renewal::Renewed(session, new) => self.renewed(*session, new.then_some(refresh)).await,
            Renewal::Refused => Ok(None),
            Renewal::Reused(session) => {
                tracing::warn!(session = %session.id, "a refresh token was used twice; its session has ended");
                self.note(session.user, What::RefreshReused, None, caller, By::Stranger).await?;
                Ok(None)
            }
        }
    }

    async fn renewed(
        &self,
        session: records::Session,
        refresh: Option<super::Secret>,
    ) -> Result<Option<(records::Session, Option<Tokens>)>, StoreError> {
        let Some(user) = self.store.user(session.user)? else { return Ok(None) };
        if let SessionScope::Computer { parent, .. } = session.scope {
            self.keep(parent, session.expires).await?;
        }
        let access = self.mint.access(&user, &session, self.now());
        Ok(Some((session, Some(Tokens { access, refresh }))))
    }

    /// Whoever uses their computer every day stays signed in on the platform, too.
    async fn keep(&self, id: SessionId, until: u64) -> Result<(), StoreError> {
        let decide = move |session: &mut records::Session| {
            session.expires = session.expires.max(until).min(session.created + SESSION_AT_MOST.as_secs());
            Fate::Changed(())
        };
        self.store.run(move |store| store.decide_session(id, decide)).await?;
        Ok(())
    }

    /// Begins a session for somebody who has just proved who they are.
    pub(super) async fn begin(
        &self,
        user: &User,
        scope: SessionScope,
        method: Method,
        caller: &Caller,
    ) -> Result<Tokens, StoreError> {
        let (id, now) = (SessionId::random(), self.now());
        let (refresh, hash) = self.mint.refresh(id);
        let session = records::Session {
            id,
            user: user.id,
            scope,
            created: now,
            last_used: now,
            expires: now + SESSION.as_secs(),
            verified: now,
            method,
            caller: caller.clone(),
            refresh: Refresh { live: vec![hash], parents: Vec::new(), rotated: now },
        };
        let access = self.mint.access(user, &session, now);
        let ended = self.store.run(move |store| store.begin_session(&session)).await?;
        self.ends.end(&ended);
        Ok(Tokens { access, refresh: Some(refresh) })
    }

    /// The browsers that a person is signed in with, the one that was used last first.
    pub fn sessions(&self, session: &Session) -> Result<Vec<records::Session>, StoreError> {
        let now = self.now();
        let mut all = self.store.platform_sessions(session.user.id)?;
        all.retain(|s| now < s.expires);
        Ok(all)
    }

    /// Ends this session and the computer sessions that came from it.
    pub async fn sign_out(&self, session: &Session, caller: &Caller) -> Result<(), StoreError> {
        self.end(session.id()).await?;
        self.note(session.user.id, What::SignedOut, None, caller, By::Owner).await
    }

    /// Ends another session of the same person.
    pub async fn revoke(&self, session: &Session, id: SessionId, caller: &Caller) -> Result<(), AccountError> {
        let found = self.store.session(id)?;
        let found = found.filter(|s| s.user == session.user.id && s.scope == SessionScope::Platform);
        let of = found.ok_or(AccountError::Missing("session"))?.caller.browser;
        self.end(id).await?;
        Ok(self.note(session.user.id, What::SessionRevoked, of, caller, By::Owner).await?)
    }

    /// Ends every session of a person, this one as well.
    pub async fn revoke_all(&self, session: &Session, caller: &Caller) -> Result<(), StoreError> {
        let user = session.user.id;
        let ended = self.store.run(move |store| store.end_sessions_of(user, None)).await?;
        self.ends.end(&ended);
        self.note(user, What::SessionsRevoked, None, caller, By::Owner).await
    }

    /// Remembers that the person at this session has just proved who they are; returns until when that counts.
    pub(super) async fn verified(&self, session: &Session, caller: &Caller) -> Result<u64, AccountError> {
        let (id, now) = (session.id(), self.now());
        let decide = move |session: &mut records::Session| {
            session.verified = now;
            Fate::Changed(())
        };
        let decided = self.store.run(move |store| store.decide_session(id, decide)).await?;
        decided.ok_or(AccountError::Missing("session"))?;
        self.note(session.user.id, What::Verified, None, caller, By::Owner).await?;
        Ok(now + super::FRESH.as_secs())
    }
}

// An access token is the shorter of the two, so that a session that nobody renews ends with it.
const _: () = assert!(ACCESS.as_secs() < SESSION.as_secs());
