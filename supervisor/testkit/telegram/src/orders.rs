//! Telegram's people, for tests in other programs: `/_…` beside the Bot API.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::bots::{Fault, State};

#[derive(Deserialize)]
struct Order {
    token: String,
    #[serde(default)]
    from: i64,
    chat: Option<i64>,
    text: Option<String>,
    /// What a message holds in place of a text.
    content: Option<Value>,
    method: Option<String>,
    fault: Option<Fault>,
}

/// `POST /_bots`, `/_revoke`, `/_say`, `/_fail`, `/_sent`, each with the bot's token; `/_calls` with nothing.
pub(crate) fn obey(state: &State, path: &str, body: &[u8]) -> Result<Value, String> {
    if path == "/_calls" {
        return Ok(json!(state.calls()));
    }
    let order: Order = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let unknown = || "there is no bot with that token".to_owned();
    match path {
        "/_bots" => {
            state.add_bot(&order.token);
            Ok(json!({}))
        }
        "/_revoke" => Ok(json!({ "was": state.bots().remove(&order.token).is_some() })),
        "/_say" => {
            let message = message(&order);
            let number = state.with(&order.token, |bot| bot.tell(None, message)).ok_or_else(unknown)?;
            Ok(json!({ "update_id": number }))
        }
        "/_fail" => {
            let (method, fault) = order.method.zip(order.fault).ok_or("method and fault")?;
            state.with(&order.token, |bot| bot.faults.push((method, fault))).ok_or_else(unknown)?;
            Ok(json!({}))
        }
        "/_sent" => state
            .with(&order.token, |bot| json!({ "sent": bot.sent, "pending": bot.updates.len() }))
            .ok_or_else(unknown),
        other => Err(format!("there is no {other}")),
    }
}

fn message(order: &Order) -> Value {
    let chat = order.chat.unwrap_or(order.from);
    let mut message = json!({
        "message_id": 1,
        "date": 1_800_000_000,
        "from": { "id": order.from, "is_bot": false, "first_name": format!("Person{}", order.from) },
        "chat": { "id": chat, "type": if chat < 0 { "group" } else { "private" } },
    });
    if let Some(text) = &order.text {
        message["text"] = json!(text);
    }
    for (name, value) in order.content.iter().filter_map(Value::as_object).flatten() {
        message[name] = value.clone();
    }
    message
}
