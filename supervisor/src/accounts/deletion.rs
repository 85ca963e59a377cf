//! Deleting one's own account: asked for, then waited for, so that it can be undone.

use std::time::Duration;

use matrixos_store::{By, Caller, StoreError, User, What};

use super::evidence::{Fresh, Session};
use super::{AccountError, Accounts};

/// How long an account that is to be deleted is kept.
pub const GRACE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Accounts {
    /// Asks for one's account to be deleted, and ends every other session. Says when it will be.
    pub async fn request_deletion(&self, fresh: &Fresh, confirm: &str, caller: &Caller) -> Result<u64, AccountError> {
        if confirm != fresh.user.handle.as_str() {
            return Err(AccountError::NotConfirmed);
        }
        let (user, session, at) = (fresh.user.id, fresh.id(), self.now() + GRACE.as_secs());
        // Asked for twice, the first time counts.
        let request = move |user: &mut User| user.deletion = user.deletion.or(Some(at));
        let changed = self.store.run(move |store| store.change_user(user, request)).await?;
        let ended = self.store.run(move |store| store.end_sessions_of(user, Some(session))).await?;
        self.ends.end(&ended);
        self.note(user, What::DeletionRequested, None, caller, By::Owner).await?;
        Ok(changed.deletion.unwrap_or(at))
    }

    /// Changes one's mind, while there is time: not while the files are being deleted already.
    pub async fn undo_deletion(&self, session: &Session, caller: &Caller) -> Result<(), AccountError> {
        if session.user.deletion.is_some_and(|at| at <= self.now()) {
            return Err(AccountError::DeletionPending);
        }
        let user = session.user.id;
        self.store.run(move |store| store.change_user(user, |user| user.deletion = None)).await?;
        Ok(self.note(user, What::DeletionUndone, None, caller, By::Owner).await?)
    }

    /// The accounts whose time has come. Nobody can undo that any more.
    pub fn due(&self) -> Result<Vec<User>, StoreError> {
        let now = self.now();
        let mut users = self.store.users()?;
        users.retain(|user| user.deletion.is_some_and(|at| at <= now));
        Ok(users)
    }
}
