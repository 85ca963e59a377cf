//! AI calls of computers, to a scripted provider: what passes, what it costs, and who is refused why.

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::PROVIDER_KEY;
use common::world::{SONNET, World, kind, message, release_when};
use matrixos_messages::{Cost, Script};
use matrixos_supervisor::store::How;
use matrixos_testkit::authenticator::Device;
use matrixos_types::Nanos;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_answer_passes_unchanged_and_costs_what_was_worked_out_by_hand() {
    let world = World::with_budget(1_000_000_000_000).await;
    let answered = |script: &Script| script.way.status == 200 && script.way.cut.is_none() && script.way.hang.is_none();
    let mut number = 0;
    for script in Script::all().into_iter().filter(answered) {
        let Some(model) = script.model.clone() else { continue };
        let answer = world.calls(&message(&model, &format!("[script:{}]", script.name), true)).await;
        assert_eq!(answer.status, 200, "{}: {}", script.name, answer.body);
        let row = world.row(number).await;
        number += 1;
        match script.cost {
            Cost::Exactly(nanos) => {
                assert_eq!((row.call.cost, row.call.how), (Nanos(nanos), How::Exact), "{}", script.name);
            }
            Cost::AtLeast(nanos) => assert!(row.call.cost >= Nanos(nanos), "{}: {:?}", script.name, row.call),
            Cost::Unknown => assert!(row.call.cost > Nanos::ZERO, "{}", script.name),
        }
        let last = world.provider.calls().pop().expect("a call");
        assert_eq!(last.header("x-api-key"), Some(PROVIDER_KEY));
        assert_eq!(last.header("anthropic-version"), Some("2026-10-21"));
    }
    assert!(number > 25, "{number} scripts");
    world.is_settled().await;
    let text = Script::named("text").expect("a script");
    let whole = world.calls(&message(SONNET, "[script:text]", true)).await;
    let expected = String::from_utf8(text.answer(true)).expect("text");
    let ours = |body: &str| body.lines().filter(|line| line.starts_with("data: ")).count();
    assert_eq!(ours(&whole.body), ours(&expected), "event for event");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_stream_says_what_remains_after_it() {
    let world = World::with_budget(1_000_000_000).await;
    let answer = world.calls(&message(SONNET, "[script:text]", false)).await;
    assert_eq!(answer.json()["type"], "message");
    assert_eq!(world.row(0).await.call.cost, Nanos(170_000));
    assert_eq!(answer.header("x-matrix-budget-remaining").as_deref(), Some("$0.99"));
    let usage = world.asks("GET", "/matrix/usage", "", "").await.json();
    assert_eq!((usage["remaining_nanos"].as_u64(), usage["text"].as_str()), (Some(999_830_000), Some("$0.99")));
    let page = world.house.page("GET", "/api/usage/alice", &world.cookie, &Value::Null).await.json();
    assert_eq!(page["days"][0]["model"], SONNET);
    assert_eq!(page["days"][0]["cost_nanos"], 170_000);
    let table = world.house.page("GET", "/api/usage/alice/calls.csv", &world.cookie, &Value::Null).await;
    assert_eq!(table.header("content-type").as_deref(), Some("text/csv; charset=utf-8"));
    assert!(table.body.contains("claude-sonnet-5-5,25,12,") && table.body.contains("0.00017"), "{}", table.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ai_used_is_in_what_its_owner_takes_along() {
    let world = World::with_budget(1_000_000_000).await;
    world.calls(&message(SONNET, "[script:text]", false)).await;
    let export = world.house.page("GET", "/api/account/export", &world.cookie, &Value::Null).await;
    let text: String = export.body.split("\r\n").skip(1).step_by(2).collect();
    let account: Value = serde_json::Deserializer::from_str(&text).into_iter().next().expect("a value").expect("JSON");
    let ai = &account["ai"];
    assert_eq!((&ai["spent_nanos"], &ai["days"][0]["model"]), (&json!(170_000), &json!(SONNET)));
    assert_eq!(ai["calls"].as_array().map(Vec::len), Some(1));
    assert_eq!((&ai["calls"][0]["output_tokens"], &ai["calls"][0]["cost_text"]), (&json!(12), &json!("0.000170000")));
}

#[tokio::test(flavor = "multi_thread")]
async fn others_learn_nothing_of_what_somebody_spends() {
    let world = World::open().await;
    let mallory = world.house.sign_up("mallory", &mut Device::at(&world.house.origin)).await;
    for path in ["/api/usage/alice", "/api/usage/alice/calls.csv", "/api/usage/nobodyhere"] {
        let answer = world.house.page("GET", path, &mallory, &Value::Null).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_budget_the_provider_hears_nothing_and_the_client_is_told_once() {
    let world = World::with_budget(100).await;
    world.provider.enqueue(Script::named("text").expect("a script"));
    let answer = world.calls(&message(SONNET, "hello", true)).await;
    assert_eq!(kind(&answer), (402, "billing_error".to_owned()));
    assert_eq!(answer.header("x-should-retry").as_deref(), Some("false"));
    let heard = world.provider.calls();
    assert!(
        heard.iter().all(|call| call.path.starts_with("/v1/messages/count_tokens")),
        "only asked what it would cost"
    );
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_calls_with_budget_for_one_exactly_one_is_made_and_never_more_than_five() {
    let world = World::with_budget(8_000_000).await;
    let mut body = message(SONNET, "[script:hang-midstream]", true);
    // Less than this is not worth a call, so the answer cannot be cut down to let a second one fit.
    body["max_tokens"] = json!(256);
    let answered = AtomicUsize::new(0);
    let calls = (0..12).map(async |_| {
        let answer = world.calls(&body).await;
        answered.fetch_add(1, Ordering::SeqCst);
        answer
    });
    // The one that is made waits at the provider until all others have been refused.
    let release =
        release_when(&world, || answered.load(Ordering::SeqCst) >= 11, || answered.load(Ordering::SeqCst) == 12);
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), release);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 402 | 429)), "{statuses:?}");
    let made = world.provider.calls().iter().filter(|call| call.path == "/v1/messages").count();
    assert_eq!(made, 1, "the provider heard of one");
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sixth_call_at_once_is_told_to_wait() {
    let world = World::with_budget(1_000_000_000_000).await;
    let body = message(SONNET, "[script:hang-midstream]", true);
    let (told, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let first = (0..5).map(async |_| {
        let answer = world.calls(&body).await;
        answered.fetch_add(1, Ordering::SeqCst);
        answer
    });
    let sixth = async {
        while world.provider.in_flight() < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = world.calls(&message(SONNET, "hello", false)).await;
        told.store(true, Ordering::SeqCst);
        answer
    };
    let release = release_when(&world, || told.load(Ordering::SeqCst), || answered.load(Ordering::SeqCst) == 5);
    let (first, sixth, ()) = tokio::join!(futures_util::future::join_all(first), sixth, release);
    assert_eq!(kind(&sixth), (429, "rate_limit_error".to_owned()));
    assert!(sixth.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok_and(|n| n >= 1)));
    assert!(first.iter().all(|answer| answer.status == 200));
    assert_eq!(world.calls(&message(SONNET, "hello", false)).await.status, 200, "and then there is room again");
    world.is_settled().await;
}

/// When a client goes away.
#[derive(Debug)]
enum After {
    Bytes(usize),
    Usage,
}

impl After {
    async fn comes(&self, stream: &mut TcpStream) {
        let mut text = Vec::new();
        let is_there = |text: &[u8]| match self {
            Self::Bytes(number) => text.len() >= *number,
            Self::Usage => text.windows(13).any(|window| window == b"message_delta"),
        };
        while !is_there(&text) {
            text.push(stream.read_u8().await.expect("more of an answer"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_pays_for_what_was_made_for_them() {
    let world = World::with_budget(1_000_000_000_000).await;
    let head = format!("authorization: Bearer {}\r\nanthropic-version: 2026-10-21\r\n", world.credential);
    // The last of them goes between the usage and the end.
    for (number, after) in [After::Bytes(0), After::Bytes(1), After::Bytes(400), After::Usage].into_iter().enumerate() {
        let body = message(SONNET, "[script:long tokens=300 pace=1ms]", true).to_string();
        let mut stream = world.house.inside_begun(&world.address, "/v1/messages", &head, &body).await;
        while world.provider.count() <= number as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        after.comes(&mut stream).await;
        drop(stream);
        let row = world.row(number).await;
        assert_eq!(row.call.how, How::Exact, "read on to the final usage, gone after {after:?}");
        assert!(row.call.output >= 300, "{:?}", row.call);
    }
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_breaks_off_or_fails_is_told_in_its_own_shape_and_nothing_is_free() {
    let world = World::with_budget(1_000_000_000_000).await;
    let mut paid = 0;
    for (script, status, error, costs) in [
        ("400", 400, "invalid_request_error", false),
        ("429", 429, "rate_limit_error", false),
        ("500", 500, "api_error", false),
        ("529", 529, "overloaded_error", false),
        ("cut-headers", 502, "api_error", true),
        ("401", 503, "api_error", false),
    ] {
        let answer = world.calls(&message(SONNET, &format!("[script:{script}]"), false)).await;
        assert_eq!(kind(&answer), (status, error.to_owned()), "{script}: {}", answer.body);
        paid += usize::from(costs);
        assert_eq!(world.ledger().len(), paid, "{script}");
        // The breaker looks at failures in a row.
        assert_eq!(world.calls(&message(SONNET, "hello", false)).await.status, 200);
        paid += 1;
    }
    for script in ["cut-first", "cut-middle", "cut-last", "error-midstream"] {
        let answer = world.calls(&message(SONNET, &format!("[script:{script}]"), true)).await;
        assert_eq!(answer.status, 200, "{script}");
        let row = world.row(paid).await;
        assert!(row.call.cost > Nanos::ZERO, "{script}");
        paid += 1;
    }
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_costs_nothing_and_says_what_is_wrong() {
    let world = World::with_budget(1_000_000_000_000).await;
    for (body, status, says) in [
        (json!({ "model": "claude-unknown-9", "max_tokens": 1, "messages": [] }).to_string(), 404, "claude-sonnet-5-5"),
        (
            json!({ "model": "Claude-Sonnet-5-5", "max_tokens": 1, "messages": [] }).to_string(),
            404,
            "is not known here",
        ),
        (r#"{"model":"claude-haiku-5-5","max_tokens":1,"model":"claude-fable-5"}"#.to_owned(), 400, "comes twice"),
        (json!({ "model": SONNET, "messages": [] }).to_string(), 400, "max_tokens: field required"),
        (json!({ "model": SONNET, "max_tokens": -1 }).to_string(), 400, "whole number"),
        (json!({ "model": SONNET, "max_tokens": 1_000_000_000 }).to_string(), 400, "whole number"),
        ("{".to_owned(), 400, "not what the Messages API expects"),
    ] {
        let answer = world.asks("POST", "/v1/messages", "", &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        let message = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(says), "{body}: {message}");
    }
    let head = format!("authorization: Bearer {}\r\ncontent-length: 99999999\r\n", world.credential);
    let large = world.house.inside_raw(&world.address, "POST", "/v1/messages", &head).await;
    assert_eq!(kind(&large), (413, "request_too_large".to_owned()));
    assert_eq!(world.provider.count(), 0, "the provider heard nothing of it");
    assert_eq!(world.ledger().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_key_is_nowhere_that_a_tenant_can_read() {
    let world = World::with_budget(1_000_000_000_000).await;
    let leak = json!({ "type": "error", "error": { "type": "invalid_request_error", "message": PROVIDER_KEY } });
    world.provider.enqueue(Script::document(400, leak.to_string()));
    let leaked = world.calls(&message(SONNET, "hello", false)).await;
    assert_eq!(kind(&leaked), (400, "api_error".to_owned()));
    let fine = world.calls(&message(SONNET, "hello", true)).await;
    for answer in [&leaked, &fine] {
        assert!(!answer.head.contains("sk-canary") && !answer.body.contains("sk-canary"));
    }
    // Counted when the charge is on the disk, for which no client waits.
    let mut metrics = world.house.operator("GET", "/metrics").await;
    for _ in 0..3_000 {
        if metrics.body.contains("matrixos_ai_calls_total{model=\"claude-sonnet-5-5\"} 1") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        metrics = world.house.operator("GET", "/metrics").await;
    }
    assert!(metrics.body.contains("matrixos_ai_calls_total{model=\"claude-sonnet-5-5\"} 1"), "{}", metrics.body);
    assert!(!metrics.body.contains("sk-canary"));
    // What a client sends of its own credentials does not reach the provider.
    let last = world.provider.calls().pop().expect("a call");
    assert!(last.header("authorization").is_none() && last.header("cookie").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_of_ones_own_calls_are_metered_and_not_charged() {
    let world = World::with_budget(100).await;
    world.provider.require_key("sk-of-alice-herself");
    let put = world.house.page("PUT", "/api/ai/key", &world.cookie, &json!({ "key": "sk-of-alice-herself\n" })).await;
    assert_eq!(put.status, 204, "{}", put.body);
    let answer = world.calls(&message(SONNET, "[script:text]", false)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let row = world.row(0).await;
    world.house.relay.meter().catch_up(world.user.id).await.expect("written");
    assert!(row.call.own && row.call.cost == Nanos(170_000));
    let standing = world.house.relay.meter().standing(world.user.id).expect("a standing");
    assert_eq!((standing.spent, standing.own), (Nanos::ZERO, Nanos(170_000)));
    let page = world.house.page("GET", "/api/usage/alice", &world.cookie, &Value::Null).await;
    assert!(page.json()["own_key"].is_u64() && !page.body.contains("sk-of-alice"));
    for text in ["", "short", "two\nlines of it"] {
        let bad = world.house.page("PUT", "/api/ai/key", &world.cookie, &json!({ "key": text })).await;
        assert_eq!((bad.status, bad.code().as_str()), (400, "key_invalid"), "{text}");
    }
    let gone = world.house.page("DELETE", "/api/ai/key", &world.cookie, &json!({})).await;
    assert_eq!(gone.status, 204);
    assert_eq!(world.calls(&message(SONNET, "hello", false)).await.status, 402, "the platform's money again");
}
