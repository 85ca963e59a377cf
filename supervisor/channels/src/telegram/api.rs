//! One call of the Bot API (core.telegram.org/bots/api#making-requests). The token is part of every address, so no
//! address is ever shown or logged.

use std::fmt;
use std::time::Duration;

use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use crate::channel::Trouble;
use crate::https::{self, BadBase, Base, causes};
use crate::kinds::{BadSettings, Settings};

/// Largest answer that is read, in bytes: fifty messages with everything that may be in them.
const ANSWER: usize = 16 << 20;
/// If Telegram does not say for how long it wants to be left alone.
const USUAL_PAUSE: u64 = 5;
/// No longer than that, whatever it says.
const LONGEST_PAUSE: u64 = 3_600;

/// The way to Telegram; cheap to clone.
#[derive(Clone)]
pub(crate) struct TelegramApi {
    base: Base,
    client: https::Client,
    webhook: Option<String>,
}

/// The token of a bot: `123456789:AAE…`.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (bot, secret) = text.split_once(':')?;
        let number = (1..=20).contains(&bot.len()) && bot.bytes().all(|b| b.is_ascii_digit());
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        (number && (8..=200).contains(&secret.len()) && secret.bytes().all(is_letter)).then(|| Self(text.to_owned()))
    }

    /// The number of the bot.
    pub(crate) fn bot(&self) -> &str {
        self.0.split_once(':').map_or("", |(bot, _)| bot)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}:…)", self.bot())
    }
}

/// Why a call came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Telegram says no.
    Refused { status: u16, why: String, retry_after: Option<u64> },
    /// There was no answer, or none that can be read.
    Unreachable(String),
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    result: Value,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

impl TelegramApi {
    pub(crate) fn new(settings: &Settings) -> Result<Self, BadSettings> {
        let base = base(settings)?;
        Ok(Self { base, client: https::client("Telegram"), webhook: settings.telegram_webhook.clone() })
    }

    /// Where Telegram is to bring messages to, if it is to.
    pub(crate) fn webhook(&self) -> Option<&str> {
        self.webhook.as_deref()
    }

    /// Calls a method with its parameters; gives its result.
    pub(crate) async fn call(
        &self,
        token: &Token,
        method: &str,
        parameters: &Value,
        within: Duration,
    ) -> Result<Value, Failure> {
        let unreachable = |why: String| Failure::Unreachable(why);
        let uri = self.base.at(&format!("/bot{}/{method}", token.0)).map_err(|_| unreachable("its address".into()))?;
        let request = Request::post(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(Bytes::from(parameters.to_string())))
            .map_err(|error| unreachable(error.to_string()))?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| unreachable(causes(&error)))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, ANSWER).collect().await;
            Ok((parts.status.as_u16(), body.map_err(|error| unreachable(error.to_string()))?.to_bytes()))
        };
        let (status, body) = timeout(within, exchange).await.map_err(|_| unreachable("no answer in time".into()))??;
        read(status, &body)
    }
}

/// Where the Bot API is, if it could be used as it is configured.
pub(crate) fn base(settings: &Settings) -> Result<Base, BadSettings> {
    let text = &settings.telegram_api;
    let base = Base::parse(text).map_err(|bad| match bad {
        BadBase::Malformed => BadSettings::Address(text.clone()),
        BadBase::Clear => BadSettings::Clear(text.clone()),
    })?;
    // Plain http only where the Bot API is on this machine as well, as in tests.
    let clear = settings.telegram_webhook.as_ref().is_some_and(|origin| !origin.starts_with("https://"));
    if clear && base.is_secure() { Err(BadSettings::Webhook) } else { Ok(base) }
}

fn read(status: u16, body: &[u8]) -> Result<Value, Failure> {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Err(Failure::Unreachable(format!("an answer that is none ({status})")));
    };
    if answer.ok {
        return Ok(answer.result);
    }
    let retry_after = answer.parameters.and_then(|parameters| parameters.retry_after);
    let why: String = answer.description.unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    Err(Failure::Refused { status: answer.error_code.unwrap_or(status), why, retry_after })
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { status: 401 | 404, why, .. } => Self::Refused(format!(
                "Token refused: Telegram does not accept the bot's token ({why}). Ask @BotFather for the right one and enter \
                 it in the settings."
            )),
            Failure::Refused { status: 409, why, .. } => Self::Conflict(format!(
                "Another program uses this bot as well ({why}). End it, or make a bot of its own for this computer."
            )),
            Failure::Refused { status: 429, why, retry_after } => {
                let seconds = retry_after.unwrap_or(USUAL_PAUSE).clamp(1, LONGEST_PAUSE);
                Self::Busy { pause: Duration::from_secs(seconds), why: format!("Telegram wants a pause ({why}).") }
            }
            Failure::Refused { status: 400..=499, why, .. } => {
                Self::Undeliverable(format!("Telegram does not take this ({why})."))
            }
            Failure::Refused { status, why, .. } => {
                Self::Unreachable(format!("Telegram does not work at the moment ({status} {why})."))
            }
            Failure::Unreachable(why) => Self::Unreachable(format!("Telegram cannot be reached ({why}).")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_and_is_never_shown() {
        let token = Token::parse("123456:AAcanary-_x").expect("a token");
        assert_eq!((token.bot(), format!("{token:?}").contains("canary")), ("123456", false));
        for text in
            ["", "123456", "123456:", "x:AAAAAAAAAA", "1:short", "1:AAAAAAAAA/../x", "1:AAAAAAAA\n", ":AAAAAAAAA"]
        {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_telegram_says_is_understood() {
        let trouble = |body: &str, status| Trouble::from(read(status, body.as_bytes()).expect_err("an error"));
        let no = |code: u16| format!(r#"{{"ok":false,"error_code":{code},"description":"because"}}"#);
        assert!(matches!(trouble(&no(401), 401), Trouble::Refused(why) if why.contains("Token refused")));
        assert!(matches!(trouble(&no(409), 409), Trouble::Conflict(why) if why.contains("Another program")));
        assert!(matches!(trouble(&no(403), 403), Trouble::Undeliverable(_)));
        assert!(matches!(trouble(&no(502), 502), Trouble::Unreachable(_)));
        assert!(matches!(trouble("<html>", 502), Trouble::Unreachable(_)));
        let wait = r#"{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":7}}"#;
        assert!(matches!(trouble(wait, 429), Trouble::Busy { pause, .. } if pause.as_secs() == 7));
        let forever = r#"{"ok":false,"error_code":429,"parameters":{"retry_after":18446744073709551615}}"#;
        assert!(matches!(trouble(forever, 429), Trouble::Busy { pause, .. } if pause.as_secs() == LONGEST_PAUSE));
    }
}
