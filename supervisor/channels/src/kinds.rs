//! Which channels there are. Nothing else in the core names one.

use http::HeaderName;
use matrixos_types::channels::{ChannelBody, TELEGRAM};

use crate::channel::Channel;
use crate::telegram::{self, Telegram, TelegramApi, Token};

/// Most people who may write to one computer on one channel.
const OWNERS: usize = 50;
/// Longest name of one of them, in the channel's words.
const OWNER: usize = 64;

/// The way to each kind of channel.
pub struct Kinds {
    telegram: TelegramApi,
}

/// How channels are reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The Bot API of Telegram.
    pub telegram_api: String,
    /// Where Telegram can bring messages to: the platform's origin. Without it they are fetched.
    pub telegram_webhook: Option<String>,
}

/// Why channels cannot be reached as it was configured.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// No absolute http or https URL.
    #[error("{0:?} is not the address of a Bot API; write for example https://api.telegram.org")]
    Address(String),
    /// The tokens would go through the network for all to read.
    #[error("{0:?} must use https: over http the bots' tokens could be read on the way")]
    Clear(String),
    /// Telegram brings messages to https addresses only.
    #[error("telegram_webhook needs an origin with https that the internet can reach; without it messages are fetched")]
    Webhook,
}

impl Settings {
    /// Whether channels could be reached so.
    pub fn check(&self) -> Result<(), BadSettings> {
        telegram::base(self).map(drop)
    }
}

/// An account that is to be worked with.
pub struct Opening<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// The secret of the account.
    pub token: &'a str,
    /// How the address that the channel brings messages to says whose they are.
    pub owner: String,
    /// What shows that it is the channel that brings something.
    pub secret: String,
}

impl Kinds {
    /// Ways to all of them.
    pub fn new(settings: &Settings) -> Result<Self, BadSettings> {
        Ok(Self { telegram: TelegramApi::new(settings)? })
    }

    /// An account, ready to work; `None` if there is no such channel or no such account.
    pub fn open(&self, opening: Opening<'_>) -> Option<Box<dyn Channel>> {
        let Opening { channel, token, owner, secret } = opening;
        match channel {
            TELEGRAM => Some(Box::new(Telegram::new(self.telegram.clone(), Token::parse(token)?, owner, secret))),
            _ => None,
        }
    }

    /// The header field in which a channel shows its secret.
    pub fn secret_field(channel: &str) -> Option<HeaderName> {
        (channel == TELEGRAM).then(|| HeaderName::from_static("x-telegram-bot-api-secret-token"))
    }
}

/// The account of settings that make sense; an error for people if they make none.
pub fn account(channel: &str, body: &ChannelBody) -> Result<String, String> {
    let fits = |owner: &String| (1..=OWNER).contains(&owner.len()) && owner.bytes().all(|byte| byte.is_ascii_graphic());
    if body.owners.len() > OWNERS || !body.owners.iter().all(fits) {
        return Err(format!("At most {OWNERS} people may write, each named by an id of at most {OWNER} letters."));
    }
    match channel {
        TELEGRAM => Token::parse(&body.token).map(|token| token.bot().to_owned()).ok_or_else(|| {
            "This is not the token of a Telegram bot: it looks like 123456789:AAE… and comes from @BotFather."
                .to_owned()
        }),
        other => Err(format!("There is no channel {other:?}.")),
    }
}
