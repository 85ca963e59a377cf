//! What a call to the Messages API asks for, as far as the platform must know it. Everything else passes unread.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Longest list of fields of a request; the API knows about thirty.
const FIELDS: usize = 200;

/// The fields that make a prompt.
const PROMPT: &[&str] = &["model", "messages", "system", "tools", "tool_choice", "thinking"];

/// The body of a call, read once. The fields keep their order and their exact text.
#[derive(Debug)]
pub struct Asked {
    /// The model, as written.
    pub model: String,
    /// The most tokens that the answer may have.
    pub max_tokens: u64,
    /// Whether the answer is wanted as a stream of events.
    pub stream: bool,
    /// Bytes of the body as it came.
    pub bytes: usize,
    fields: Vec<(String, Box<RawValue>)>,
}

/// Why a body is no call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCall {
    /// No JSON object, a field that comes twice, or one of the wrong type.
    #[error("the body is not what the Messages API expects: {0}")]
    Malformed(String),
    /// A field that must be there is not.
    #[error("{0}: field required")]
    Missing(&'static str),
    /// `max_tokens` is no number that an answer could have.
    #[error("max_tokens: give a whole number from 1 to 1000000")]
    MaxTokens,
    /// Something whose cost the answer does not tell.
    #[error("{0} is not offered here: what it costs cannot be told from the answer")]
    Unpriced(String),
}

impl Asked {
    /// Reads a body. Two fields of one name are refused: which of them the provider would believe is not known here.
    pub fn parse(body: &[u8]) -> Result<Self, BadCall> {
        let Fields(fields) = serde_json::from_slice(body).map_err(|error| BadCall::Malformed(error.to_string()))?;
        let model = required::<String>(&fields, "model")?;
        let max_tokens = required::<u64>(&fields, "max_tokens").map_err(|error| match error {
            BadCall::Malformed(_) => BadCall::MaxTokens,
            other => other,
        })?;
        if !(1..=1_000_000).contains(&max_tokens) {
            return Err(BadCall::MaxTokens);
        }
        let stream = optional::<bool>(&fields, "stream")?.unwrap_or(false);
        let asked = Self { model, max_tokens, stream, bytes: body.len(), fields };
        asked.ensure_priced()?;
        Ok(asked)
    }

    /// The body with another limit for the answer; everything else as it came.
    pub fn with_max_tokens(&self, most: u64) -> Vec<u8> {
        let limit = RawValue::from_string(most.to_string()).expect("a number is JSON");
        self.rewritten(|name, value| Some(if name == "max_tokens" { &limit } else { value }))
    }

    /// The body with other values, or without some fields.
    fn rewritten<'a>(&'a self, value_of: impl Fn(&str, &'a RawValue) -> Option<&'a RawValue>) -> Vec<u8> {
        let mut text = b"{".to_vec();
        for (name, value) in &self.fields {
            let Some(value) = value_of(name, value) else { continue };
            if text.len() > 1 {
                text.push(b',');
            }
            serde_json::to_writer(&mut text, name).expect("a string is JSON");
            text.push(b':');
            text.extend_from_slice(value.get().as_bytes());
        }
        text.push(b'}');
        text
    }

    /// A wish for speed that has a price of its own: `standard`, `fast`.
    pub fn speed(&self) -> Option<String> {
        optional(&self.fields, "speed").ok().flatten()
    }

    /// Where the model is to run, which may have a price of its own: `us`, `global`.
    pub fn inference_geo(&self) -> Option<String> {
        optional(&self.fields, "inference_geo").ok().flatten()
    }

    /// Whether anything may be cached for an hour, which costs more. An escaped text is not looked into.
    pub fn caches_for_an_hour(&self) -> bool {
        self.fields.iter().any(|(_, value)| value.get().contains("1h") || value.get().contains("\\u"))
    }

    /// The same prompt as a body for `count_tokens`, which knows no other fields.
    pub fn for_counting(&self) -> Vec<u8> {
        self.rewritten(|name, value| PROMPT.contains(&name).then_some(value))
    }

    /// Containers that run code at the provider are charged by the hour, and no answer says for how long.
    fn ensure_priced(&self) -> Result<(), BadCall> {
        #[derive(Deserialize)]
        struct Tool {
            #[serde(default, rename = "type")]
            kind: Option<String>,
        }
        let tools: Option<Vec<Tool>> = optional(&self.fields, "tools")?;
        let kinds = tools.into_iter().flatten().filter_map(|tool| tool.kind);
        match kinds.into_iter().find(|kind| kind.starts_with("code_execution")) {
            Some(kind) => Err(BadCall::Unpriced(format!("the tool {}", shortened(&kind)))),
            None => Ok(()),
        }
    }
}

/// The model of a body of which nothing else need be known.
pub(super) fn model(body: &[u8]) -> Result<String, BadCall> {
    let Fields(fields) = serde_json::from_slice(body).map_err(|error| BadCall::Malformed(error.to_string()))?;
    required::<String>(&fields, "model")
}

/// Somebody else's text in a message of ours.
pub(super) fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn find<'a>(fields: &'a [(String, Box<RawValue>)], name: &str) -> Option<&'a RawValue> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| &**value)
}

fn optional<T: for<'de> Deserialize<'de>>(
    fields: &[(String, Box<RawValue>)],
    name: &'static str,
) -> Result<Option<T>, BadCall> {
    let Some(value) = find(fields, name) else { return Ok(None) };
    serde_json::from_str(value.get()).map_err(|error| BadCall::Malformed(format!("{name}: {error}")))
}

fn required<T: for<'de> Deserialize<'de>>(
    fields: &[(String, Box<RawValue>)],
    name: &'static str,
) -> Result<T, BadCall> {
    optional::<T>(fields, name)?.ok_or(BadCall::Missing(name))
}

/// A JSON object whose fields keep their text, each name once.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.iter().any(|(known, _)| *known == name) {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format_args!("the field {} comes twice", shortened(&name))));
            }
            if fields.len() == FIELDS {
                return Err(A::Error::custom("too many fields"));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_call_is_read_and_its_unknown_fields_keep_their_text() {
        let body =
            br#"{"model":"claude-sonnet-5-5", "new_thing": {"b":1,"a":[1.50, 2e3]},"max_tokens":1024,"stream":true}"#;
        let asked = Asked::parse(body).expect("a call");
        assert_eq!((asked.model.as_str(), asked.max_tokens, asked.stream), ("claude-sonnet-5-5", 1024, true));
        let clamped = String::from_utf8(asked.with_max_tokens(7)).expect("text");
        let same = r#"{"model":"claude-sonnet-5-5","new_thing":{"b":1,"a":[1.50, 2e3]},"max_tokens":7,"stream":true}"#;
        assert_eq!(clamped, same);
        assert_eq!(asked.for_counting(), br#"{"model":"claude-sonnet-5-5"}"#);
        assert!(!asked.caches_for_an_hour());
    }

    #[test]
    fn what_the_provider_could_read_in_another_way_is_refused() {
        for (body, says) in [
            (r#"{"model":"claude-haiku-5-5","max_tokens":1,"model":"claude-opus-5"}"#, "model comes twice"),
            (r#"{"model":"a","max_tokens":1,"max_tokens":2}"#, "max_tokens comes twice"),
            (r#"{"model":"a","max_tokens":1,"\u006dodel":"b"}"#, "model comes twice"),
            (r#"{"max_tokens":1}"#, "model: field required"),
            (r#"{"model":"a"}"#, "max_tokens: field required"),
            (r#"{"model":null,"max_tokens":1}"#, "model:"),
            (r#"{"model":["a"],"max_tokens":1}"#, "model:"),
            (r#"{"model":"a","max_tokens":0}"#, "from 1 to 1000000"),
            (r#"{"model":"a","max_tokens":-1}"#, "from 1 to 1000000"),
            (r#"{"model":"a","max_tokens":1e30}"#, "from 1 to 1000000"),
            (r#"{"model":"a","max_tokens":1.5}"#, "from 1 to 1000000"),
            (r#"{"model":"a","max_tokens":"10"}"#, "from 1 to 1000000"),
            (r#"{"model":"a","max_tokens":1,"stream":"yes"}"#, "stream:"),
            (
                r#"{"model":"a","max_tokens":1,"tools":[{"type":"code_execution_20250825","name":"x"}]}"#,
                "is not offered here",
            ),
            ("[]", "expected an object"),
            ("", "EOF"),
            ("{\"model\":\"a\",\"max_tokens\":1}}", "trailing"),
        ] {
            let error = Asked::parse(body.as_bytes()).expect_err(body).to_string();
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Asked::parse(&body);
        }

        #[test]
        fn only_the_limit_changes(names in prop::collection::btree_set("[a-z]{1,8}", 0..5), most in 1u64..1_000) {
            let mut object = serde_json::Map::new();
            for (index, name) in names.into_iter().enumerate() {
                object.insert(format!("x_{name}"), Value::from(index));
            }
            object.insert("model".to_owned(), "m".into());
            object.insert("max_tokens".to_owned(), 9.into());
            let asked = Asked::parse(Value::Object(object.clone()).to_string().as_bytes()).expect("a call");
            object.insert("max_tokens".to_owned(), most.into());
            let read: Value = serde_json::from_slice(&asked.with_max_tokens(most)).expect("JSON");
            prop_assert_eq!(read, Value::Object(object));
        }
    }
}
