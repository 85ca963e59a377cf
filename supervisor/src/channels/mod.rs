//! Channels: where people write to their computers from, held by the platform, so that a computer that sleeps is woken
//! by a message and none is lost.

mod desk;
mod mail;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderName;
use matrixos_channels::{About, Kinds, Link, Opening, Standing, account, disabled};
pub use matrixos_channels::{BadSettings, Settings, Unanswered};
use matrixos_store::{ChannelSettings, MailError, Profile, Store, StoreError};
use matrixos_types::UserId;
use matrixos_types::channels::{ChannelBody, ChannelsBody, ChannelsStatus, SendBody, TELEGRAM};
use sha2::Sha256;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

pub use desk::{Computers, Desk, ask};
use mail::Mailbox;

use crate::accounts::Keys;
use crate::clock::Clock;
use crate::seal::Seal;

/// The keys of channels, none of which is in the store.
pub struct ChannelKeys {
    tokens: [u8; 32],
    secrets: [u8; 32],
}

impl ChannelKeys {
    /// Made from the keys of the accounts.
    pub fn of(keys: &Keys) -> Self {
        Self { tokens: keys.derive("tokens of channels"), secrets: keys.derive("secrets of channels' callers") }
    }
}

/// Why settings of channels were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// They make no sense, in words for people.
    #[error("{0}")]
    Malformed(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a text was not taken to be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// That channel does not work for this person.
    #[error("{0} is not connected; it is set up in the settings")]
    NotConnected(String),
    /// Nobody else is written to.
    #[error("{0} is none of those who may write here, so nothing is sent there")]
    Stranger(String),
    /// There is nothing in it.
    #[error("there is nothing to send")]
    Empty,
    /// It cannot be kept.
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// Why something that a channel brought was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BroughtError {
    /// Nothing is expected there, or it was not the channel that brought it.
    #[error("nothing is expected there")]
    Unknown,
    /// It cannot be kept now; the channel brings it again.
    #[error(transparent)]
    Mail(#[from] MailError),
}

/// Everybody's channels.
pub struct Channels {
    store: Store,
    clock: Arc<dyn Clock>,
    computers: Arc<dyn Computers>,
    kinds: Kinds,
    seal: Seal,
    secrets: [u8; 32],
    links: Mutex<HashMap<(UserId, String), Held>>,
    end: CancellationToken,
}

/// A connection that was begun, or could not be.
enum Held {
    Link { link: Arc<Link<Mailbox>>, work: JoinHandle<()> },
    Broken(Standing),
}

impl Channels {
    /// Opens the connections of everybody who has some. They end when `end` does, at the latest.
    pub fn open(
        store: Store,
        computers: Arc<dyn Computers>,
        clock: Arc<dyn Clock>,
        keys: &ChannelKeys,
        settings: &Settings,
        end: CancellationToken,
    ) -> Result<Arc<Self>, OpenError> {
        let this = Arc::new(Self {
            kinds: Kinds::new(settings)?,
            seal: Seal::new(keys.tokens),
            secrets: keys.secrets,
            links: Mutex::default(),
            store,
            clock,
            computers,
            end,
        });
        for settings in this.store.channels()?.into_iter().filter(|settings| settings.enabled) {
            this.begin(settings, None);
        }
        Ok(this)
    }

    fn links(&self) -> MutexGuard<'_, HashMap<(UserId, String), Held>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a connection, once the one before it has come to its end.
    fn begin(&self, settings: ChannelSettings, before: Option<JoinHandle<()>>) {
        let key = (settings.user, settings.channel.clone());
        let held = match self.link(settings) {
            Ok(link) => {
                let at_work = link.clone();
                let work = tokio::spawn(async move {
                    if let Some(before) = before {
                        let _ = before.await;
                    }
                    at_work.work().await;
                });
                Held::Link { link, work }
            }
            Err(why) => {
                error!(user = %key.0, channel = %key.1, why, "a channel cannot be connected");
                Held::Broken(Standing::broken(why.to_owned()))
            }
        };
        self.links().insert(key, held);
    }

    fn link(&self, settings: ChannelSettings) -> Result<Arc<Link<Mailbox>>, &'static str> {
        let token = self.seal.open(settings.user, &settings.sealed).and_then(|bytes| String::from_utf8(bytes).ok());
        let token = token.ok_or("The token is damaged or was kept with other keys; enter it once more.")?;
        let secret = self.secret(settings.user, &token);
        let ChannelSettings { user, channel, account, owners, .. } = settings;
        let opening = Opening { channel: &channel, token: &token, owner: user.0.simple().to_string(), secret };
        let opened = self.kinds.open(opening).ok_or("This channel is not known to this version of the platform.")?;
        let mail = Mailbox { user, channel: channel.clone(), store: self.store.clone(), clock: self.clock.clone() };
        let desk = Box::new(desk::Of { user, computers: self.computers.clone() });
        let about = About { channel, account, owners, user: user.to_string() };
        Ok(Arc::new(Link::new(about, opened, mail, desk, self.end.child_token())))
    }

    /// What a channel shows when it brings something for that person.
    fn secret(&self, user: UserId, token: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secrets).expect("HMAC takes keys of any length");
        mac.update(user.0.as_bytes());
        mac.update(token.as_bytes());
        mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Ends a connection; what it was doing comes to its end by itself.
    fn let_go(&self, user: UserId, channel: &str) -> Option<JoinHandle<()>> {
        match self.links().remove(&(user, channel.to_owned()))? {
            Held::Link { link, work } => {
                link.end();
                Some(work)
            }
            Held::Broken(_) => None,
        }
    }

    /// Takes over what somebody's computer says about its channels.
    pub async fn set(&self, user: UserId, body: &ChannelsBody) -> Result<(), SetError> {
        self.set_one(user, TELEGRAM, body.telegram.as_ref()).await
    }

    async fn set_one(&self, user: UserId, channel: &'static str, body: Option<&ChannelBody>) -> Result<(), SetError> {
        let before = self.store.channel(user, channel)?;
        let Some(body) = body else {
            if before.is_some() {
                let ended = self.let_go(user, channel);
                join(ended).await;
                self.store.run(move |store| store.forget_channel(user, channel)).await?;
            }
            return Ok(());
        };
        let account = match account(channel, body).map_err(SetError::Malformed) {
            Ok(account) => account,
            Err(error) => {
                self.put_away(user, channel, before, error.to_string()).await?;
                return Err(error);
            }
        };
        if before.as_ref().is_some_and(|before| self.is_same(before, body)) && self.is_held(user, channel, body.enabled)
        {
            return Ok(());
        }
        let sealed = self.seal.seal(user, body.token.as_bytes());
        let (enabled, owners, channel) = (body.enabled, body.owners.clone(), channel.to_owned());
        let settings = ChannelSettings { user, channel, account, sealed, enabled, owners };
        let ended = self.let_go(user, &settings.channel);
        if before.is_some_and(|before| before.account != settings.account) {
            // What the other account still does would be written into this one's mail.
            join(ended).await;
            self.put(&settings).await?;
            self.begin_if_enabled(settings, None);
        } else {
            self.put(&settings).await?;
            self.begin_if_enabled(settings, ended);
        }
        Ok(())
    }

    /// What stood there before is not what the owner wants any more: it ends, and says why there is nothing in its place.
    async fn put_away(
        &self,
        user: UserId,
        channel: &str,
        before: Option<ChannelSettings>,
        why: String,
    ) -> Result<(), StoreError> {
        self.let_go(user, channel);
        self.links().insert((user, channel.to_owned()), Held::Broken(Standing::broken(why)));
        match before.filter(|before| before.enabled) {
            Some(before) => self.put(&ChannelSettings { enabled: false, ..before }).await,
            None => Ok(()),
        }
    }

    async fn put(&self, settings: &ChannelSettings) -> Result<(), StoreError> {
        let settings = settings.clone();
        self.store.run(move |store| store.put_channel(&settings)).await
    }

    fn begin_if_enabled(&self, settings: ChannelSettings, before: Option<JoinHandle<()>>) {
        if settings.enabled {
            self.begin(settings, before);
        }
    }

    fn is_same(&self, before: &ChannelSettings, body: &ChannelBody) -> bool {
        let token = self.seal.open(before.user, &before.sealed);
        before.enabled == body.enabled
            && before.owners == body.owners
            && token.is_some_and(|token| token == body.token.as_bytes())
    }

    /// Whether a connection is as it should be, so that nothing is to be done.
    fn is_held(&self, user: UserId, channel: &str, enabled: bool) -> bool {
        matches!(self.links().get(&(user, channel.to_owned())), Some(Held::Link { .. })) == enabled
    }

    /// Ends everything of a person who goes.
    pub async fn part_with(&self, user: UserId) {
        join(self.let_go(user, TELEGRAM)).await;
    }

    /// How somebody's channels stand.
    pub fn status(&self, user: UserId) -> Result<ChannelsStatus, StoreError> {
        let waiting = self.store.mail_waiting(user, TELEGRAM)?;
        let status = match self.links().get(&(user, TELEGRAM.to_owned())) {
            Some(Held::Link { link, .. }) => link.standing().status(waiting),
            Some(Held::Broken(standing)) => standing.status(waiting),
            None => disabled(waiting),
        };
        Ok([(TELEGRAM.to_owned(), status)].into())
    }

    /// Takes a text to be sent to one of those who may write.
    pub async fn send(&self, user: UserId, out: &SendBody) -> Result<(), SendError> {
        let link = self.linked(user, &out.channel).ok_or_else(|| SendError::NotConnected(out.channel.clone()))?;
        if !link.names(&out.chat_id) {
            return Err(SendError::Stranger(out.chat_id.clone()));
        }
        let pieces: Vec<_> = link.pieces(&out.chat_id, &out.text).into_iter().map(mail::sent).collect();
        if pieces.is_empty() {
            return Err(SendError::Empty);
        }
        let channel = out.channel.clone();
        self.store.run(move |store| store.post(user, &channel, &pieces)).await?;
        link.has_replies();
        Ok(())
    }

    fn linked(&self, user: UserId, channel: &str) -> Option<Arc<Link<Mailbox>>> {
        match self.links().get(&(user, channel.to_owned()))? {
            Held::Link { link, .. } => Some(link.clone()),
            Held::Broken(_) => None,
        }
    }

    /// The header field in which a channel shows who it is.
    pub fn secret_field(channel: &str) -> Option<HeaderName> {
        Kinds::secret_field(channel)
    }

    /// Takes what a channel has brought for somebody. Returns when it is on the disk.
    pub async fn brought(&self, user: UserId, channel: &str, secret: &[u8], body: &[u8]) -> Result<(), BroughtError> {
        let link = self.linked(user, channel).ok_or(BroughtError::Unknown)?;
        let news = link.brought(secret, body).ok_or(BroughtError::Unknown)?;
        link.take_in(&news).await.map_err(|error| {
            warn!(%user, channel, %error, "a message that was brought could not be taken in");
            error.into()
        })
    }

    /// Keeps what somebody says about themselves and their AI. Their computer sends it when it changes.
    pub async fn set_profile(&self, user: UserId, profile: String, ai_profile: String) -> Result<(), StoreError> {
        let new = Profile { user, profile, ai_profile };
        if self.store.profile(user)?.as_ref() == Some(&new) {
            return Ok(());
        }
        self.store.run(move |store| store.put_profile(&new)).await
    }

    /// What somebody says about themselves and their AI.
    pub fn profile(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        self.store.profile(user)
    }
}

/// Why channels could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// They cannot be reached as configured.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn join(work: Option<JoinHandle<()>>) {
    if let Some(work) = work {
        // A loop that panicked has ended as well.
        let _ = work.await;
    }
}
