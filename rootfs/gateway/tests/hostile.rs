//! What a model, a page or an impatient person may do to the AI of a computer: it stays usable, in bounded time and memory.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use common::desk::Desk;
use common::provider::Provider;
use matrixos_messages::{Script, Turn};
use matrixos_types::kernel::{ClientMessage, EndReason, Event};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// An answer of these content blocks, each with the pieces it comes in.
fn answer(blocks: &[(Value, Vec<Value>)], stop: &str) -> Script {
    let usage = json!({ "input_tokens": 1, "output_tokens": 1 });
    let mut events = vec![
        json!({ "type": "message_start", "message": { "id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-8", "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage } }),
    ];
    for (index, (block, pieces)) in blocks.iter().enumerate() {
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": block }));
        events.extend(
            pieces.iter().map(|delta| json!({ "type": "content_block_delta", "index": index, "delta": delta })),
        );
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    events.push(
        json!({ "type": "message_delta", "delta": { "stop_reason": stop, "stop_sequence": null }, "usage": usage }),
    );
    events.push(json!({ "type": "message_stop" }));
    let lines: Vec<String> = events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}", event["type"].as_str().unwrap_or_default()))
        .collect();
    Script::events(lines.join("\n\n"))
}

fn text(pieces: usize, length: usize) -> Script {
    let piece = json!({ "type": "text_delta", "text": "x".repeat(length) });
    answer(&[(json!({ "type": "text", "text": "" }), vec![piece; pieces])], "end_turn")
}

#[test]
fn ten_megabytes_of_text_are_cut_off_and_the_computer_stays_usable() {
    // In small pieces, in large ones, and in one that is no event any more.
    for (pieces, length, kept) in [(100_000, 100, 1_000_000), (20, 500_000, 1_000_000), (1, 10_000_000, 0)] {
        let provider = Provider::start([Turn::instead(text(pieces, length))]);
        let computer = provider.computer();
        let mut desk = Desk::open(&computer);
        desk.say("s", "tell me everything");
        computer.until("it answers others meanwhile", || computer.get("/api/apps").status == 200);
        let Event::Error { code, message, .. } = desk.end() else { panic!("{pieces} pieces: no error") };
        let says = ["longer than 1 MiB", "too large"].iter().any(|why| message.contains(why));
        assert!(code == "upstream" && says, "{code}: {message}");
        let page = computer.get("/api/conversations/s").json()["messages"].to_string();
        assert!(page.len() >= kept && page.len() < 1_100_000, "{pieces} pieces: {} bytes are kept", page.len());
        assert!(matches!(desk.switch("s"), Event::SessionSwitched { messages, .. } if messages.len() >= 2));
        provider.scripted.add_turns([Turn::text("still here")]);
        assert_eq!(desk.ask("s", "and now?"), "still here");
        let next = provider.requests().pop().unwrap().to_string();
        assert!(next.len() < 400_000, "{} bytes go to the model again", next.len());
        assert!(computer.peak_memory() < 40 << 10, "{pieces} pieces: {} kB", computer.peak_memory());
    }
}

#[test]
fn an_unknown_tool_and_input_that_is_no_json_are_told_to_the_model() {
    let used = |id: &str, name: &str, input: &str| {
        let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
        (block, vec![json!({ "type": "input_json_delta", "partial_json": input })])
    };
    let tools = [
        used("toolu_1", "fly", "{}"),
        used("toolu_2", "write_file", "{\"path\": \"a.txt\", \"text\": "),
        used("toolu_3", "write_file", "[1, 2]"),
        used("toolu_4", "write_file", "{\"path\": \"b.txt\", \"text\": \"whole\"}"),
    ];
    let provider = Provider::start([]);
    let computer = provider.computer();
    provider.scripted.enqueue(answer(&tools, "tool_use"));
    provider.scripted.enqueue(text(1, 4));
    let mut desk = Desk::open(&computer);
    assert_eq!(desk.ask("s", "go"), "xxxx");
    let told = provider.requests()[1]["messages"].as_array().unwrap().clone();
    let (asked, results) = (&told[told.len() - 2]["content"], &told[told.len() - 1]["content"]);
    assert!(asked.as_array().unwrap().iter().all(|used| used["input"].is_object()), "the API takes no other: {asked}");
    for (place, id, is_error, says) in [
        (0, "toolu_1", true, "no tool named fly"),
        (1, "toolu_2", true, "not a JSON object"),
        (2, "toolu_3", true, "not a JSON object"),
        (3, "toolu_4", false, "b.txt"),
    ] {
        let result = &results[place];
        assert_eq!(
            (result["tool_use_id"].as_str(), result["is_error"].as_bool()),
            (Some(id), Some(is_error)),
            "{result}"
        );
        assert!(result["content"].as_str().unwrap().contains(says), "{result}");
    }
    assert_eq!((computer.read("a.txt").as_str(), computer.read("b.txt").as_str()), ("", "whole"));
}

#[test]
fn a_tool_that_never_ends_ends_with_the_turn_and_the_conversation_goes_on() {
    let endless = "trap '' TERM INT HUP; while :; do sleep 71.93; done";
    let provider = Provider::start([Turn::tools([
        ("run_command", json!({ "command": endless, "seconds": 300 })),
        ("list_schedule", json!({})),
    ])
    .saying("One moment.")]);
    let computer = provider.computer();
    assert_eq!(computer.put("/api/settings/agent", json!({ "turnSeconds": 10, "approval": "never" })).status, 204);
    let mut desk = Desk::open(&computer);
    assert_eq!(desk.fail("s", "go"), "deadline");
    let lives = || {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            std::fs::read(entry.path().join("cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains("71.93"))
        })
    };
    computer.until("the command is gone", || !lives());
    // Each use of a tool has a result in the next message, or the provider would take no message any more.
    provider.enqueue("text");
    desk.ask("s", "what happened?");
    let request = provider.requests().pop().unwrap()["messages"].clone();
    let of = |kind: &str| request.to_string().matches(&format!("\"type\":\"{kind}\"")).count();
    assert_eq!(of("tool_use"), of("tool_result"), "{request}");
    assert!(request.to_string().contains("One moment."), "{request}");
}

/// The process that was started by exactly this.
fn process(command: &[&str]) -> Option<i32> {
    let line: Vec<u8> = command.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let mut found = all.filter(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|said| said == line));
    found.find_map(|entry| entry.file_name().to_str()?.parse().ok())
}

#[test]
fn a_command_ends_with_all_that_it_started_but_what_was_meant_to_go_on() {
    // Every way into a process group of one's own, and the one way out that the tool's description names.
    let begin = |number: u32| {
        format!(
            "sleep 73.{number}1 & timeout 900 sleep 73.{number}2 & set -m; sleep 73.{number}3 & (env -i bash -c 'sleep 73.{number}4' &); setsid sleep 73.{number}5 >/dev/null 2>&1 & \
             while [ $(pgrep -cfx 'sleep 73.{number}[1-5]') -lt 5 ]; do sleep 0.02; done; echo begun"
        )
    };
    let provider = Provider::start([
        Turn::tool("run_command", json!({ "command": begin(1) })).expecting(&["begun"]),
        Turn::tool("run_command", json!({ "command": begin(2) + "; sleep 73.29", "seconds": 12 }))
            .expecting(&["begun", "took longer than 12 seconds"]),
        Turn::text("done"),
        Turn::tool("run_command", json!({ "command": begin(3) + "; sleep 73.39" })),
    ]);
    let computer = provider.computer();
    assert_eq!(computer.put("/api/settings/agent", json!({ "approval": "never" })).status, 204);
    let mut desk = Desk::open(&computer);
    assert_eq!(desk.ask("s", "end by itself, end by its deadline"), "done");
    desk.say("s", "be stopped");
    computer.until("it runs", || process(&["sleep", "73.39"]).is_some());
    desk.send(&ClientMessage::Cancel { session_id: Some("s".into()) });
    desk.end();
    for number in 1..=3 {
        for each in [1, 2, 3, 4, 9] {
            computer.until("it is gone", || process(&["sleep", &format!("73.{number}{each}")]).is_none());
        }
        let stays = process(&["sleep", &format!("73.{number}5")]).expect("what was started with setsid goes on");
        kill(Pid::from_raw(stays), Signal::SIGKILL).unwrap();
    }
}

#[test]
fn of_a_conversation_twenty_messages_wait_and_the_next_is_refused_in_words() {
    let provider = Provider::start([Turn::text("ready")]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    provider.enqueue("text hang=4");
    desk.say("s", "the first");
    desk.until("it is being answered", |event| matches!(event, Event::Text { .. }));
    for number in 1..=20 {
        desk.say("s", "one more");
        desk.until("it waits", |event| matches!(event, Event::Message { waiting, .. } if *waiting == number));
    }
    desk.say("s", "one too many");
    let refused = desk.until("a refusal", |event| matches!(event, Event::Error { .. }));
    let Event::Error { code, message, turn_id: None, .. } = refused else { panic!("{refused:?}") };
    assert!(code == "queue_full" && message.contains("20 messages") && message.contains("stop them"), "{message}");
    let over_http = computer.post("/api/message", json!({ "text": "me too", "sessionId": "s" }));
    assert_eq!((over_http.status, over_http.code().as_str()), (429, "queue_full"));
    let kept = computer.get("/api/conversations/s").json()["messages"].to_string();
    assert_eq!((kept.matches("one more").count(), kept.matches("one too many").count()), (20, 0));
    // Another conversation is answered meanwhile; and who stops this one may speak in it again.
    assert_eq!(desk.ask("other", "and here?"), "ready");
    desk.send(&ClientMessage::Cancel { session_id: Some("s".into()) });
    for _ in 0..=20 {
        assert!(matches!(desk.end(), Event::Result { reason: EndReason::Cancelled, .. }));
    }
    provider.scripted.add_turns([Turn::text("ready again")]);
    assert_eq!(desk.ask("s", "now?"), "ready again");
}

/// A host that sends its answer byte by byte, one a second: the head, or a page without end.
fn dripping() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = |mut stream: TcpStream| {
        let mut head = [0; 2_000];
        let length = stream.read(&mut head).unwrap_or(0);
        if String::from_utf8_lossy(&head[..length]).starts_with("GET /round") {
            let _ = stream
                .write_all(b"HTTP/1.1 302 x\r\nlocation: /body\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            return;
        }
        if !String::from_utf8_lossy(&head[..length]).starts_with("GET /head") {
            let _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-type: text/plain\r\n\r\n");
        }
        while stream.write_all(b"H").is_ok() {
            std::thread::sleep(Duration::from_secs(1));
        }
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

#[test]
fn a_page_that_drips_is_given_up_after_a_time() {
    let address = dripping();
    let fetch = |path: &str| ("fetch_page", json!({ "url": format!("http://{address}/{path}") }));
    let provider = Provider::start([
        Turn::tools([fetch("body"), fetch("head"), fetch("round")]).expecting(&["in time", "in time", "in time"]),
        Turn::text("no page"),
    ]);
    let home = tempfile::tempdir().unwrap();
    let computer = provider.computer_with(home, &[("MATRIX_FETCH_PRIVATE", "1")]);
    assert_eq!(computer.put("/api/settings/agent", json!({ "approval": "never" })).status, 204);
    let began = Instant::now();
    assert_eq!(Desk::open(&computer).ask("s", "look"), "no page");
    provider.scripted.assert_finished();
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    assert!(provider.scripted.results()[0].iter().all(|result| result.is_error));
}
