//! AI calls that go wrong on purpose: a provider that hangs, clients that do not take what they asked for, and header
//! fields that try to be more than they are.

mod common;

use std::time::{Duration, Instant};

use common::PROVIDER_KEY;
use common::world::{SONNET, World, kind, message};
use matrixos_supervisor::relay::Patience;
use matrixos_supervisor::store::How;
use matrixos_types::Nanos;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SHORT: Duration = Duration::from_millis(300);
/// Longer than any of these tests.
const LONG: Duration = Duration::from_secs(3_600);

/// Whoever is not meant to be waited for shortly is waited for long, so that each wait is seen by itself.
const PATIENT: Patience = Patience {
    body: LONG,
    stream_begins: LONG,
    answer_begins: LONG,
    answer_ends: LONG,
    silence: LONG,
    untaken: LONG,
    read_on: LONG,
};

async fn with_budget(patience: Patience) -> World {
    let world = World::with(patience).await;
    world.house.relay.meter().set_quota(world.user.id, Some(Nanos::dollars(1_000))).await.expect("written");
    world
}

fn asked(world: &World) -> usize {
    world.provider.calls().iter().filter(|call| call.path == "/v1/messages").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_begins_is_given_up_and_what_it_may_have_made_is_paid_for() {
    for (stream, patience) in
        [(true, Patience { stream_begins: SHORT, ..PATIENT }), (false, Patience { answer_begins: SHORT, ..PATIENT })]
    {
        let world = with_budget(patience).await;
        let answer = world.calls(&message(SONNET, "[script:hang-headers]", stream)).await;
        assert_eq!(kind(&answer), (504, "timeout_error".to_owned()), "stream {stream}: {}", answer.body);
        assert_eq!(asked(&world), 1, "a call that may have been heard is not made again");
        let row = world.row(0).await;
        assert!(row.call.cost > Nanos::ZERO && row.call.how != How::Exact, "{:?}", row.call);
        world.is_settled().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_falls_silent_ends_with_an_error_that_clients_read() {
    let world = with_budget(Patience { silence: SHORT, ..PATIENT }).await;
    let answer = world.calls(&message(SONNET, "[script:hang-midstream]", true)).await;
    assert_eq!(answer.status, 200);
    let last = answer.body.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().expect("an event");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!((&last["type"], &last["error"]["type"]), (&json!("error"), &json!("timeout_error")));
    assert!(answer.body.contains("message_start"), "what came before it was passed on");
    assert!(world.row(0).await.call.cost > Nanos::ZERO);
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_client_has_gone_is_read_on_for_so_long_and_no_longer() {
    let world = with_budget(Patience { read_on: SHORT, ..PATIENT }).await;
    let head = format!("authorization: Bearer {}\r\n", world.credential);
    // It would take half an hour.
    let body = message(SONNET, "[script:long tokens=100000 pace=20ms]", true).to_string();
    let mut stream = world.house.inside_begun(&world.address, "/v1/messages", &head, &body).await;
    stream.read_exact(&mut [0; 100]).await.expect("so much of an answer");
    drop(stream);
    let row = world.row(0).await;
    assert!(row.call.cost > Nanos::ZERO && row.call.how != How::Exact, "{:?}", row.call);
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_holds_up_no_answer_and_pays_for_all_of_it() {
    let world = with_budget(Patience { untaken: SHORT, ..PATIENT }).await;
    let head = format!("authorization: Bearer {}\r\n", world.credential);
    let body = json!({
        "model": SONNET, "max_tokens": 128_000, "stream": true,
        "messages": [{ "role": "user", "content": "[script:long tokens=100000]" }],
    });
    let stream = world.house.inside_begun(&world.address, "/v1/messages", &head, &body.to_string()).await;
    let row = world.row(0).await;
    assert_eq!((row.call.how, row.call.output), (How::Exact, 100_000), "{:?}", row.call);
    drop(stream);
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_field_of_a_computer_passes_for_one_of_the_platform() {
    let world = with_budget(Patience::default()).await;
    let body = message(SONNET, "hello", false).to_string();
    for fields in [
        "x-api-key: sk-of-somebody\r\n",
        "authorization: Basic c29tZWJvZHk6\r\n",
        "anthropic-beta: a\nx-api-key: sk-of-somebody\r\n",
        "anthropic-beta: a\nhost: elsewhere.example\r\n",
        "host: elsewhere.example\r\n",
        "x-forwarded-for: 1.2.3.4\r\nforwarded: for=1.2.3.4\r\nvia: me\r\n",
        "cookie: mx=1\r\nproxy-authorization: Basic YQ==\r\n",
        "accept-encoding: gzip, br\r\n",
        "connection: x-api-key\r\n",
        "te: trailers\r\nupgrade: h2c\r\n",
        "content-encoding: identity\r\n",
    ] {
        let before = world.provider.count();
        let answer = world.asks("POST", "/v1/messages", fields, &body).await;
        if answer.status != 200 {
            assert_eq!((answer.status, world.provider.count()), (400, before), "{fields:?}: {}", answer.body);
            continue;
        }
        let call = world.provider.calls().pop().expect("a call");
        let values = |name: &str| -> Vec<&str> {
            call.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(values("x-api-key"), [PROVIDER_KEY], "{fields:?}");
        assert_eq!(values("host"), [world.provider.base_url().trim_start_matches("http://")], "{fields:?}");
        assert_eq!(values("accept-encoding"), ["identity"], "{fields:?}");
        assert_eq!(values("content-length"), [body.len().to_string()], "{fields:?}");
        let known = ["x-api-key", "host", "accept-encoding", "content-length", "content-type", "anthropic-version"];
        let others = call.headers.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        for (name, value) in others {
            assert_eq!((name.as_str(), value.as_str()), ("anthropic-beta", "a"), "{fields:?}");
        }
    }
    world.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_break_that_is_smuggled_in_anywhere_reaches_nobody() {
    let world = with_budget(Patience::default()).await;
    for (field, name) in [
        ("anthropic-beta: a\r\n x-api-key: sk-of-somebody\r\n", "a folded line"),
        ("anthropic-beta: a\0b\r\n", "a zero"),
        ("anthropic-beta: a\rx-api-key: sk-of-somebody\r\n", "half a line break"),
        ("anthropic-beta : a\r\n", "a blank before the colon"),
    ] {
        let answer = world.asks("POST", "/v1/messages", field, &message(SONNET, "hello", false).to_string()).await;
        assert_eq!((answer.status, world.provider.count()), (400, 0), "{name}: {}", answer.body);
    }
    for model in ["claude-sonnet-5-5\r\nx-api-key: sk-of-somebody", "../v1/files", "claude-sonnet-5-5?beta=true"] {
        let answer = world.calls(&message(model, "hello", false)).await;
        assert_eq!(kind(&answer), (404, "not_found_error".to_owned()), "{model}");
        assert!(!answer.head.contains("sk-of-somebody"));
    }
    for path in ["/v1/messages/../files", "/v1/messages%2f..%2ffiles", "//v1/messages", "/v1/messages/batches"] {
        let answer = world.asks("POST", path, "", "{}").await;
        assert_eq!(kind(&answer), (404, "not_found_error".to_owned()), "{path}");
    }
    assert_eq!(world.provider.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_announced_and_never_sent_keep_nobody_waiting() {
    let world = with_budget(Patience::default()).await;
    let head = format!("authorization: Bearer {}\r\ncontent-length: {}\r\n", world.credential, 32 << 20);
    let mut open = Vec::new();
    for _ in 0..16 {
        let mut stream = world.house.inside_open(&world.address, "POST", "/v1/messages", &head).await;
        stream.write_all(b"{\"model\":").await.expect("the beginning");
        open.push(stream);
    }
    // Nothing tells that the platform waits for them; a moment later it does.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    assert_eq!(world.calls(&message(SONNET, "hello", false)).await.status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "it did not wait for room");
    for stream in &mut open {
        let answered = tokio::time::timeout(Duration::from_millis(20), stream.read_u8()).await;
        assert!(answered.is_err(), "what is only announced takes no room of the others");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_whole_is_not_waited_for() {
    let world = with_budget(Patience { body: SHORT, ..PATIENT }).await;
    let head = format!("authorization: Bearer {}\r\ncontent-length: 1000\r\nconnection: close\r\n", world.credential);
    let mut stream = world.house.inside_open(&world.address, "POST", "/v1/messages", &head).await;
    stream.write_all(b"{\"model\":").await.expect("the beginning");
    let mut answer = String::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await;
    read.expect("soon").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("timeout_error"), "{answer}");
    assert_eq!((world.provider.count(), world.ledger().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_is_taken_as_one_that_says_its_length() {
    let world = with_budget(Patience::default()).await;
    let body = message(SONNET, "[script:text]", false).to_string();
    let fields = "content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n";
    let head = format!("authorization: Bearer {}\r\n{fields}", world.credential);
    let mut stream = world.house.inside_open(&world.address, "POST", "/v1/messages", &head).await;
    let (first, second) = body.split_at(20);
    for piece in [first, second, ""] {
        stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await.expect("sent");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(world.row(0).await.call.cost, Nanos(170_000));
}
