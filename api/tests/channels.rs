//! Channels by the two doors: computers set theirs up inside, Telegram brings messages to the front.

mod common;

use std::time::Duration;

use common::House;
use matrixos_supervisor::channels::Settings;
use matrixos_telegram::Scripted;
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const BOT: &str = "111111:AAalices-canary-token";

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "in vain: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn telegram(owners: &[&str]) -> String {
    json!({ "telegram": { "enabled": true, "token": BOT, "owners": owners } }).to_string()
}

/// One request of a computer at the door for computers.
async fn inside(house: &House, who: &str, method: &str, path: &str, body: &str) -> common::Answer {
    let (address, credential) = house.resident(who);
    house.inside(&address, method, path, &format!("authorization: Bearer {credential}\r\n"), body).await
}

async fn state(house: &House, who: &str) -> Value {
    inside(house, who, "GET", "/matrix/channels/status", "").await.json()["telegram"].clone()
}

#[tokio::test]
async fn a_computer_sets_its_own_channels_up_and_writes_only_to_its_owners() {
    let bots = Scripted::start().await.expect("Telegram");
    bots.add_bot(BOT);
    bots.know(BOT, 7);
    let base = bots.base_url();
    let house = House::with_channels(|_| Settings { telegram_api: base, telegram_webhook: None }).await;
    house.sign_up("alice", &mut Device::at(&house.origin)).await;
    house.sign_up("mallory", &mut Device::at(&house.origin)).await;
    assert_eq!(state(&house, "alice").await["state"], "disabled");
    assert_eq!(inside(&house, "alice", "PUT", "/matrix/channels", &telegram(&["7"])).await.status, 204);
    until("connected", async || state(&house, "alice").await["state"] == "connected").await;
    assert_eq!(state(&house, "mallory").await["state"], "disabled");
    let send = |to: &str, text: &str| json!({ "channel": "telegram", "chatId": to, "text": text }).to_string();
    for (who, to, text, status) in [
        ("alice", "7", "The *news*.", 202),
        ("alice", "8", "To a stranger", 400),
        ("mallory", "7", "In her name", 400),
        ("alice", "7", " ", 400),
    ] {
        assert_eq!(inside(&house, who, "POST", "/matrix/send", &send(to, text)).await.status, status, "{who} {text}");
    }
    let large = send("7", &"\u{1}".repeat((64 << 10) + 1));
    assert_eq!(inside(&house, "alice", "POST", "/matrix/send", &large).await.status, 400);
    until("it was sent", async || bots.texts(BOT) == ["The news."]).await;
    let nonsense = json!({ "telegram": { "enabled": true, "token": "canary-nonsense", "owners": [] } }).to_string();
    let refused = inside(&house, "alice", "PUT", "/matrix/channels", &nonsense).await;
    assert!(refused.status == 400 && refused.body.contains("@BotFather") && !refused.body.contains("canary"));
    assert_eq!(state(&house, "alice").await["state"], "error");
    assert_eq!(inside(&house, "alice", "PUT", "/matrix/channels", "{}").await.status, 204);
    until("disabled", async || state(&house, "alice").await["state"] == "disabled").await;
}

#[tokio::test]
async fn what_telegram_brings_counts_by_its_secret_and_nothing_else_does() {
    let bots = Scripted::start().await.expect("Telegram");
    bots.add_bot(BOT);
    let base = bots.base_url();
    let house = House::with_channels(|origin| Settings {
        telegram_api: base,
        telegram_webhook: Some(origin.origin().ascii_serialization()),
    })
    .await;
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    assert_eq!(inside(&house, "alice", "PUT", "/matrix/channels", &telegram(&["7"])).await.status, 204);
    bots.say(BOT, 7, "hello");
    bots.say(BOT, 8, "a stranger");
    until("both were brought", async || bots.pending(BOT) == 0).await;
    let standing = state(&house, "alice").await;
    assert_eq!((&standing["waiting"], &standing["dropped"]), (&json!(1), &json!(1)), "{standing}");
    let hook = bots.calls().into_iter().find(|call| call.method == "setWebhook").expect("a hook").parameters;
    let path = hook["url"].as_str().and_then(|url| url.strip_prefix(&house.origin)).expect("our address").to_owned();
    let secret = hook["secret_token"].as_str().expect("a secret").to_owned();
    let update =
        |n: u64| json!({ "update_id": n, "message": { "from": { "id": 7 }, "chat": { "id": 7 }, "text": "x" } });
    let field = |secret: &str| format!("x-telegram-bot-api-secret-token: {secret}\r\n");
    let nobody = format!("/channels/telegram/{}", "0".repeat(32));
    for (path, fields) in [
        (path.as_str(), String::new()),
        (path.as_str(), field("")),
        (path.as_str(), field(&secret.to_uppercase())),
        (path.as_str(), field(BOT)),
        (path.as_str(), house.own(&member)),
        (nobody.as_str(), field(&secret)),
        ("/channels/telegram/alice", field(&secret)),
        (&path.replace("telegram", "discord"), field(&secret)),
    ] {
        let refused = house.ask("POST", &house.host(), path, &fields, &update(1).to_string()).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "not_found"), "{path} with {fields}");
    }
    assert_eq!(house.ask("GET", &house.host(), &path, &field(&secret), "").await.status, 405);
    let huge = "x".repeat((1 << 20) + 1);
    assert_eq!(house.ask("POST", &house.host(), &path, &field(&secret), &huge).await.status, 413);
    assert_eq!(state(&house, "alice").await["waiting"], 1);
    for _ in 0..2 {
        let taken = house.ask("POST", &house.host(), &path, &field(&secret), &update(1).to_string()).await;
        assert_eq!(taken.status, 200, "{}", taken.body);
    }
    assert_eq!(state(&house, "alice").await["waiting"], 2);
}

#[tokio::test]
async fn profiles_can_be_read_by_everybody_although_no_computer_runs() {
    let house = House::open().await;
    house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let read = async || house.page("GET", "/api/profiles/alice", "", &Value::Null).await.json();
    let empty = read().await;
    assert_eq!((&empty["profile"], &empty["ai_profile"], empty.get("display_name")), (&json!(""), &json!(""), None));
    let about = json!({ "profile": "- Display Name: Alice <b>", "ai_profile": "# Beep" }).to_string();
    assert_eq!(inside(&house, "alice", "PUT", "/matrix/profiles", &about).await.status, 204);
    let told = read().await;
    assert_eq!((&told["handle"], &told["display_name"]), (&json!("alice"), &json!("Alice <b>")));
    assert_eq!((&told["profile"], &told["ai_profile"]), (&json!("- Display Name: Alice <b>"), &json!("# Beep")));
    let fits = json!({ "profile": "\u{1}".repeat(16 << 10), "ai_profile": "" }).to_string();
    assert_eq!(inside(&house, "alice", "PUT", "/matrix/profiles", &fits).await.status, 204);
    let large = json!({ "profile": "", "ai_profile": "x".repeat((16 << 10) + 1) }).to_string();
    assert_eq!(inside(&house, "alice", "PUT", "/matrix/profiles", &large).await.status, 400);
}
