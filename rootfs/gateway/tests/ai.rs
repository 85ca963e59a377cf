//! The AI as its owner meets it: a real gateway, a real WebSocket, a scripted model.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::desk::Desk;
use common::provider::Provider;
use common::{Computer, TOKEN};
use matrixos_messages::Turn;
use matrixos_types::kernel::{ClientMessage, EndReason, Event, Role};
use serde_json::{Value, json};

const APP: &str = "<!doctype html><html><head><title>Expenses</title></head><body><h1>Expenses</h1></body></html>";

#[test]
fn an_app_that_is_asked_for_is_built_opened_and_there_after_a_restart() {
    let provider = Provider::start([
        Turn::tools([("list_files", json!({ "path": "apps" })), ("load_skill", json!({ "name": "build-app" }))])
            .saying("Let me look.")
            .expecting(&["todo.html", "window.MatrixOS"]),
        Turn::tool(
            "make_app",
            json!({ "name": "expense-tracker", "title": "Expense tracker", "description": "What you spend.",
                "icon": "💶", "category": "finance", "html": APP }),
        )
        .expecting(&["apps/expense-tracker.html"]),
        Turn::text("It is there."),
    ]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    let said = desk.ask("s1", "Build me an expense tracker");
    assert_eq!(said, "Let me look.\n\nIt is there.");
    provider.scripted.assert_finished();
    assert!(desk.seen.iter().any(|e| matches!(e, Event::AppOpen { name } if name == "expense-tracker")));
    let kinds: Vec<String> = desk.seen.iter().map(|e| serde_json::to_value(e).unwrap()["type"].to_string()).collect();
    let place = |kind: &str| kinds.iter().position(|k| k.contains(kind)).unwrap_or_else(|| panic!("{kind}: {kinds:?}"));
    let order = [
        "kernel:message",
        "kernel:init",
        "kernel:text",
        "kernel:tool_start",
        "kernel:tool_end",
        "app:open",
        "kernel:result",
    ];
    assert!(order.map(place).is_sorted(), "{kinds:?}");

    let computer = computer.kill_and_start();
    let apps = computer.get("/api/apps").json();
    let app = apps.as_array().unwrap().iter().find(|app| app["file"] == "expense-tracker.html").unwrap().clone();
    assert_eq!((app["name"].as_str(), app["category"].as_str()), (Some("Expense tracker"), Some("finance")));
    let page = computer.get("/apps/expense-tracker");
    assert!(page.text().contains("<h1>Expenses</h1>") && page.text().contains("window"), "{}", page.text());
    let messages = computer.get("/api/conversations/s1").json()["messages"].clone();
    let roles: Vec<&str> = messages.as_array().unwrap().iter().filter_map(|m| m["role"].as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "assistant", "assistant"]);
    assert_eq!(messages[1]["tools"][0]["ok"], true);
}

#[test]
fn the_budget_line_is_the_last_of_the_prompt_and_fresh_in_every_turn() {
    let provider = Provider::start([Turn::text("one"), Turn::text("two"), Turn::text("three")]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    desk.ask("s", "a");
    provider.told.lock().unwrap().remaining = Some(1_230_000_000);
    desk.ask("s", "b");
    let systems: Vec<String> = provider.requests().iter().map(Provider::system).collect();
    assert!(systems[0].ends_with("Budget: $2.70 remaining"), "{}", systems[0]);
    assert!(systems[1].ends_with("Budget: $1.23 remaining"), "{}", systems[1]);
    assert!(systems[0].contains("you are @alice_ai:localhost, the assistant of @alice:localhost"));
    let request = &provider.requests()[1];
    assert_eq!(request["system"][0]["cache_control"]["type"], "ephemeral");
    assert_eq!(request["system"][0], provider.requests()[0]["system"][0], "what is cached stays the same");
    let whole = systems[0].len() / 3;
    assert!(whole < 7_000, "{whole} tokens");
    let info = computer.get("/api/system/info").json();
    assert_eq!(info["budget"]["text"], "$1.23");
    provider.told.lock().unwrap().price = 30_000_000;
    desk.ask("s", "c");
    computer.until("the turn is logged", || computer.get("/api/logs").json().as_array().unwrap().len() == 3);
    assert_eq!(computer.get("/api/logs").json()[0]["costNanos"], 30_000_000);
    let usage = computer.get("/api/usage").json();
    assert_eq!((usage["budget"]["text"].as_str(), usage["days"][0]["turns"].as_u64()), (Some("$1.20"), Some(3)));
    assert_eq!(usage["days"][0]["costNanos"], 30_000_000);
    let told = provider.told.lock().unwrap();
    assert!(!told.awake.is_empty() && told.awake[0]["seconds"].as_u64().unwrap() > 0);
}

#[test]
fn where_there_is_no_platform_the_budget_line_is_left_out_and_nobody_is_asked_again() {
    let provider = Provider::start([Turn::text("one"), Turn::text("two")]);
    provider.told.lock().unwrap().remaining = None;
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    desk.ask("s", "a");
    desk.ask("s", "b");
    assert!(!provider.requests().iter().any(|request| Provider::system(request).contains("Budget")));
    assert_eq!(provider.told.lock().unwrap().usage_asked, 1);
}

#[test]
fn without_key_budget_or_network_the_message_is_kept_and_what_is_missing_is_said() {
    let provider = Provider::start([Turn::text("at last")]);
    let without = Computer::start();
    assert_eq!(Desk::open(&without).fail("s", "hello"), "no_key");
    let nowhere = "http://127.0.0.1:1";
    let offline = Computer::start_with(&[("ANTHROPIC_BASE_URL", nowhere), ("ANTHROPIC_API_KEY", "x")]);
    assert_eq!(Desk::open(&offline).fail("s", "hello"), "offline");
    let stranger = Computer::start_with(&[
        ("ANTHROPIC_BASE_URL", &format!("http://{}", provider.scripted.address())),
        ("ANTHROPIC_API_KEY", "wrong"),
    ]);
    assert_eq!(Desk::open(&stranger).fail("s", "hello"), "key_refused");
    for (computer, code) in [(&without, "no_key"), (&offline, "offline"), (&stranger, "key_refused")] {
        let messages = computer.get("/api/conversations/s").json()["messages"].clone();
        assert_eq!((messages[0]["text"].as_str(), messages[1]["role"].as_str()), (Some("hello"), Some("note")));
        assert_eq!(messages[1]["code"], code, "whoever comes later can try again as well");
        assert_eq!(computer.get("/api/files/list?path=").status, 200);
    }
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    provider.enqueue("402");
    assert_eq!(desk.fail("s", "hello"), "no_budget");
    // So the platform says that it has no key itself; asking it again would change nothing.
    let before = provider.requests().len();
    provider.enqueue("503 header=x-should-retry:false");
    assert_eq!(desk.fail("s", "hello"), "no_key");
    assert_eq!(provider.requests().len(), before + 1);
    assert_eq!(desk.ask("s", "and now?"), "at last");
    assert_eq!(computer.get("/api/logs").json()[2]["result"], "no_budget");
}

#[test]
fn a_failure_of_the_model_over_http_does_not_look_like_a_computer_out_of_reach() {
    let provider = Provider::start([]);
    let asked = |computer: &Computer| {
        let answer = computer.post("/api/bridge/generate", json!({ "app": "quiz", "prompt": "A question" }));
        assert!(answer.json()["error"]["message"].as_str().unwrap().len() > 20, "{}", answer.text());
        (answer.status, answer.code())
    };
    assert_eq!(asked(&Computer::start()), (424, "no_key".to_owned()));
    let offline = [("ANTHROPIC_BASE_URL", "http://127.0.0.1:1"), ("ANTHROPIC_API_KEY", "x")];
    assert_eq!(asked(&Computer::start_with(&offline)), (424, "offline".to_owned()));
    let computer = provider.computer();
    for (script, status, code) in [
        ("503 header=x-should-retry:false", 424, "no_key"),
        ("529 header=x-should-retry:false", 424, "busy"),
        ("error-midstream", 424, "busy"),
        ("cut-middle", 424, "upstream"),
        ("400", 424, "refused"),
        ("401", 424, "key_refused"),
        ("402", 402, "no_budget"),
    ] {
        provider.enqueue(script);
        assert_eq!(asked(&computer), (status, code.to_owned()), "{script}");
    }
}

#[test]
fn a_call_is_made_anew_only_before_the_first_byte_of_an_answer() {
    let provider = Provider::start([Turn::text("answered")]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    provider.enqueue("529");
    provider.enqueue("503");
    assert_eq!(desk.ask("s", "once"), "answered");
    assert_eq!(provider.requests().len(), 3);
    for (script, code) in [("error-midstream", "busy"), ("cut-middle", "upstream"), ("400", "refused")] {
        let before = provider.requests().len();
        provider.enqueue(script);
        let failed = desk.fail("s", "again");
        assert!(failed == code || failed == "upstream", "{script}: {failed}");
        assert_eq!(provider.requests().len(), before + 1, "{script} was tried again");
    }
}

#[test]
fn a_message_with_a_request_id_is_heard_once() {
    let provider = Provider::start([Turn::text("one"), Turn::text("two")]);
    let computer = provider.computer();
    let ask = || computer.post("/api/message", json!({ "text": "hello", "sessionId": "s", "requestId": "r1" }));
    let (first, second) = (ask().json(), ask().json());
    assert_eq!((first["text"].as_str(), second["text"].as_str()), (Some("one"), Some("one")));
    assert_eq!(first["events"].as_array().unwrap().last().unwrap()["type"], "kernel:result");
    let mut desk = Desk::open(&computer);
    let (session_id, request_id) = (Some("s".to_owned()), Some("r1".to_owned()));
    desk.send(&ClientMessage::Message { text: "hello".into(), session_id, request_id });
    desk.until("it is confirmed again", |e| matches!(e, Event::Message { request_id: Some(id), .. } if id == "r1"));
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn a_kill_in_the_middle_of_a_turn_loses_no_message_and_the_turn_is_taken_up() {
    let provider = Provider::start([Turn::text("the first answer"), Turn::text("the second answer")]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    provider.enqueue("text hang=4");
    desk.say("s", "one");
    desk.until("the answer begins", |event| matches!(event, Event::Text { .. }));
    desk.say("s", "two");
    desk.until("the second is safe", |event| matches!(event, Event::Message { message, .. } if message.text == "two"));
    let (home, environment) = computer.killed();
    assert_eq!(provider.requests().len(), 1);
    let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let computer = Computer::start_in(home, &environment);
    computer.until("both are answered", || {
        computer.get("/api/conversations/s").json()["messages"].to_string().contains("the second answer")
    });
    let messages = computer.get("/api/conversations/s").json()["messages"].to_string();
    assert!(messages.contains("\"one\"") && messages.contains("\"two\"") && messages.contains("the first answer"));
}

#[test]
fn a_turn_is_stopped_at_once_and_the_next_one_works() {
    let provider = Provider::start([Turn::text("ready")]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    provider.enqueue("text hang=4");
    desk.say("s", "tell me a long story");
    desk.until("it begins", |event| matches!(event, Event::Text { .. }));
    desk.say("s", "and another");
    desk.until("it waits", |event| matches!(event, Event::Message { waiting: 1, .. }));
    desk.send(&ClientMessage::Cancel { session_id: Some("s".into()) });
    for _ in 0..2 {
        assert!(matches!(desk.end(), Event::Result { reason: EndReason::Cancelled, .. }));
    }
    assert_eq!(desk.ask("s", "now?"), "ready");
    let messages = computer.get("/api/conversations/s").json()["messages"].clone();
    assert!(messages.to_string().contains("Hel"), "what was said until then is kept: {messages}");
}

#[test]
fn a_turn_ends_by_its_deadline() {
    let provider = Provider::start([]);
    let computer = provider.computer();
    assert_eq!(computer.put("/api/settings/agent", json!({ "turnSeconds": 10 })).status, 204);
    assert_eq!(computer.put("/api/settings/agent", json!({ "turnSeconds": 1 })).status, 400);
    let mut desk = Desk::open(&computer);
    provider.enqueue("text hang=headers");
    let began = Instant::now();
    assert_eq!(desk.fail("s", "hello"), "deadline");
    assert!(began.elapsed() >= Duration::from_secs(9));
}

#[test]
fn what_the_model_does_wrong_is_told_to_it_and_survived() {
    let provider = Provider::start([
        Turn::tools([
            ("fly", json!({})),
            ("read_file", json!({ "path": "../../etc/passwd" })),
            ("make_app", json!({ "name": "../../x", "title": "x", "description": "x", "html": APP })),
            ("run_command", json!({ "command": "sleep 1000 & sleep 1000", "seconds": 1 })),
            ("run_command", json!({ "command": "yes | head -c 20000000" })),
            ("run_command", json!({ "command": "env; exit 3" })),
            ("edit_file", json!({ "path": 7, "old": [], "new": null })),
            ("write_file", json!({ "path": "big.txt", "text": "x".repeat(300_000) })),
        ])
        .expecting(&[
            "no tool named fly",
            "leads out of your home",
            "lower-case letters",
            "took longer than 1 seconds",
            "left out",
            "Exit code 3",
            "`path` is missing",
            "300000 bytes",
        ]),
        Turn::text("sorry"),
    ]);
    let computer = provider.computer();
    assert_eq!(Desk::open(&computer).ask("s", "go"), "sorry");
    provider.scripted.assert_finished();
    let results = &provider.scripted.results()[0];
    assert!(results.iter().all(|result| result.text.len() < 30_000), "results are capped");
    assert!(
        !results[5].text.contains(TOKEN) && !results[5].text.contains(common::provider::KEY),
        "no secret in a command"
    );
    assert_eq!(results.iter().filter(|result| result.is_error).count(), 6);
    assert!(!computer.home.path().join("../x.html").exists());
    let status = std::fs::read_to_string(format!("/proc/{}/status", computer.child.id())).unwrap();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(peak.unwrap() <= 40 << 10, "a turn with tools takes at most 40 MB: {peak:?} kB");
}

#[test]
fn a_conversation_of_two_thousand_messages_stays_quick() {
    let provider = Provider::start([Turn::text("still here")]);
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("system/conversations")).unwrap();
    let mut lines = String::new();
    for n in 0..1_000 {
        let line = |value: Value| format!("{value}\n");
        lines += &line(
            json!({ "kind": "user", "id": format!("u{n}"), "at": n, "text": format!("question {n} {}", "x".repeat(300)), "trust": "owner" }),
        );
        lines += &line(json!({ "kind": "start", "turn": "t", "at": n, "message": format!("u{n}") }));
        lines += &line(
            json!({ "kind": "assistant", "id": format!("a{n}"), "at": n, "content": [{ "type": "text", "text": "y".repeat(300) }] }),
        );
        lines += &line(json!({ "kind": "end", "message": format!("u{n}"), "at": n, "result": "done" }));
    }
    // The last line was torn by a power cut.
    lines += "{\"kind\":\"user\",\"id\":\"torn";
    std::fs::write(home.path().join("system/conversations/long.jsonl"), lines).unwrap();
    let computer = provider.computer_with(home, &[]);
    let mut desk = Desk::open(&computer);
    let began = Instant::now();
    let Event::SessionSwitched { messages, more, .. } = desk.switch("long") else { unreachable!() };
    let list = computer.get("/api/conversations").json();
    let found = computer.get("/api/conversations/long/search?q=question%20777").json();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(messages.len() == 100 && more && messages[99].id == "a999");
    assert!(list.as_array().unwrap().iter().any(|c| c["id"] == "long" && c["messageCount"] == 2_000));
    assert_eq!(found[0]["id"], "u777");
    let older = computer.get(&format!("/api/conversations/long?before={}&limit=10", messages[0].id)).json();
    assert_eq!(older["messages"][9]["id"], "a949");
    assert_eq!(desk.ask("long", "are you there?"), "still here");
    let requests = provider.requests();
    assert_eq!(requests.len(), 2, "it is summed up first");
    assert!(requests[1].to_string().len() < 100_000, "{}", requests[1].to_string().len());
    let last = requests[1]["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    assert_eq!(last.as_array().unwrap().last().unwrap()["text"], "are you there?");
    assert!(!requests[0].to_string().contains("are you there?"), "what waits is not summed up");
    let Event::SessionSwitched { messages, .. } = desk.switch("long") else { unreachable!() };
    assert_eq!(messages[99].text, "still here");
}

#[test]
fn two_desktops_stay_in_step_and_nonsense_ends_neither() {
    let provider = Provider::start([Turn::text("hello both")]);
    let computer = provider.computer();
    let (mut one, mut two) = (Desk::open(&computer), Desk::open(&computer));
    one.raw("nonsense");
    one.raw("{\"type\":\"message\"}");
    for _ in 0..2 {
        one.until("a refusal", |event| matches!(event, Event::Error { code, .. } if code == "bad_message"));
    }
    assert_eq!(one.fail("../../x", "hello"), "bad_session");
    assert_eq!(one.fail("s", " "), "bad_message");
    one.say("s", "hello");
    assert!(matches!((one.end(), two.end()), (Event::Result { text: a, .. }, Event::Result { text: b, .. }) if a == b));
    let Event::SessionSwitched { messages, .. } = two.switch("s") else { unreachable!() };
    assert_eq!(messages.iter().map(|m| m.role).collect::<Vec<_>>(), [Role::User, Role::Assistant]);
}

#[test]
fn whatever_the_provider_answers_the_turn_ends_and_the_next_one_works() {
    let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../supervisor/testkit/messages/scripts");
    let mut names: Vec<String> = std::fs::read_dir(scripts)
        .unwrap()
        .filter_map(|entry| entry.unwrap().path().file_stem()?.to_str().map(str::to_owned))
        .filter(|name| !name.starts_with("hang"))
        .collect();
    names.sort();
    assert!(names.len() > 30);
    let provider = Provider::start([]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    for (number, name) in names.iter().enumerate() {
        let pace = if name == "drip" || name == "long" { " pace=1ms" } else { "" };
        provider.enqueue(&format!("{name}{pace}"));
        desk.say(&format!("s{number}"), name);
        desk.end();
    }
    provider.scripted.add_turns([Turn::text("still here")]);
    assert_eq!(desk.ask("s0", "and now?"), "still here");
    assert_eq!(computer.get("/api/logs").json().as_array().unwrap().len(), names.len() + 1);
}

#[test]
fn a_message_that_comes_twice_at_once_is_answered_once() {
    let provider = Provider::start((0..8).map(|n| Turn::text(&format!("answer {n}"))));
    let computer = provider.computer();
    let body = json!({ "text": "hello", "sessionId": "s", "requestId": "r1" });
    std::thread::scope(|all| {
        for _ in 0..8 {
            let (computer, body) = (&computer, body.clone());
            all.spawn(move || {
                let status = computer.post("/api/message", body).status;
                assert!([200, 409].contains(&status), "{status}");
            });
        }
    });
    assert_eq!(provider.requests().len(), 1);
    let messages = computer.get("/api/conversations/s").json()["messages"].clone();
    assert_eq!(messages.as_array().unwrap().iter().filter(|m| m["role"] == "user").count(), 1);
}
