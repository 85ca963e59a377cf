//! Answers as the provider gives them, and as a hostile one might.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::reader::UsageReader;
use super::usage::*;

fn whole(body: &Value) -> Settled {
    let mut reader = UsageReader::default();
    reader.json(body.to_string().as_bytes());
    reader.progress()
}

fn stream(events: &[Value]) -> Settled {
    let mut reader = UsageReader::default();
    events.iter().for_each(|event| reader.sse(line(event).as_bytes()));
    reader.progress()
}

fn line(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or("message"))
}

fn start(usage: &Value) -> Value {
    json!({ "type": "message_start", "message": { "type": "message", "content": [], "usage": usage } })
}

fn delta(usage: &Value) -> Value {
    json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": usage })
}

fn text(text: &str) -> Value {
    json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } })
}

fn stop() -> Value {
    json!({ "type": "message_stop" })
}

#[test]
fn a_whole_answer_says_what_it_used() {
    let usage = json!({
        "input_tokens": 10, "output_tokens": 20, "cache_creation_input_tokens": 37, "cache_read_input_tokens": 40,
        "cache_creation": { "ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 5 },
        "server_tool_use": { "web_search_requests": 3, "web_fetch_requests": 1 },
        "service_tier": "standard", "inference_geo": "us", "speed": "fast",
    });
    let read = whole(&json!({ "type": "message", "content": [], "usage": usage }));
    let tokens = Tokens { input: 10, output: 20, write_5m: 30, write_1h: 5, write_unsplit: 2, read: 40 };
    let (speed, geo) = (Some("fast".to_owned()), Some("us".to_owned()));
    assert_eq!(read.usage, Usage { tokens, searches: 3, speed, geo, parts: vec![] });
    assert_eq!((read.ending, read.known), (Ending::Complete, true));
}

#[test]
fn of_a_stream_the_totals_count_and_are_never_added() {
    let split = json!({ "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 50 });
    let first = json!({
        "input_tokens": 9, "output_tokens": 2, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 7,
        "cache_creation": split,
    });
    let read = stream(&[
        start(&first),
        json!({ "type": "ping" }),
        text("Hello"),
        delta(&json!({ "output_tokens": 30, "input_tokens": null })),
        delta(
            &json!({ "output_tokens": 45, "input_tokens": 12, "cache_creation_input_tokens": 50, "server_tool_use": { "web_search_requests": 2 } }),
        ),
        stop(),
    ]);
    assert_eq!(
        read.usage.tokens,
        Tokens { input: 12, output: 45, write_5m: 0, write_1h: 50, write_unsplit: 0, read: 7 }
    );
    assert_eq!((read.usage.searches, read.ending), (2, Ending::Complete));
    assert_eq!(read.text.at_most(), 5 + 2 * "end_turn".len() as u64);
}

#[test]
fn passes_are_listed_with_their_models() {
    let parts = json!([
        { "type": "compaction", "input_tokens": 900, "output_tokens": 80 },
        { "type": "message", "model": "claude-opus-5", "input_tokens": 9, "output_tokens": 3 },
    ]);
    let usage = json!({ "input_tokens": 9, "output_tokens": 3, "iterations": parts });
    for read in [
        whole(&json!({ "type": "message", "usage": usage })),
        stream(&[start(&json!({ "input_tokens": 9, "output_tokens": 1 })), delta(&usage), stop()]),
    ] {
        assert_eq!(read.usage.parts.len(), 2);
        assert_eq!(read.usage.parts[1].model.as_deref(), Some("claude-opus-5"));
        let total = read.usage.total();
        assert_eq!((total.input, total.output, read.ending), (909, 83, Ending::Complete));
    }
}

#[test]
fn an_answer_that_breaks_off_or_does_not_say_is_not_complete() {
    let begun = start(&json!({ "input_tokens": 5, "output_tokens": 1 }));
    let usage = json!({ "input_tokens": 5, "output_tokens": 3 });
    for (events, known) in [
        (vec![], false),
        (vec![begun.clone()], true),
        (vec![begun.clone(), text("a"), delta(&usage)], true),
        (vec![begun.clone(), text("a"), stop()], true),
        (vec![begun.clone(), delta(&json!(null)), stop()], true),
        (vec![begun.clone(), delta(&json!({})), stop()], true),
        (vec![text("a"), stop()], false),
        (vec![delta(&json!({ "output_tokens": 3 })), stop()], false),
    ] {
        let read = stream(&events);
        assert_eq!((read.ending, read.known), (Ending::Partial, known), "{events:?}");
    }
    let failed = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "secret" } });
    assert_eq!(stream(&[begun, text("ab"), failed.clone()]).ending, Ending::Error("overloaded_error".to_owned()));
    assert_eq!(whole(&failed).ending, Ending::Error("overloaded_error".to_owned()));
    for body in [json!({ "type": "message" }), json!([]), json!({ "usage": { "output_tokens": 1 } })] {
        assert_ne!(whole(&body).ending, Ending::Complete, "{body}");
    }
}

#[test]
fn what_cannot_be_true_is_not_believed_and_makes_nothing_cheaper() {
    for bad in [json!(-1), json!("7"), json!(1.5), json!(1e30), json!(u64::MAX), json!([]), json!(true), json!({})] {
        for name in ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"] {
            let mut usage = json!({ "input_tokens": 5, "output_tokens": 6 });
            let good = start(&usage);
            usage[name] = bad.clone();
            let read = stream(&[good, delta(&usage), stop()]);
            assert!(read.usage.tokens.input >= 5 && read.usage.tokens.output >= 6, "{name}: {bad}");
            assert_eq!((read.known, read.ending), (false, Ending::Partial), "{name}: {bad}");
        }
    }
    let mut reader = UsageReader::default();
    reader.sse(b"data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":NaN}}\n\n");
    assert!(!reader.progress().known && reader.progress().text.at_most() > 0);
    let shrinking = [
        start(&json!({ "input_tokens": 50, "output_tokens": 9 })),
        delta(&json!({ "input_tokens": 1, "output_tokens": 1 })),
        stop(),
    ];
    assert_eq!(stream(&shrinking).usage.tokens, Tokens { input: 50, output: 9, ..Tokens::default() });
    let pass = |model: &str, input: u64, output: u64| json!({ "model": model, "input_tokens": input, "output_tokens": output });
    let shrinking = [
        start(&json!({ "input_tokens": 1, "output_tokens": 1 })),
        delta(&json!({ "iterations": [pass("claude-opus-5-5", 40, 30), pass("claude-opus-5-5", 20, 10)] })),
        delta(&json!({ "iterations": [pass("claude-haiku-5-5", 1, 1), pass("claude-haiku-5-5", 50, 1)] })),
        stop(),
    ];
    let read = stream(&shrinking).usage;
    assert_eq!((read.total().input, read.total().output), (40 + 50, 30 + 10), "the most of each pass");
    assert!(
        read.parts.iter().all(|part| part.model.as_deref() == Some("claude-opus-5-5")),
        "and the model first named"
    );
}

#[test]
fn all_that_a_model_writes_counts_as_text_and_what_its_tools_found_does_not() {
    let block = |block: Value| json!({ "type": "content_block_start", "index": 0, "content_block": block });
    let part = |delta: Value| json!({ "type": "content_block_delta", "index": 0, "delta": delta });
    for (event, bytes) in [
        (text("ä"), 2),
        (part(json!({ "type": "input_json_delta", "partial_json": "{\"a\":" })), 5),
        (part(json!({ "type": "thinking_delta", "thinking": "hm" })), 2),
        (part(json!({ "type": "signature_delta", "signature": "abcd" })), 4),
        (block(json!({ "type": "redacted_thinking", "data": "xyz" })), 3),
        (
            block(
                json!({ "type": "web_search_tool_result", "content": [{ "type": "x", "encrypted_content": "long" }] }),
            ),
            0,
        ),
    ] {
        assert_eq!(stream(std::slice::from_ref(&event)).text.at_most(), bytes, "{event}");
    }
}

#[test]
fn tokens_of_text_are_estimated_rather_too_many_than_too_few() {
    for (text, at_most, likely) in [("", 0, 0), ("abc def", 7, 3), ("12345", 5, 5), ("a1b2", 4, 3), ("日本", 6, 6)] {
        assert_eq!((Text::of(text).at_most(), Text::of(text).likely()), (at_most, likely), "{text}");
    }
}

fn usage() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        (0u64..1_000).prop_map(Value::from),
        (-5i64..0).prop_map(Value::from),
        Just(Value::Null),
        Just(json!("9")),
        Just(json!(1e300)),
    ];
    let name = prop::sample::select(vec![
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "iterations",
        "speed",
        "cache_creation",
    ]);
    let fields = prop::collection::vec((name, value), 0..6);
    (fields, passes()).prop_map(|(fields, passes)| {
        let named = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
        named.chain(passes.map(|list| ("iterations".to_owned(), list))).collect()
    })
}

/// Lists of passes that may say less than an earlier one did.
fn passes() -> impl Strategy<Value = Option<Value>> {
    let pass = (0u64..1_000, 0u64..1_000)
        .prop_map(|(input, output)| json!({ "type": "message", "input_tokens": input, "output_tokens": output }));
    prop::option::of(prop::collection::vec(pass, 0..4).prop_map(Value::from))
}

proptest! {
    #[test]
    fn whatever_comes_the_counts_only_grow(usages in prop::collection::vec(usage(), 0..8)) {
        let mut reader = UsageReader::default();
        let mut before = (Tokens::default(), Tokens::default());
        for usage in usages {
            reader.sse(line(&delta(&usage)).as_bytes());
            let usage = reader.progress().usage;
            let now = (usage.tokens, usage.total());
            for (now, before) in [(now.0, before.0), (now.1, before.1)] {
                prop_assert!(now.input >= before.input && now.output >= before.output && now.read >= before.read);
                prop_assert!(now.prompt() >= before.prompt());
            }
            before = now;
        }
    }

    #[test]
    fn a_stream_reads_the_same_however_it_is_cut(cut in 1usize..60) {
        let events = [
            start(&json!({ "input_tokens": 5, "output_tokens": 1 })),
            text("héllo\n\nworld"),
            delta(&json!({ "output_tokens": 77 })),
            stop(),
        ];
        let bytes: String = events.iter().map(line).collect();
        let mut reader = UsageReader::default();
        bytes.as_bytes().chunks(cut).for_each(|piece| reader.sse(piece));
        prop_assert_eq!(reader.progress(), stream(&events));
        prop_assert!(reader.is_over());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut reader = UsageReader::default();
        reader.sse(&bytes);
        reader.json(&bytes);
        let _ = reader.progress();
    }
}
