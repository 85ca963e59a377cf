//! What a computer tells the platform, so that messages arrive and its owner is found while it sleeps.
#![allow(clippy::unwrap_used)]

mod common;

use common::provider::Provider;
use matrixos_messages::Turn;
use serde_json::{Value, json};

const TOKEN: &str = "123456:AAE-canary-token";

#[test]
fn the_platform_hears_of_channels_at_the_start_and_of_every_change_however_it_was_made() {
    let provider = Provider::start([]);
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("system")).unwrap();
    let config = json!({ "channels": { "telegram": { "enabled": true, "token": TOKEN, "owners": ["7"] } } });
    std::fs::write(home.path().join("system/config.json"), config.to_string()).unwrap();
    let computer = provider.computer_with(home, &[]);
    let last = || provider.told.lock().unwrap().channels.last().cloned();
    let told = |enabled, owners: &[&str]| {
        Some(json!({ "telegram": { "enabled": enabled, "token": TOKEN, "owners": owners } }))
    };
    computer.until("it was told at the start", || last() == told(true, &["7"]));
    assert_eq!(computer.put("/api/settings/channels", json!({ "telegram": { "owners": ["7", "8"] } })).status, 204);
    computer.until("a change by the settings", || last() == told(true, &["7", "8"]));
    let by_hand = computer.read("system/config.json").replace("\"enabled\": true", "\"enabled\": false");
    computer.write("system/config.json", by_hand);
    computer.until("a change by hand", || last() == told(false, &["7", "8"]));
    assert_eq!(computer.put("/api/settings/channels", json!({ "telegram": { "token": null } })).status, 204);
    computer.until("without a token nothing is connected", || last() == Some(json!({})));
    assert!(!computer.get("/api/settings/channels").text().contains("canary"));
}

#[test]
fn what_the_platform_will_not_have_is_said_once_and_profiles_all_the_same() {
    let provider = Provider::start([]);
    provider.told.lock().unwrap().refuses_channels = true;
    let computer = provider.computer();
    computer.until("both were said", || !provider.told.lock().unwrap().profiles.is_empty());
    // Each change of a profile is a look at the channels as well: by the third, what was refused would have come again.
    for text in ["one", "two", "three"] {
        assert_eq!(computer.put("/api/profile", json!({ "text": text })).status, 204);
        computer.until("it was told", || provider.told.lock().unwrap().profiles.last().unwrap()["profile"] == text);
    }
    assert_eq!(provider.told.lock().unwrap().channels.len(), 1);
}

#[test]
fn profiles_are_told_without_what_nobody_is_to_read() {
    let provider = Provider::start([]);
    let computer = provider.computer();
    let last = || provider.told.lock().unwrap().profiles.last().cloned().unwrap_or_default();
    computer.until("it was told at the start", || last()["ai_profile"].as_str().is_some_and(|t| t.contains("calm")));
    let about = "- Display Name: Alice B.\n<!-- a secret -->";
    assert_eq!(computer.put("/api/profile", json!({ "text": about })).status, 204);
    computer.until("it was told of the change", || last()["profile"] == "- Display Name: Alice B.");
}

#[test]
fn how_a_channel_stands_is_what_the_platform_says() {
    let provider = Provider::start([]);
    let computer = provider.computer();
    let standing =
        json!({ "telegram": { "state": "error", "why": "Token refused.", "dropped": 1, "waiting": 0, "unsent": 2 } });
    provider.told.lock().unwrap().standing = Some(standing);
    let status = computer.get("/api/channels/status").json();
    assert_eq!((&status["telegram"], &status["matrix"]), (&json!("error"), &json!("disabled")));
    assert_eq!(status["why"]["telegram"], "Token refused.");
}

#[test]
fn whoever_asks_again_hears_the_answer_or_why_there_is_none() {
    let provider = Provider::start([Turn::text("Hello.")]);
    let computer = provider.computer();
    computer.put("/api/settings/channels", json!({ "telegram": { "owners": ["7"] } }));
    let ask = |id: &str| {
        let from = json!({ "channel": "telegram", "id": "7", "name": "Alice" });
        computer.post("/api/message", json!({ "text": "hello", "from": from, "requestId": id })).json()
    };
    assert_eq!((ask("one")["text"].clone(), ask("one")["text"].clone()), (json!("Hello."), json!("Hello.")));
    provider.enqueue("402");
    let failed = ask("two");
    assert_eq!(failed["text"], "");
    let said =
        failed["events"].as_array().unwrap().iter().find(|e| e["type"] == "kernel:error").unwrap()["message"].clone();
    assert!(said.as_str().is_some_and(|text| text.contains("budget")), "{said}");
    let again: Value = ask("two");
    assert_eq!(again["text"], said, "the platform was killed before it had heard the first answer");
}
