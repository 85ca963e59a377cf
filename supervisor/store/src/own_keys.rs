//! People's own keys to the provider of models.

use matrixos_types::UserId;

use crate::error::StoreError;
use crate::records::OwnKey;
use crate::store::Store;

impl Store {
    /// A person's own key, if they gave one.
    pub fn own_key(&self, user: UserId) -> Result<Option<OwnKey>, StoreError> {
        self.0.own_keys.get(user.0)
    }

    /// Keeps a person's own key, in place of an earlier one.
    pub fn put_own_key(&self, key: &OwnKey) -> Result<(), StoreError> {
        self.check_room()?;
        self.0.own_keys.put(key)?;
        self.settle()
    }

    /// Forgets a person's own key. False if there was none.
    pub fn forget_own_key(&self, user: UserId) -> Result<bool, StoreError> {
        let was = self.0.own_keys.tree.remove(user.0)?.is_some();
        self.settle()?;
        Ok(was)
    }
}
