//! Who holds the channels: the platform, which can wake a computer for a message, or where there is none this computer
//! itself, with the same connection over a mailbox of its own.

mod desk;
mod given;
mod mailbox;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use cap_std::fs::Dir;
use matrixos_channels::{About, BadSettings, Kinds, Link, Opening, Settings as Reach, Standing, account, disabled};
use matrixos_types::channels::{ChannelBody, ChannelState, ChannelStatus, ChannelsBody, ChannelsStatus, TELEGRAM};
use matrixos_types::jobs::Target;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use given::Given;
pub(crate) use given::TOKEN;
use mailbox::Mailbox;

use crate::state::Gateway;

/// How the channels are to be connected. False if whoever holds them could not be told.
pub(crate) async fn set(gateway: &Gateway, channels: &ChannelsBody) -> bool {
    match &gateway.channels {
        Some(own) => own.set(gateway, channels).await,
        None => gateway.platform.set_channels(channels).await,
    }
}

/// How the channels stand. `None` if nobody holds them, or it cannot be had now.
pub(crate) async fn status(gateway: &Gateway) -> Option<ChannelsStatus> {
    match &gateway.channels {
        Some(own) => Some([(TELEGRAM.to_owned(), own.telegram.status())].into()),
        None => gateway.platform.channels().await,
    }
}

/// What became of a text that was to go out on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is safe with whoever sends it.
    Taken,
    /// It will never be sent.
    Refused,
    /// Later it may be.
    NotNow,
}

/// Sends a text out on a channel.
pub(crate) async fn send(gateway: &Gateway, target: &Target, text: &str) -> Sent {
    match &gateway.channels {
        Some(own) if target.channel == TELEGRAM => own.telegram.send(&target.chat_id, text).await,
        Some(_) => Sent::Refused,
        None => gateway.platform.send(target, text).await,
    }
}

/// Names of those that are connected.
pub(crate) fn connected(status: ChannelsStatus) -> Vec<String> {
    status.into_iter().filter(|(_, one)| one.state == ChannelState::Connected).map(|(name, _)| name).collect()
}

/// The channels of a computer without a platform.
pub(crate) struct Own {
    reach: Reach,
    /// Made when the first of them is connected: until then no certificate is needed, and none is read.
    kinds: OnceLock<Kinds>,
    telegram: One,
}

/// One of them.
struct One {
    channel: &'static str,
    mail: Mailbox,
    held: Mutex<Held>,
}

enum Held {
    Off,
    /// It cannot be connected, or not yet.
    Not(Standing),
    Link {
        link: Arc<Link<Mailbox>>,
        work: JoinHandle<()>,
    },
}

impl Own {
    pub(crate) fn new(given: &Given, home: Dir) -> Self {
        let telegram = One {
            channel: TELEGRAM,
            mail: Mailbox::new(home, TELEGRAM),
            held: Mutex::new(Held::Not(Standing::default())),
        };
        Self { reach: given.reach.clone(), kinds: OnceLock::new(), telegram }
    }

    /// Names of those that are connected.
    pub(crate) fn connected(&self) -> Vec<String> {
        connected([(TELEGRAM.to_owned(), self.telegram.status())].into())
    }

    async fn set(&self, gateway: &Gateway, channels: &ChannelsBody) -> bool {
        self.telegram.set(gateway, self, channels.telegram.as_ref()).await;
        // What waited for a connection may go.
        gateway.cron.answered();
        true
    }

    /// Ends all connections, and gives what they are doing a moment: what was sent is to be noted.
    pub(crate) async fn end(&self, within: Duration) {
        let _ = timeout(within, self.telegram.let_go()).await;
    }

    fn kinds(&self) -> Result<&Kinds, BadSettings> {
        match self.kinds.get() {
            Some(kinds) => Ok(kinds),
            None => Kinds::new(&self.reach).map(|kinds| self.kinds.get_or_init(|| kinds)),
        }
    }
}

impl One {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn set(&self, gateway: &Gateway, own: &Own, body: Option<&ChannelBody>) {
        self.let_go().await;
        let held = match body {
            None => Held::Off,
            Some(body) => match self.connected_as(gateway, own, body).await {
                Ok(held) => held,
                Err(why) => {
                    eprintln!("matrixos-gateway: {} cannot be connected: {why}", self.channel);
                    Held::Not(Standing::broken(why))
                }
            },
        };
        *self.held() = held;
    }

    async fn connected_as(&self, gateway: &Gateway, own: &Own, body: &ChannelBody) -> Result<Held, String> {
        let account = account(self.channel, body)?;
        if !body.enabled {
            return Ok(Held::Off);
        }
        let opening =
            Opening { channel: self.channel, token: &body.token, owner: String::new(), secret: String::new() };
        let opened = own.kinds().map_err(|error| error.to_string())?.open(opening);
        let opened = opened.ok_or("This channel is not known to this version of the computer.")?;
        self.mail.belong_to(&account).await.map_err(|error| error.to_string())?;
        let (channel, owners, user) = (self.channel.to_owned(), body.owners.clone(), gateway.settings.handle.clone());
        let about = About { channel, account, owners, user };
        let desk = Box::new(desk::Own(gateway.clone()));
        let link = Arc::new(Link::new(about, opened, self.mail.clone(), desk, CancellationToken::new()));
        let at_work = link.clone();
        Ok(Held::Link { link, work: tokio::spawn(async move { at_work.work().await }) })
    }

    /// Ends the connection and waits until what it was doing has come to its end.
    async fn let_go(&self) {
        let before = std::mem::replace(&mut *self.held(), Held::Not(Standing::default()));
        if let Held::Link { link, work } = before {
            link.end();
            // A loop that panicked has ended as well.
            let _ = work.await;
        }
    }

    fn status(&self) -> ChannelStatus {
        let waiting = self.mail.waiting();
        match &*self.held() {
            Held::Off => disabled(waiting),
            Held::Not(standing) => standing.status(waiting),
            Held::Link { link, .. } => link.standing().status(waiting),
        }
    }

    async fn send(&self, chat: &str, text: &str) -> Sent {
        let link = match &*self.held() {
            Held::Link { link, .. } if link.names(chat) => link.clone(),
            Held::Link { .. } | Held::Off => return Sent::Refused,
            Held::Not(_) => return Sent::NotNow,
        };
        let pieces = link.pieces(chat, text);
        if pieces.is_empty() {
            return Sent::Refused;
        }
        let kept = self.mail.post(pieces).await;
        link.has_replies();
        match kept {
            Ok(()) => Sent::Taken,
            Err(error) => {
                eprintln!("matrixos-gateway: a text for {} could not be kept: {error}", self.channel);
                Sent::NotNow
            }
        }
    }
}
