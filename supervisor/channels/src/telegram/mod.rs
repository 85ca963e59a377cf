//! Telegram by its Bot API: fetched by a long poll, or brought to an address of ours.

mod api;
mod markdown;
mod split;
mod update;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use matrixos_types::channels::TELEGRAM;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

pub(crate) use api::{TelegramApi, Token, base};

use crate::channel::{Channel, Doing, News, Trouble};
use api::Failure;

/// How long Telegram holds a poll that has nothing to tell, in seconds.
const POLL: u64 = 50;
/// How long after that it may still be answered.
const GRACE: Duration = Duration::from_secs(15);
const CALL_WITHIN: Duration = Duration::from_secs(30);
/// A sign that comes later than that is none.
const ACTION_WITHIN: Duration = Duration::from_secs(5);
/// Updates that come at once.
const AT_ONCE: u64 = 50;
/// Telegram numbers updates from 1.
const NONE: u64 = 0;

/// One bot.
pub(crate) struct Telegram {
    api: TelegramApi,
    token: Token,
    owner: String,
    secret: String,
    /// The last update that is safe and that Telegram was not told about yet.
    received: AtomicU64,
}

impl Telegram {
    pub(crate) fn new(api: TelegramApi, token: Token, owner: String, secret: String) -> Self {
        Self { api, token, owner, secret, received: AtomicU64::new(NONE) }
    }

    async fn call(&self, method: &str, body: &Value, within: Duration) -> Result<Value, Trouble> {
        self.api.call(&self.token, method, body, within).await.map_err(Trouble::from)
    }

    async fn make_ready(&self) -> Result<(), Trouble> {
        self.call("getMe", &json!({}), CALL_WITHIN).await?;
        let Some(origin) = self.api.webhook() else {
            return self.call("deleteWebhook", &json!({ "drop_pending_updates": false }), CALL_WITHIN).await.map(drop);
        };
        let url = format!("{origin}/channels/{TELEGRAM}/{}", self.owner);
        let hook =
            json!({ "url": url, "secret_token": self.secret, "allowed_updates": ["message"], "max_connections": 4 });
        self.call("setWebhook", &hook, CALL_WITHIN).await.map(drop)
    }

    async fn poll(&self) -> Result<Vec<News>, Trouble> {
        if self.api.webhook().is_some() {
            // They are brought.
            return std::future::pending().await;
        }
        let last = self.received.load(Ordering::SeqCst);
        let mut asked = json!({ "timeout": POLL, "limit": AT_ONCE, "allowed_updates": ["message"] });
        if last != NONE {
            asked["offset"] = json!(last + 1);
        }
        let got = self.call("getUpdates", &asked, Duration::from_secs(POLL) + GRACE).await?;
        let news: Vec<News> = got.as_array().into_iter().flatten().filter_map(update::read).collect();
        // With nothing left behind it, the number has served. Telegram may begin anew with any number after a quiet week,
        // and would not give out lower ones to whoever asks for higher ones.
        if news.is_empty() {
            self.received.store(NONE, Ordering::SeqCst);
        }
        Ok(news)
    }

    /// Formatted first; as plain text where Telegram does not take it so.
    async fn say(&self, chat: &str, text: &str) -> Result<(), Trouble> {
        let mut message = json!({
            "chat_id": chat_id(chat),
            "text": markdown::formatted(text),
            "parse_mode": "MarkdownV2",
            "link_preview_options": { "is_disabled": true },
        });
        match self.api.call(&self.token, "sendMessage", &message, CALL_WITHIN).await {
            Ok(_) => return Ok(()),
            Err(Failure::Refused { status: 400, .. }) => {}
            Err(failure) => return Err(failure.into()),
        }
        message["text"] = json!(text);
        message.as_object_mut().map(|fields| fields.remove("parse_mode"));
        self.call("sendMessage", &message, CALL_WITHIN).await.map(drop)
    }
}

/// Chats have numbers, or names that begin with `@`.
fn chat_id(chat: &str) -> Value {
    chat.parse::<i64>().map_or_else(|_| json!(chat), |number| json!(number))
}

impl Channel for Telegram {
    fn prepare(&self) -> Doing<'_, Result<(), Trouble>> {
        Box::pin(self.make_ready())
    }

    fn receive(&self) -> Doing<'_, Result<Vec<News>, Trouble>> {
        Box::pin(self.poll())
    }

    fn received(&self, last: u64) {
        self.received.store(last, Ordering::SeqCst);
    }

    fn brought(&self, secret: &[u8], body: &[u8]) -> Option<Vec<News>> {
        self.api.webhook()?;
        bool::from(self.secret.as_bytes().ct_eq(secret)).then_some(())?;
        // What is no update is acknowledged all the same: it would be brought again and again.
        let update = serde_json::from_slice::<Value>(body).ok();
        Some(update.as_ref().and_then(update::read).into_iter().collect())
    }

    fn send<'a>(&'a self, chat: &'a str, text: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(self.say(chat, text))
    }

    fn at_work<'a>(&'a self, chat: &'a str) -> Doing<'a, Result<(), Trouble>> {
        let action = json!({ "chat_id": chat_id(chat), "action": "typing" });
        Box::pin(async move { self.call("sendChatAction", &action, ACTION_WITHIN).await.map(drop) })
    }

    fn pieces(&self, text: &str) -> Vec<String> {
        split::pieces(text)
    }
}
