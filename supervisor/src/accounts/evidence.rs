//! Values that only a check can make: whoever holds one need not ask again.

use std::time::Duration;

use matrixos_store::{self as records, User};
use matrixos_types::SessionId;
use tokio_util::sync::CancellationToken;

use super::Accounts;

/// For this long after a proof of who somebody is, dangerous things may be done.
pub const FRESH: Duration = Duration::from_secs(5 * 60);

/// Evidence that a request comes from a signed-in browser of this user, on the platform's own host.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) user: User,
    pub(super) record: records::Session,
}

impl Session {
    /// Who is signed in.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Which of their sessions it is.
    pub fn id(&self) -> SessionId {
        self.record.id
    }

    /// Until when dangerous things may be done, in seconds since 1970; may have passed.
    pub fn fresh_until(&self) -> u64 {
        self.record.verified + FRESH.as_secs()
    }
}

/// Evidence that the person at a session's browser has just proved who they are.
#[derive(Clone, Debug)]
pub struct Fresh(Session);

impl std::ops::Deref for Fresh {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.0
    }
}

/// Evidence that somebody may see to other people's accounts.
#[derive(Clone, Debug)]
pub struct AdminGrant(Session);

impl std::ops::Deref for AdminGrant {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.0
    }
}

/// Evidence that an administrator has just proved who they are.
#[derive(Clone, Debug)]
pub struct FreshGrant(AdminGrant);

impl std::ops::Deref for FreshGrant {
    type Target = AdminGrant;
    fn deref(&self) -> &AdminGrant {
        &self.0
    }
}

/// Evidence that a request to a computer's host comes from its owner's browser.
#[derive(Clone, Debug)]
pub struct Visit {
    pub(super) owner: User,
    pub(super) until: CancellationToken,
}

impl Visit {
    /// Whose computer it is.
    pub fn owner(&self) -> &User {
        &self.owner
    }

    /// Cancelled when the session ends: what stays open has to end then.
    pub fn until(&self) -> &CancellationToken {
        &self.until
    }
}

impl Accounts {
    /// Whether the person has just proved who they are.
    pub fn fresh(&self, session: Session) -> Option<Fresh> {
        // A proof that is yet to come was given before the clock was set back.
        let (now, until) = (self.now(), session.fresh_until());
        (now < until && until <= now + FRESH.as_secs()).then_some(Fresh(session))
    }

    /// Whether the person is an administrator.
    pub fn administrator(&self, session: Session) -> Option<AdminGrant> {
        session.user.admin.then_some(AdminGrant(session))
    }

    /// Whether the administrator has just proved who they are.
    pub fn fresh_grant(&self, grant: AdminGrant) -> Option<FreshGrant> {
        (self.now() < grant.fresh_until()).then_some(FreshGrant(grant))
    }
}
