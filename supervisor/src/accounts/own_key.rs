//! A person's own key to the provider of models: sealed at rest, used for their calls, shown to nobody.

use matrixos_store::{By, Caller, OwnKey, StoreError, What};
use matrixos_types::UserId;

use super::{AccountError, Accounts, Fresh, Session};
use crate::relay::ProviderKey;

impl Accounts {
    /// Keeps a key for somebody's calls. Ends the use of an earlier one.
    pub async fn set_own_key(&self, fresh: &Fresh, text: &str, from: &Caller) -> Result<(), AccountError> {
        ProviderKey::parse(text).map_err(|_| AccountError::BadKey)?;
        let user = fresh.user().id;
        let sealed = self.own_keys.seal(user, text.trim().as_bytes());
        let key = OwnKey { user, sealed, since: self.now() };
        self.store.run(move |store| store.put_own_key(&key)).await?;
        self.note(user, What::OwnKeySet, None, from, By::Owner).await?;
        Ok(())
    }

    /// Forgets it.
    pub async fn remove_own_key(&self, session: &Session, from: &Caller) -> Result<(), AccountError> {
        let user = session.user().id;
        if self.store.run(move |store| store.forget_own_key(user)).await? {
            self.note(user, What::OwnKeyRemoved, None, from, By::Owner).await?;
        }
        Ok(())
    }

    /// Since when somebody uses a key of their own, if they do.
    pub fn own_key_since(&self, user: UserId) -> Result<Option<u64>, StoreError> {
        Ok(self.store.own_key(user)?.map(|key| key.since))
    }

    /// The key that somebody's calls are to be made with, if they gave one.
    pub fn own_key(&self, user: UserId) -> Result<Option<ProviderKey>, StoreError> {
        let Some(kept) = self.store.own_key(user)? else { return Ok(None) };
        let opened = self.own_keys.open(user, &kept.sealed).and_then(|bytes| String::from_utf8(bytes).ok());
        let key = opened.and_then(|text| ProviderKey::parse(&text).ok());
        // Never in silence: the platform's money would be spent in its place.
        key.map(Some).ok_or(StoreError::Damaged { table: "own_keys", why: "a key cannot be opened".to_owned() })
    }
}
