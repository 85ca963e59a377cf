//! The methods of the Bot API that there are here, with Telegram's own words for what is wrong.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::bots::{Bot, Hook, How, Sent, State};
use crate::{hook, markdown};

/// Longest text, in UTF-16 units, once it is without marks.
const LONGEST: usize = 4_096;

/// What comes of a call.
pub(crate) enum Outcome {
    /// Its result.
    Done(Value),
    /// An error: status, description, seconds to wait.
    Error(u16, String, Option<u64>),
    /// The connection ends.
    Cut,
}

pub(crate) fn error(status: u16, why: &str) -> Outcome {
    Outcome::Error(status, why.to_owned(), None)
}

/// Does what a bot asks for.
pub(crate) async fn call(state: &Arc<State>, token: &str, method: &str, parameters: &Value) -> Outcome {
    let Some(fault) = state.with(token, |bot| bot.fault(method)) else {
        return if token.contains(':') { error(401, "Unauthorized") } else { error(404, "Not Found") };
    };
    match fault {
        Some(How::CutBefore) => Outcome::Cut,
        Some(How::Status(status)) => error(status, "Scripted: this was to go wrong"),
        Some(How::TooMany(wait)) => Outcome::Error(429, format!("Too Many Requests: retry after {wait}"), Some(wait)),
        Some(How::CutAfter) => {
            act(state, token, method, parameters).await;
            Outcome::Cut
        }
        None => act(state, token, method, parameters).await,
    }
}

async fn act(state: &Arc<State>, token: &str, method: &str, parameters: &Value) -> Outcome {
    let with = |how: &dyn Fn(&mut Bot) -> Outcome| state.with(token, |bot| how(bot));
    let done = match method {
        "getMe" => with(&|_| Outcome::Done(json!({ "id": bot_id(token), "is_bot": true, "username": "scripted_bot" }))),
        "getUpdates" => return updates(state, token, parameters).await,
        "setWebhook" => {
            let set = with(&|bot| set_hook(bot, parameters));
            hook::deliver(state.clone(), token.to_owned());
            set
        }
        "deleteWebhook" => with(&|bot| {
            bot.hook = None;
            Outcome::Done(json!(true))
        }),
        "sendMessage" => with(&|bot| send(bot, parameters)),
        "sendChatAction" => with(&|bot| show(bot, parameters)),
        _ => return error(404, "Not Found"),
    };
    done.unwrap_or_else(|| error(401, "Unauthorized"))
}

fn bot_id(token: &str) -> u64 {
    token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default()
}

fn set_hook(bot: &mut Bot, parameters: &Value) -> Outcome {
    let url = parameters["url"].as_str().unwrap_or_default();
    if !["https://", "http://127.0.0.1", "http://localhost"].iter().any(|here| url.starts_with(here)) {
        return error(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    }
    let secret = parameters["secret_token"].as_str().map(str::to_owned);
    bot.hook = Some(Hook { url: url.to_owned(), secret });
    Outcome::Done(json!(true))
}

/// Waits until there is something, as long as the bot wants to; a newer poll ends an older one.
async fn updates(state: &Arc<State>, token: &str, parameters: &Value) -> Outcome {
    let number = |name: &str, usual: u64| parameters[name].as_u64().unwrap_or(usual);
    let until = Instant::now() + Duration::from_secs(number("timeout", 0).min(50));
    let limit = usize::try_from(number("limit", 100).clamp(1, 100)).unwrap_or(100);
    let begun = state.with(token, |bot| {
        bot.poll += 1;
        bot.updates.retain(|update, _| *update >= number("offset", 0));
        bot.poll
    });
    loop {
        let mut news = std::pin::pin!(state.news.notified());
        news.as_mut().enable();
        let looked = match state.bots().get(token) {
            None => return error(401, "Unauthorized"),
            Some(bot) if bot.hook.is_some() => {
                let why = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete \
                           the webhook first";
                return error(409, why);
            }
            Some(bot) if Some(bot.poll) != begun => {
                let why = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is \
                           running";
                return error(409, why);
            }
            Some(bot) => bot.updates.values().take(limit).cloned().collect::<Vec<_>>(),
        };
        if !looked.is_empty() || timeout_at(until, news).await.is_err() {
            return Outcome::Done(json!(looked));
        }
    }
}

/// What a chat is shown for five seconds (core.telegram.org/bots/api#sendchataction).
const ACTIONS: &[&str] = &[
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

fn show(bot: &Bot, parameters: &Value) -> Outcome {
    if !parameters["action"].as_str().is_some_and(|action| ACTIONS.contains(&action)) {
        return error(400, "Bad Request: wrong parameter action in request");
    }
    match chat_of(bot, parameters) {
        Ok(_) => Outcome::Done(json!(true)),
        Err(refusal) => refusal,
    }
}

fn chat_of(bot: &Bot, parameters: &Value) -> Result<i64, Outcome> {
    let chat = parameters["chat_id"].as_i64().ok_or_else(|| error(400, "Bad Request: chat_id is empty"))?;
    if !bot.chats.contains(&chat) {
        return Err(error(400, "Bad Request: chat not found"));
    }
    if bot.blocked.contains(&chat) {
        return Err(error(403, "Forbidden: bot was blocked by the user"));
    }
    Ok(chat)
}

fn send(bot: &mut Bot, parameters: &Value) -> Outcome {
    let text = parameters["text"].as_str().unwrap_or_default();
    let formatted = match parameters["parse_mode"].as_str() {
        None => false,
        Some("MarkdownV2") => true,
        Some(_) => return error(400, "Bad Request: unsupported parse_mode"),
    };
    let seen = if formatted { markdown::plain(text) } else { Ok(text.to_owned()) };
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => return error(400, &format!("Bad Request: can't parse entities: {why}")),
    };
    if seen.trim().is_empty() {
        return error(400, "Bad Request: message text is empty");
    }
    if seen.encode_utf16().count() > LONGEST {
        return error(400, "Bad Request: message is too long");
    }
    let chat = match chat_of(bot, parameters) {
        Ok(chat) => chat,
        Err(refusal) => return refusal,
    };
    bot.sent.push(Sent { chat, text: seen, formatted });
    Outcome::Done(json!({ "message_id": bot.sent.len(), "date": 1_800_000_000, "chat": { "id": chat } }))
}
