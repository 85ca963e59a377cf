//! What a call asks, checked as the provider checks it.

use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use crate::script::Script;

/// A call that the provider takes.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) streams: bool,
    pub(crate) max_tokens: u64,
    pub(crate) takes_gzip: bool,
    pub(crate) body: Value,
}

/// A call that it refuses: the status and what it says.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) u16, pub(crate) &'static str, pub(crate) String);

impl Refused {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self(400, "invalid_request_error", message.into())
    }

    /// As an answer in the provider's shape.
    pub(crate) fn script(self) -> Script {
        let error = serde_json::json!({"type": self.1, "message": self.2});
        let body = serde_json::json!({"type": "error", "error": error, "request_id": "{{id}}"});
        Script::document(self.0, body.to_string())
    }
}

/// Checks who asks and in which version. With no `key` given, any will do, but not none.
pub(crate) fn check_headers(headers: &HeaderMap, key: Option<&str>) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    match (text("x-api-key").or(bearer), key) {
        (None, _) => return Err(Refused(401, "authentication_error", "x-api-key header is required".into())),
        (Some(given), Some(key)) if given != key => {
            return Err(Refused(401, "authentication_error", "invalid x-api-key".into()));
        }
        _ => {}
    }
    if text("anthropic-version").is_none_or(str::is_empty) {
        return Err(Refused::invalid("anthropic-version: header is required"));
    }
    Ok(())
}

/// Reads the body of a call; `counts` if it only has its tokens counted.
pub(crate) fn read(headers: &HeaderMap, body: &[u8], counts: bool) -> Result<Asked, Refused> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(Refused::invalid("content-type: must be application/json"));
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Refused::invalid(format!("The request body is not valid JSON: {error}")))?;
    let model = body["model"].as_str().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Refused::invalid("model: Field required"))?.to_owned();
    if body["messages"].as_array().is_none_or(Vec::is_empty) {
        return Err(Refused::invalid("messages: at least one message is required"));
    }
    let max_tokens = match body["max_tokens"].as_u64().filter(|most| *most > 0) {
        Some(most) => most,
        None if counts => 0,
        None => return Err(Refused::invalid("max_tokens: Field required, greater than or equal to 1")),
    };
    let takes_gzip = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("gzip"));
    let streams = body["stream"].as_bool().unwrap_or(false);
    Ok(Asked { model, streams, max_tokens, takes_gzip, body })
}

impl Asked {
    /// The text of the last thing that was said to the model, results of tools included.
    pub(crate) fn last_words(&self) -> String {
        match &self.last()["content"] {
            Value::String(text) => text.clone(),
            content => texts(content).join("\n"),
        }
    }

    /// What the last message says of the tools that were called.
    pub(crate) fn tool_results(&self) -> Vec<&Value> {
        let blocks = self.last()["content"].as_array().into_iter().flatten();
        blocks.filter(|block| block["type"] == "tool_result").collect()
    }

    /// The script that the call itself asks for.
    pub(crate) fn marker(&self) -> Option<String> {
        let user = self.body["metadata"]["user_id"].as_str().and_then(|id| id.strip_prefix("script:"));
        user.map(str::to_owned).or_else(|| marker(&self.last_words()))
    }

    pub(crate) fn has_tools(&self) -> bool {
        self.body["tools"].as_array().is_some_and(|tools| !tools.is_empty())
    }

    /// A count of the prompt's tokens that is like the provider's: a quarter of its bytes.
    pub(crate) fn input_tokens(&self) -> usize {
        self.body.to_string().len().div_ceil(4)
    }

    fn last(&self) -> &Value {
        self.body["messages"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null)
    }
}

fn marker(text: &str) -> Option<String> {
    let (_, after) = text.rsplit_once("[script:")?;
    after.split_once(']').map(|(call, _)| call.to_owned())
}

/// The texts of a list of blocks, those inside of tools' results too.
pub(crate) fn texts(content: &Value) -> Vec<String> {
    match content {
        Value::String(text) => vec![text.clone()],
        Value::Array(blocks) => blocks
            .iter()
            .flat_map(|block| match block["type"].as_str() {
                Some("text") => texts(&block["text"]),
                Some("tool_result") => texts(&block["content"]),
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}
