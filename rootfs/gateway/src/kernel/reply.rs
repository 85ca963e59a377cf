//! A streamed answer, put together event by event. Events of a kind this does not know are passed over.

use std::collections::BTreeMap;

use matrixos_types::kernel::TokenUsage;
use serde_json::{Value, json};

use super::error::TurnError;

/// Most bytes of text, and of one tool's input; behind that the answer is cut off.
const LONGEST: usize = 1 << 20;
/// Most content blocks of one answer.
const BLOCKS: usize = 256;

/// What has come so far.
#[derive(Default)]
pub(crate) struct Reply {
    blocks: BTreeMap<u64, Block>,
    usage: BTreeMap<&'static str, u64>,
    pub(crate) stop: Option<String>,
    pub(crate) ended: bool,
    /// Tool uses whose input was not JSON, by id.
    pub(crate) invalid: Vec<String>,
    length: usize,
}

struct Block {
    value: Value,
    /// The input of a tool, which comes as pieces of JSON.
    input: String,
    whole: bool,
}

/// Names of the provider, as they are counted here.
const COUNTED: &[&str] = &["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];

impl Reply {
    pub(crate) fn take(&mut self, event: &[u8], said: &mut (dyn FnMut(&str) + Send)) -> Result<(), TurnError> {
        let event: Value =
            serde_json::from_slice(event).map_err(|_| TurnError::Upstream("its answer was not JSON".to_owned()))?;
        let index = event["index"].as_u64().unwrap_or(0);
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.count(&event["message"]["usage"]),
            "content_block_start" => self.start(index, event["content_block"].clone())?,
            "content_block_delta" => self.add(index, &event["delta"], said)?,
            "content_block_stop" => self.stop_block(index),
            "message_delta" => {
                self.count(&event["usage"]);
                self.stop = event["delta"]["stop_reason"].as_str().map(str::to_owned).or(self.stop.take());
            }
            "message_stop" => self.ended = true,
            "error" => return Err(failure(&event["error"])),
            _ => {}
        }
        Ok(())
    }

    /// Counts are cumulative: of each, the newest one holds (they are never added up).
    fn count(&mut self, usage: &Value) {
        for name in COUNTED {
            if let Some(tokens) = usage[*name].as_u64() {
                self.usage.insert(name, tokens);
            }
        }
    }

    pub(crate) fn usage(&self) -> TokenUsage {
        let of = |name| self.usage.get(name).copied().unwrap_or_default();
        TokenUsage {
            input: of(COUNTED[0]),
            output: of(COUNTED[1]),
            cache_read: of(COUNTED[2]),
            cache_write: of(COUNTED[3]),
        }
    }

    fn start(&mut self, index: u64, value: Value) -> Result<(), TurnError> {
        if self.blocks.len() >= BLOCKS || !value.is_object() {
            return Err(TurnError::Upstream("its answer had no sensible shape".to_owned()));
        }
        self.blocks.insert(index, Block { value, input: String::new(), whole: false });
        Ok(())
    }

    fn add(&mut self, index: u64, delta: &Value, said: &mut (dyn FnMut(&str) + Send)) -> Result<(), TurnError> {
        let Some(block) = self.blocks.get_mut(&index) else { return Ok(()) };
        let (field, name) = match delta["type"].as_str().unwrap_or_default() {
            "text_delta" => ("text", "text"),
            "thinking_delta" => ("thinking", "thinking"),
            "signature_delta" => ("signature", "signature"),
            "input_json_delta" => ("", "partial_json"),
            _ => return Ok(()),
        };
        let piece = delta[name].as_str().unwrap_or_default();
        self.length += piece.len();
        if self.length > LONGEST {
            return Err(TurnError::Upstream("its answer was longer than 1 MiB".to_owned()));
        }
        if field.is_empty() {
            block.input.push_str(piece);
            return Ok(());
        }
        match &mut block.value[field] {
            Value::String(text) => text.push_str(piece),
            other => *other = Value::String(piece.to_owned()),
        }
        if field == "text" && !piece.is_empty() {
            said(piece);
        }
        Ok(())
    }

    fn stop_block(&mut self, index: u64) {
        let Some(block) = self.blocks.get_mut(&index) else { return };
        block.whole = true;
        if block.value["type"] != "tool_use" || block.input.is_empty() {
            return;
        }
        match serde_json::from_str::<Value>(&block.input) {
            Ok(input @ Value::Object(_)) => block.value["input"] = input,
            _ => {
                // The API takes only an object back; the model is told that what it wrote was none.
                block.value["input"] = json!({});
                self.invalid.extend(block.value["id"].as_str().map(str::to_owned));
            }
        }
    }

    /// The blocks that may go back to the model. Of an answer that broke off, begun text counts, a begun tool use does not.
    pub(crate) fn finish(self) -> Vec<Value> {
        let worth = |block: &Block| match block.value["type"].as_str() {
            Some("text") => block.value["text"].as_str().is_some_and(|text| !text.trim().is_empty()),
            _ => block.whole,
        };
        self.blocks.into_values().filter(worth).map(|block| block.value).collect()
    }
}

fn failure(error: &Value) -> TurnError {
    let message: String = error["message"].as_str().unwrap_or("no reason given").chars().take(300).collect();
    match error["type"].as_str().unwrap_or_default() {
        "overloaded_error" | "rate_limit_error" => TurnError::Busy(message),
        "billing_error" => TurnError::NoBudget(message),
        _ => TurnError::Upstream(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(events: &[Value]) -> (Reply, Vec<String>, Result<(), TurnError>) {
        let (mut reply, mut heard) = (Reply::default(), Vec::new());
        let mut result = Ok(());
        for event in events {
            result =
                result.and_then(|()| reply.take(event.to_string().as_bytes(), &mut |text| heard.push(text.to_owned())));
        }
        (reply, heard, result)
    }

    #[test]
    fn text_and_parallel_tools_are_put_together() {
        let (reply, heard, result) = fed(&[
            json!({"type":"message_start","message":{"usage":{"input_tokens":10,"output_tokens":1,"cache_read_input_tokens":5}}}),
            json!({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}),
            json!({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}),
            json!({"type":"ping"}),
            json!({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}),
            json!({"type":"content_block_stop","index":0}),
            json!({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"x","input":{}}}),
            json!({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"b","name":"y","input":{}}}),
            json!({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"p\":"}}),
            json!({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"p"}}),
            json!({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}),
            json!({"type":"content_block_stop","index":1}),
            json!({"type":"content_block_stop","index":2}),
            json!({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}}),
            json!({"type":"message_delta","delta":{},"usage":{"output_tokens":9,"input_tokens":null}}),
            json!({"type":"message_stop"}),
        ]);
        assert!(result.is_ok() && reply.ended);
        assert_eq!(heard, ["Hel", "lo"]);
        assert_eq!(reply.usage(), TokenUsage { input: 10, output: 9, cache_read: 5, cache_write: 0 });
        assert_eq!((reply.stop.as_deref(), reply.invalid.as_slice()), (Some("tool_use"), &["b".to_owned()][..]));
        let content = reply.finish();
        assert_eq!(content[0]["text"], "Hello");
        assert_eq!((&content[1]["input"], &content[2]["input"]), (&json!({"p":1}), &json!({})));
    }

    #[test]
    fn of_an_answer_that_breaks_off_the_text_is_kept_and_a_begun_tool_use_is_not() {
        let (reply, _, result) = fed(&[
            json!({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"begun"}}),
            json!({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"x","input":{}}}),
            json!({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}),
        ]);
        assert!(matches!(result, Err(TurnError::Busy(_))));
        assert_eq!(reply.finish(), [json!({"type":"text","text":"begun"})]);
    }

    #[test]
    fn ten_megabytes_of_text_are_cut_off() {
        let piece =
            json!({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x".repeat(500_000)}});
        let start = json!({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}});
        let (_, heard, result) = fed(&[start, piece.clone(), piece.clone(), piece.clone(), piece]);
        assert!(result.is_err() && heard.len() == 2);
    }
}
