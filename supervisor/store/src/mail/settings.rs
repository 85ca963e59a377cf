//! What people's computers have told about their channels, and about themselves.

use matrixos_types::UserId;

use super::records::{ChannelSettings, Profile, prefix};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// The settings of a channel of a person's.
    pub fn channel(&self, user: UserId, channel: &str) -> Result<Option<ChannelSettings>, StoreError> {
        self.0.mail.settings.get(prefix(user, channel))
    }

    /// The settings of every channel of everybody.
    pub fn channels(&self) -> Result<Vec<ChannelSettings>, StoreError> {
        self.0.mail.settings.all().collect()
    }

    /// Keeps settings in place of earlier ones. Mail of another account of that channel goes: nobody could answer it any
    /// more.
    pub fn put_channel(&self, settings: &ChannelSettings) -> Result<(), StoreError> {
        self.check_room()?;
        let mail = &self.0.mail;
        let _alone = mail.turn();
        self.ensure_account(settings.user)?;
        let before = self.channel(settings.user, &settings.channel)?;
        if before.is_some_and(|before| before.account != settings.account) {
            self.clear_mail(settings.user, &settings.channel)?;
        }
        mail.settings.put(settings)?;
        self.settle()
    }

    /// Forgets a channel and its mail. False if there was none.
    pub fn forget_channel(&self, user: UserId, channel: &str) -> Result<bool, StoreError> {
        let mail = &self.0.mail;
        let _alone = mail.turn();
        let was = mail.settings.tree.remove(prefix(user, channel))?.is_some();
        self.clear_mail(user, channel)?;
        self.settle()?;
        Ok(was)
    }

    /// What a person says about themselves, if their computer has told it.
    pub fn profile(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        self.0.mail.profiles.get(user.0)
    }

    /// Keeps what a person says about themselves.
    pub fn put_profile(&self, profile: &Profile) -> Result<(), StoreError> {
        self.check_room()?;
        let _alone = self.0.mail.turn();
        self.ensure_account(profile.user)?;
        self.0.mail.profiles.put(profile)?;
        self.settle()
    }
}
