//! Which channels there are. Nothing else in the core names one.

use http::HeaderName;
use matrixos_types::UserId;
use matrixos_types::channels::TELEGRAM;

use super::channel::Channel;
use super::telegram::{Telegram, TelegramApi, Token};

/// What the operator has set for all channels.
pub(super) struct Kinds {
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
        TelegramApi::new(self).map(drop)
    }
}

impl Kinds {
    pub(super) fn new(settings: &Settings) -> Result<Self, BadSettings> {
        Ok(Self { telegram: TelegramApi::new(settings)? })
    }

    /// The account that a secret belongs to; an error for people if it is none of that channel.
    pub(super) fn account(channel: &str, token: &str) -> Result<String, String> {
        match channel {
            TELEGRAM => Token::parse(token).map(|token| token.bot().to_owned()).ok_or_else(|| {
                "This is not the token of a Telegram bot: it looks like 123456789:AAE… and comes from @BotFather."
                    .to_owned()
            }),
            other => Err(format!("There is no channel {other:?}.")),
        }
    }

    /// An account, to be worked with. `secret` is what shows that it is the channel that brings something.
    pub(super) fn open(&self, channel: &str, token: &str, user: UserId, secret: String) -> Option<Box<dyn Channel>> {
        match channel {
            TELEGRAM => Some(Box::new(Telegram::new(self.telegram.clone(), Token::parse(token)?, user, secret))),
            _ => None,
        }
    }

    /// The header field in which a channel shows its secret.
    pub(super) fn secret_field(channel: &str) -> Option<HeaderName> {
        (channel == TELEGRAM).then(|| HeaderName::from_static("x-telegram-bot-api-secret-token"))
    }
}
