//! The scripted provider itself, asked over a bare connection: what it checks, how it cuts, hangs and tears, and what it
//! remembers.

use std::time::Duration;

use matrixos_messages::{Call, Ended, Script, Scripted, Turn};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEADERS: &str = "x-api-key: sk-test\r\nanthropic-version: 2026-10-21\r\ncontent-type: application/json\r\n";

async fn connect(scripted: &Scripted, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(scripted.address()).await.expect("a connection");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).await.expect("the request is written");
    stream
}

/// The status, the head and the body as it came over the wire.
async fn ask(scripted: &Scripted, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, Vec<u8>) {
    let mut stream = connect(scripted, method, path, headers, body).await;
    let mut all = Vec::new();
    // A cut connection may end in an error; what came before it counts.
    let _ = stream.read_to_end(&mut all).await;
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").map_or(all.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head, all[end..].to_vec())
}

/// Takes the chunks out of their wrapping: their sizes, and all of them together.
fn chunks(mut wire: &[u8]) -> (Vec<usize>, Vec<u8>) {
    let (mut sizes, mut whole) = (Vec::new(), Vec::new());
    while let Some(end) = wire.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&wire[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size.filter(|size| *size > 0 && wire.len() >= end + 4 + size) else { break };
        sizes.push(size);
        whole.extend_from_slice(&wire[end + 2..end + 2 + size]);
        wire = &wire[end + 4 + size..];
    }
    (sizes, whole)
}

fn message(text: &str, more: Value) -> String {
    let mut body =
        json!({"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": text}]});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body.to_string()
}

async fn stream_of(scripted: &Scripted, script: &str) -> (Vec<usize>, String) {
    let body = message(&format!("[script:{script}]"), json!({"stream": true}));
    let (_, _, wire) = ask(scripted, "POST", "/v1/messages", HEADERS, &body).await;
    let (sizes, whole) = chunks(&wire);
    (sizes, String::from_utf8(whole).expect("text"))
}

async fn json_of(scripted: &Scripted, body: &str) -> (u16, Value) {
    let (status, _, wire) = ask(scripted, "POST", "/v1/messages", HEADERS, body).await;
    (status, serde_json::from_slice(&chunks(&wire).1).expect("JSON"))
}

/// Waits until the calls are as they should be.
async fn until(scripted: &Scripted, what: &str, good: impl Fn(&[Call]) -> bool) {
    for _ in 0..3_000 {
        if good(&scripted.calls()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: {:?}", scripted.calls());
}

#[tokio::test]
async fn calls_are_checked_as_the_provider_checks_them() {
    let scripted = Scripted::start().await.expect("it starts");
    scripted.require_key("sk-test");
    let good = message("hello", json!({}));
    let cases = [
        (HEADERS.to_owned(), good.as_str(), 200, ""),
        (HEADERS.replace("x-api-key: ", "authorization: Bearer "), &good, 200, ""),
        (HEADERS.replace("sk-test", "sk-other"), &good, 401, "authentication_error"),
        (HEADERS.replace("x-api-key", "x-other"), &good, 401, "authentication_error"),
        (HEADERS.replace("anthropic-version", "x-version"), &good, 400, "invalid_request_error"),
        (HEADERS.replace("application/json", "text/plain"), &good, 400, "invalid_request_error"),
        (HEADERS.to_owned(), "{", 400, "invalid_request_error"),
        (HEADERS.to_owned(), r#"{"max_tokens": 1, "messages": [1]}"#, 400, "invalid_request_error"),
        (HEADERS.to_owned(), r#"{"model": "m", "messages": [1]}"#, 400, "invalid_request_error"),
        (HEADERS.to_owned(), r#"{"model": "m", "max_tokens": 1, "messages": []}"#, 400, "invalid_request_error"),
    ];
    for (headers, body, status, kind) in cases {
        let answer = ask(&scripted, "POST", "/v1/messages", &headers, body).await;
        assert_eq!(answer.0, status, "{headers}{body}");
        let text = String::from_utf8(chunks(&answer.2).1).expect("text");
        assert!(text.contains(kind), "{text}");
    }
    let elsewhere = ask(&scripted, "GET", "/v1/elsewhere", HEADERS, "").await;
    assert_eq!(elsewhere.0, 404);
}

#[tokio::test]
async fn both_kinds_of_calls_get_the_same_answer() {
    let scripted = Scripted::start().await.expect("it starts");
    let (status, whole) = json_of(&scripted, &message("[script:tool]", json!({}))).await;
    assert_eq!((status, &whole["content"][1]["input"]), (200, &json!({"location": "Oslo", "unit": "celsius"})));
    assert_eq!(whole["usage"]["output_tokens"], 64);
    let (_, events) = stream_of(&scripted, "text-json").await;
    assert!(events.starts_with("event: message_start\ndata: {"), "{events}");
    assert!(events.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"), "{events}");
    assert!(events.contains(r#""text":"Hello, ""#), "{events}");
}

#[tokio::test]
async fn an_answer_is_the_same_without_a_server() {
    let scripted = Scripted::start().await.expect("it starts");
    for (number, name) in (1..).zip(["web-search", "long", "hostile-nan"]) {
        let alone = String::from_utf8(Script::named(name).expect("a script").answer(true)).expect("text");
        let body = message(&format!("[script:{name}]"), json!({"stream": true, "max_tokens": 5_000}));
        let (_, _, wire) = ask(&scripted, "POST", "/v1/messages", HEADERS, &body).await;
        let served = String::from_utf8(chunks(&wire).1).expect("text");
        let model = Script::named(name).expect("a script").model.expect("a model");
        let alone = alone.replace("scripted_00000000", &format!("scripted_{number:08}"));
        assert_eq!(alone.replace(&model, "claude-sonnet-5-5"), served);
    }
}

#[tokio::test]
async fn answers_are_cut_where_the_script_says() {
    let scripted = Scripted::start().await.expect("it starts");
    let (_, whole) = stream_of(&scripted, "text").await;
    for (script, length) in
        [("cut-first", 1), ("cut-middle", whole.len() / 2), ("cut-last", whole.len() - 1), ("text cut=77", 77)]
    {
        let (_, part) = stream_of(&scripted, script).await;
        assert_eq!(part.len(), length, "{script}");
    }
    let body = message("[script:cut-headers]", json!({}));
    assert_eq!(ask(&scripted, "POST", "/v1/messages", HEADERS, &body).await.0, 0);
    let ended: Vec<_> = scripted.calls().iter().map(|call| call.ended).collect();
    assert_eq!(ended, [Ended::Whole, Ended::Cut, Ended::Cut, Ended::Cut, Ended::Cut, Ended::Cut].map(Some));
}

#[tokio::test]
async fn streams_are_torn_anywhere_and_lines_end_with_crlf() {
    let scripted = Scripted::start().await.expect("it starts");
    let (_, whole) = stream_of(&scripted, "text").await;
    // Each answer has an id of its own, of the same length.
    let alike = |one: &str, number: usize| one.replace(&format!("scripted_0000000{number}"), "ID");
    let (sizes, torn) = stream_of(&scripted, "split").await;
    assert!(sizes.iter().all(|size| *size == 1), "{sizes:?}");
    assert_eq!(alike(&torn, 2), alike(&whole, 1));
    let (sizes, crlf) = stream_of(&scripted, "crlf").await;
    assert!(sizes.iter().all(|size| *size <= 7), "{sizes:?}");
    assert_eq!(alike(&crlf, 3), alike(&whole, 1).replace('\n', "\r\n"));
}

#[tokio::test]
async fn a_stream_is_compressed_only_for_who_takes_it() {
    let scripted = Scripted::start().await.expect("it starts");
    let body = message("[script:gzip]", json!({"stream": true}));
    let (_, head, _) = ask(&scripted, "POST", "/v1/messages", HEADERS, &body).await;
    assert!(!head.contains("content-encoding"), "{head}");
    let takes = format!("{HEADERS}accept-encoding: gzip, br\r\n");
    let (_, head, wire) = ask(&scripted, "POST", "/v1/messages", &takes, &body).await;
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert_eq!(chunks(&wire).1[..2], [0x1f, 0x8b], "it should begin as gzip does");
}

#[tokio::test]
async fn what_hangs_goes_on_when_it_is_released() {
    let scripted = Scripted::start().await.expect("it starts");
    for (script, before) in [("hang-headers", false), ("hang-midstream", true)] {
        scripted.forget();
        let body = message(&format!("[script:{script}]"), json!({"stream": true}));
        let mut stream = connect(&scripted, "POST", "/v1/messages", HEADERS, &body).await;
        until(&scripted, script, |calls| {
            calls.first().is_some_and(|call| call.script.is_some() && (!before || call.sent > 100))
        })
        .await;
        assert_eq!((scripted.in_flight(), scripted.calls()[0].ended), (1, None));
        scripted.release();
        let mut all = String::new();
        stream.read_to_string(&mut all).await.expect("the answer goes on");
        assert!(all.contains("message_stop"), "{all}");
    }
}

#[tokio::test]
async fn a_client_that_goes_is_noticed() {
    let scripted = Scripted::start().await.expect("it starts");
    for script in ["hang-headers", "hang-midstream", "long tokens=1000000 pace=1ms"] {
        scripted.forget();
        let body = message(&format!("[script:{script}]"), json!({"stream": true, "max_tokens": 1_000_000}));
        let stream = connect(&scripted, "POST", "/v1/messages", HEADERS, &body).await;
        until(&scripted, "it begins", |calls| calls.first().is_some_and(|call| call.script.is_some())).await;
        drop(stream);
        until(&scripted, script, |calls| calls[0].ended == Some(Ended::Abandoned)).await;
        assert_eq!(scripted.in_flight(), 0);
    }
}

#[tokio::test]
async fn long_answers_end_where_the_call_allows() {
    let scripted = Scripted::start().await.expect("it starts");
    let (_, whole) = json_of(&scripted, &message("[script:long]", json!({"max_tokens": 7}))).await;
    assert_eq!((&whole["usage"]["output_tokens"], &whole["stop_reason"]), (&json!(7), &json!("max_tokens")));
    let (_, whole) = json_of(&scripted, &message("[script:long tokens=9]", json!({}))).await;
    assert_eq!((&whole["usage"]["output_tokens"], &whole["stop_reason"]), (&json!(9), &json!("end_turn")));
}

#[tokio::test]
async fn the_queue_comes_first_then_the_marker_then_the_model() {
    let scripted = Scripted::start().await.expect("it starts");
    scripted.for_model("claude-sonnet-5-5", Script::named("500").expect("a script"));
    scripted.enqueue(Script::named("529").expect("a script"));
    let marked = message("[script:503]", json!({}));
    let by_id = message("hello", json!({"metadata": {"user_id": "script:400"}}));
    for (body, status) in [(&marked, 529), (&marked, 503), (&by_id, 400), (&message("hello", json!({})), 500)] {
        assert_eq!(json_of(&scripted, body).await.0, status);
    }
    scripted.for_model("claude-sonnet-5-5", Script::named("text").expect("a script"));
    let from_a_tool = message("", json!({"messages": [result(&json!("toolu_1"), "[script:503]")]}));
    assert_eq!(json_of(&scripted, &from_a_tool).await.0, 200, "what a tool answers is no marker");
    let (status, unknown) = json_of(&scripted, &message("[script:nonsense]", json!({}))).await;
    assert_eq!(status, 400);
    assert!(unknown["error"]["message"].as_str().is_some_and(|text| text.contains("web-search")), "{unknown}");
}

fn looped(messages: Value) -> String {
    message("", json!({"tools": [{"name": "write_file"}], "messages": messages}))
}

fn result(id: &Value, text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": text}]}]})
}

#[tokio::test]
async fn an_agents_loop_is_played_turn_by_turn() {
    let turns = [
        Turn::tool("write_file", json!({"path": "a", "text": "b"})).saying("So.").expecting(&["written"]),
        Turn::text("done"),
    ];
    let scripted = Scripted::turns(turns).await.expect("it starts");
    let hello = json!({"role": "user", "content": "build it"});
    let title = json_of(&scripted, &message("a title", json!({}))).await.1;
    assert_eq!(title["content"][0]["text"], "You said: a title", "calls without tools are not part of the loop");
    let (_, first) = json_of(&scripted, &looped(json!([hello]))).await;
    assert_eq!((&first["stop_reason"], &first["content"][1]["input"]["path"]), (&json!("tool_use"), &json!("a")));
    let came = result(&first["content"][1]["id"], "written");
    let (_, last) =
        json_of(&scripted, &looped(json!([hello, {"role": "assistant", "content": first["content"]}, came]))).await;
    assert_eq!((&last["stop_reason"], &last["content"][0]["text"]), (&json!("end_turn"), &json!("done")));
    assert_eq!(scripted.results()[0][0].text, "written");
    scripted.assert_finished();
}

#[tokio::test]
async fn a_loop_that_goes_wrong_is_told() {
    for (id, text, status) in [(None, "not that", 200), (Some("toolu_other"), "written", 400)] {
        let turns = [Turn::tool("write_file", json!({})).expecting(&["written"]), Turn::text("done")];
        let scripted = Scripted::turns(turns).await.expect("it starts");
        let (_, first) = json_of(&scripted, &looped(json!([{"role": "user", "content": "build it"}]))).await;
        let id = id.map_or_else(|| first["content"][0]["id"].clone(), |id| json!(id));
        assert_eq!(json_of(&scripted, &looped(json!([result(&id, text)]))).await.0, status);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scripted.assert_finished()));
        assert!(checked.is_err(), "{id} {text}");
    }
}

#[tokio::test]
async fn other_programs_direct_it_and_read_what_came() {
    let scripted = Scripted::start().await.expect("it starts");
    let told = r#"{"turns": [{"tools": [{"name": "write_file", "input": {"n": 1}}]}, {"say": "done"}]}"#;
    assert_eq!(ask(&scripted, "POST", "/_script", "", told).await.0, 200);
    assert_eq!(ask(&scripted, "POST", "/_script", "", r#"{"script": "429"}"#).await.0, 200);
    assert_eq!(ask(&scripted, "POST", "/_script", "", r#"{"script": "nonsense"}"#).await.0, 400);
    let (status, head, _) = ask(&scripted, "POST", "/v1/messages", HEADERS, &message("hello", json!({}))).await;
    assert!(status == 429 && head.contains("retry-after: 1"), "{head}");
    let (_, _, state) = ask(&scripted, "GET", "/_state", "", "").await;
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    assert_eq!((&state["turns_left"], &state["queued"], &state["most_at_once"]), (&json!(2), &json!(0), &json!(1)));
    let (_, _, requests) = ask(&scripted, "GET", "/_requests", "", "").await;
    let requests: Vec<Value> = serde_json::from_slice(&requests).expect("JSON");
    assert_eq!(requests.len(), 1, "orders are not calls");
    assert_eq!((&requests[0]["script"], &requests[0]["ended"]), (&json!("429"), &json!("whole")));
    assert!(requests[0]["headers"].as_array().is_some_and(|all| all.contains(&json!(["x-api-key", "sk-test"]))));
}
