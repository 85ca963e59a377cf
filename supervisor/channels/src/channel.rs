//! What the core knows of a channel: messages come, texts go, and things go wrong in a few ways. A further channel is
//! another implementation of [`Channel`] and a line in `kinds.rs`.

use std::pin::Pin;
use std::time::Duration;

/// Something that takes a while.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One account on a channel.
pub trait Channel: Send + Sync {
    /// Gets ready to receive: shows the secret, and takes the connection over from whoever held it.
    fn prepare(&self) -> Doing<'_, Result<(), Trouble>>;

    /// Waits for news, at most about a minute. The same news come again until [`Channel::received`] was told.
    fn receive(&self) -> Doing<'_, Result<Vec<News>, Trouble>>;

    /// Everything up to this number is safe.
    fn received(&self, last: u64);

    /// Reads what the channel has brought to the platform's own address, if `secret` shows that it is the channel.
    fn brought(&self, secret: &[u8], body: &[u8]) -> Option<Vec<News>>;

    /// Sends one piece; returns when the channel has acknowledged it.
    fn send<'a>(&'a self, chat: &'a str, text: &'a str) -> Doing<'a, Result<(), Trouble>>;

    /// Shows a chat, for a moment, that its message is being answered: where the channel knows such a thing.
    fn at_work<'a>(&'a self, _chat: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// A text in pieces that the channel takes; none for a text without content.
    fn pieces(&self, text: &str) -> Vec<String>;
}

/// Something new on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The channel's number of it.
    pub update: u64,
    /// What it is; nothing if it is of a kind that nobody needs.
    pub message: Option<Inbound>,
}

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Who wrote it, in the channel's words.
    pub sender: String,
    /// What they call themselves.
    pub name: Option<String>,
    /// Where it was written, and where the answer goes.
    pub chat: String,
    /// What it is.
    pub content: Content,
}

/// What somebody sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words for the AI.
    Text(String),
    /// Something that is answered without the AI.
    Answered(&'static str),
}

/// What goes wrong on channels; the text is for the owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The secret of the account is not accepted.
    #[error("{0}")]
    Refused(String),
    /// Somebody else holds the connection.
    #[error("{0}")]
    Conflict(String),
    /// The channel wants to be left alone for so long.
    #[error("{why}")]
    Busy {
        /// For how long.
        pause: Duration,
        /// Why.
        why: String,
    },
    /// This text will never arrive.
    #[error("{0}")]
    Undeliverable(String),
    /// The channel could not be reached, or has failed.
    #[error("{0}")]
    Unreachable(String),
}

/// Pause after a first failure; doubled with each further one.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// While somebody else holds the connection.
const CONFLICT: Duration = Duration::from_secs(20);
/// A secret that was refused is good again only after somebody did something about it.
const REFUSED: Duration = Duration::from_secs(15 * 60);

/// Pause before the next try, after so many failures in a row.
pub(crate) fn pause(failures: u32) -> Duration {
    AGAIN.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1).min(10))).min(AGAIN_AT_MOST)
}

impl Trouble {
    /// How long to leave the channel alone, after so many failures in a row.
    pub fn pause(&self, failures: u32) -> Duration {
        match self {
            Self::Refused(_) => REFUSED,
            Self::Conflict(_) => CONFLICT,
            Self::Busy { pause, .. } => *pause,
            Self::Undeliverable(_) | Self::Unreachable(_) => pause(failures),
        }
    }
}
