//! Administrators: made by an invitation that the operator hands out, and unmade by the operator.

use std::time::Duration;

use matrixos_store::{By, Caller, StoreError, User, What};
use matrixos_types::Handle;

use super::evidence::{AdminGrant, Fresh, FreshGrant};
use super::pending::Pending;
use super::secret::Secret;
use super::{AccountError, Accounts};

const LIFETIME: Duration = Duration::from_secs(3600);
const AT_ONCE: usize = 100;

pub(super) fn invitations() -> Pending<()> {
    Pending::new(LIFETIME, AT_ONCE)
}

impl Accounts {
    /// A token that makes whoever uses it first, within an hour, an administrator. For the operator only.
    pub fn invite_administrator(&self) -> Secret {
        self.invitations.put((), self.clock.now())
    }

    /// Uses an invitation.
    pub async fn accept_invitation(&self, fresh: &Fresh, token: &str, caller: &Caller) -> Result<(), AccountError> {
        self.invitations.take(token, self.clock.now()).ok_or(AccountError::BadInvitation)?;
        let user = fresh.user.id;
        self.store.run(move |store| store.change_user(user, |user| user.admin = true)).await?;
        tracing::info!(handle = %fresh.user.handle, "a new administrator");
        Ok(self.note(user, What::AdminGranted, None, caller, By::Operator).await?)
    }

    /// Every administrator. For the operator only.
    pub fn administrators(&self) -> Result<Vec<User>, StoreError> {
        let mut users = self.store.users()?;
        users.retain(|user| user.admin);
        Ok(users)
    }

    /// At most `most` accounts whose handles come after `after`, by handle.
    pub fn users_for_administrators(
        &self,
        _grant: &AdminGrant,
        after: Option<&Handle>,
        most: usize,
    ) -> Result<Vec<User>, StoreError> {
        self.store.users_after(after, most)
    }

    /// Ends every session of somebody.
    pub async fn sign_somebody_out(&self, grant: &FreshGrant, user: &User, caller: &Caller) -> Result<(), StoreError> {
        let id = user.id;
        self.note_intervention(grant, id, What::SessionsRevoked, caller).await?;
        let ended = self.store.run(move |store| store.end_sessions_of(id, None)).await?;
        self.ends.end(&ended);
        Ok(())
    }

    /// Takes somebody's rights away. For the operator only.
    pub async fn dismiss_administrator(&self, user: &User) -> Result<(), StoreError> {
        let id = user.id;
        self.store.run(move |store| store.change_user(id, |user| user.admin = false)).await?;
        self.note(id, What::AdminRevoked, None, &Caller::default(), By::Operator).await
    }
}
