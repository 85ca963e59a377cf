//! A message in its two forms: the events of a stream, and one document. Folding the one and unfolding the other lets
//! every script answer both kinds of calls.

use serde_json::{Map, Value, json};

/// The events of a stream as one message, as a client gathers them. `None` if an event is no JSON, or none begins a message.
pub(crate) fn fold(events: &[String]) -> Option<Value> {
    let mut message = Value::Null;
    for data in events.iter().filter_map(|event| data(event)) {
        let event: Value = serde_json::from_str(data).ok()?;
        match event["type"].as_str() {
            Some("message_start") => message = event["message"].clone(),
            Some("content_block_start") => message["content"].as_array_mut()?.push(event["content_block"].clone()),
            Some("content_block_delta") => add(message["content"].as_array_mut()?.last_mut()?, &event["delta"]),
            Some("message_delta") => finish(&mut message, &event),
            Some("error") => return Some(event),
            _ => {}
        }
    }
    let blocks = message["content"].as_array_mut()?;
    blocks.iter_mut().for_each(close);
    Some(message)
}

fn data(event: &str) -> Option<&str> {
    event.lines().find_map(|line| line.strip_prefix("data: "))
}

fn add(block: &mut Value, delta: &Value) {
    match delta["type"].as_str() {
        Some("text_delta") => append(block, "text", &delta["text"]),
        Some("thinking_delta") => append(block, "thinking", &delta["thinking"]),
        Some("signature_delta") => append(block, "signature", &delta["signature"]),
        Some("input_json_delta") => append(block, "unparsed", &delta["partial_json"]),
        Some("compaction_delta") => block["content"] = delta["content"].clone(),
        Some("citations_delta") => block["citations"] = json!([delta["citation"]]),
        _ => {}
    }
}

fn append(block: &mut Value, key: &str, more: &Value) {
    let so_far = block[key].as_str().unwrap_or_default();
    block[key] = json!(so_far.to_owned() + more.as_str().unwrap_or_default());
}

fn close(block: &mut Value) {
    let Some(unparsed) = block.as_object_mut().and_then(|block| block.remove("unparsed")) else { return };
    block["input"] = unparsed.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| json!({}));
}

fn finish(message: &mut Value, event: &Value) {
    for (part, into) in [(&event["delta"], None), (&event["usage"], Some("usage"))] {
        let target = if let Some(key) = into { &mut message[key] } else { &mut *message };
        for (key, value) in part.as_object().into_iter().flatten() {
            target[key] = value.clone();
        }
    }
}

/// A message as the events that a stream of it would have. `None` if it is no message.
pub(crate) fn unfold(document: &str) -> Option<Vec<String>> {
    let whole: Value = serde_json::from_str(document).ok()?;
    let blocks = whole["content"].as_array()?;
    let mut events = vec![start(&whole)];
    for (index, block) in blocks.iter().enumerate() {
        events.extend(block_events(index, block));
    }
    let delta = json!({"stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"]});
    events.push(event(json!({"type": "message_delta", "delta": delta, "usage": cumulative(&whole["usage"])})));
    events.push(event(json!({"type": "message_stop"})));
    Some(events)
}

fn start(whole: &Value) -> String {
    let mut message = whole.clone();
    message["content"] = json!([]);
    message["stop_reason"] = Value::Null;
    message["usage"]["output_tokens"] = json!(1);
    event(json!({"type": "message_start", "message": message}))
}

/// What a `message_delta` says of the usage: it lacks the split of what was written to the cache.
fn cumulative(usage: &Value) -> Value {
    let kept =
        ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "iterations"];
    let all = usage.as_object().into_iter().flatten();
    let some: Map<_, _> =
        all.filter(|(key, _)| kept.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
    Value::Object(some)
}

fn block_events(index: usize, block: &Value) -> Vec<String> {
    let (key, delta): (_, Vec<Value>) = match block["type"].as_str() {
        Some("text") => ("text", words(&block["text"]).map(|w| json!({"type": "text_delta", "text": w})).collect()),
        Some("tool_use") => ("input", input_deltas(&block["input"])),
        _ => ("", Vec::new()),
    };
    let mut empty = block.clone();
    match key {
        "text" => empty["text"] = json!(""),
        "input" => empty["input"] = json!({}),
        _ => {}
    }
    let mut events = vec![event(json!({"type": "content_block_start", "index": index, "content_block": empty}))];
    events.extend(delta.iter().map(|d| event(json!({"type": "content_block_delta", "index": index, "delta": d}))));
    events.push(event(json!({"type": "content_block_stop", "index": index})));
    events
}

fn words(text: &Value) -> impl Iterator<Item = &str> {
    text.as_str().unwrap_or_default().split_inclusive(' ')
}

/// The input of a tool in two pieces, torn in the middle as the provider tears it.
fn input_deltas(input: &Value) -> Vec<Value> {
    let text = input.to_string();
    let middle = (text.len() / 2..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (first, rest) = text.split_at(middle);
    [first, rest].iter().map(|part| json!({"type": "input_json_delta", "partial_json": part})).collect()
}

fn event(value: Value) -> String {
    format!("event: {}\ndata: {value}", value["type"].as_str().unwrap_or_default())
}
