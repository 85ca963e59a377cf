//! What Telegram tells (core.telegram.org/bots/api#update). It comes from outside: what is missing or odd is left out.

use serde_json::Value;

use crate::channel::{Content, Inbound, News};

/// Longest name that is passed on, in characters.
const NAME: usize = 60;
const ONLY_TEXT: &str = "I can only read text so far.";
const STARTED: &str = "I am here. Write me what you would like to know or to have done.";

/// An update; nothing if it has no number, for then it cannot be acknowledged either.
pub(crate) fn read(update: &Value) -> Option<News> {
    let number = update["update_id"].as_u64()?;
    Some(News { update: number, message: message(&update["message"]) })
}

fn message(message: &Value) -> Option<Inbound> {
    let (from, chat) = (&message["from"], message["chat"]["id"].as_i64()?);
    if from["is_bot"].as_bool() == Some(true) {
        return None;
    }
    let content = match message["text"].as_str() {
        Some("/start") => Content::Answered(STARTED),
        Some(text) if !text.trim().is_empty() => Content::Text(text.to_owned()),
        _ => Content::Answered(ONLY_TEXT),
    };
    Some(Inbound { sender: from["id"].as_i64()?.to_string(), name: name(from), chat: chat.to_string(), content })
}

fn name(from: &Value) -> Option<String> {
    let text = |field: &str| from[field].as_str().unwrap_or_default();
    let whole = format!("{} {}", text("first_name"), text("last_name"));
    let name: String = whole.trim().chars().filter(|c| !c.is_control()).take(NAME).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn from(message: Value) -> Option<Inbound> {
        read(&json!({ "update_id": 5, "message": message })).expect("an update").message
    }

    #[test]
    fn texts_are_read_and_everything_else_is_answered_plainly() {
        let who = json!({ "id": 7, "is_bot": false, "first_name": "Alice", "last_name": "B." });
        let text = from(json!({ "from": who, "chat": { "id": -7 }, "text": "hello" })).expect("a message");
        assert_eq!((text.sender.as_str(), text.chat.as_str(), text.name.as_deref()), ("7", "-7", Some("Alice B.")));
        assert_eq!(text.content, Content::Text("hello".to_owned()));
        for other in [json!({ "photo": [] }), json!({ "text": " " }), json!({ "text": 5 }), json!({ "voice": {} })] {
            let mut message = json!({ "from": who, "chat": { "id": 7 } });
            message.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
            assert_eq!(from(message).expect("a message").content, Content::Answered(ONLY_TEXT));
        }
    }

    #[test]
    fn what_is_odd_is_left_out() {
        assert_eq!(read(&json!({ "message": {} })), None);
        assert_eq!(read(&json!({ "update_id": -1 })), None);
        for odd in [
            json!(null),
            json!("text"),
            json!({ "chat": { "id": 7 }, "text": "a channel's post" }),
            json!({ "from": { "id": 7, "is_bot": true }, "chat": { "id": 7 }, "text": "a bot" }),
            json!({ "from": { "id": "7" }, "chat": { "id": 7 }, "text": "x" }),
            json!({ "from": { "id": 7 }, "chat": {}, "text": "x" }),
        ] {
            assert_eq!(from(odd.clone()), None, "{odd}");
        }
    }
}
