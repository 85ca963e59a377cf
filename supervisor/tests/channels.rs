//! People write to their computers on Telegram, which plays by a script here; only the computers are pretended.

#[path = "common/mail.rs"]
mod mail;

use std::time::Duration;

use mail::*;
use matrixos_supervisor::channels::{SendError, SetError, Unanswered};
use matrixos_telegram::{Fault, How, Scripted};
use matrixos_types::channels::{ChannelBody, ChannelState, ChannelsBody, SendBody};
use serde_json::json;

fn out(chat: &str, text: &str) -> SendBody {
    SendBody { channel: "telegram".to_owned(), chat_id: chat.to_owned(), text: text.to_owned() }
}

fn once(how: How) -> Fault {
    Fault { how, times: 1 }
}

#[tokio::test]
async fn a_message_is_answered_once_however_often_its_computer_has_to_be_woken() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7"]).await;
    house.computers.next("alice", Err(Unanswered::Later("it is still starting".to_owned())));
    house.computers.next("alice", Err(Unanswered::Answering));
    house.telegram.say(BOT, 7, "hello");
    house.until("it is answered", || house.telegram.texts(BOT) == ["You said: hello"]).await;
    let heard = house.computers.heard("alice");
    let asked = &heard[0];
    assert!(heard.len() == 3 && heard.iter().all(|again| again == asked), "the same message each time");
    let from = asked.from.as_ref().expect("somebody");
    assert_eq!((from.channel.as_str(), from.id.as_str(), from.name.as_deref()), ("telegram", "7", Some("Person7")));
    assert!(asked.request_id.as_ref().is_some_and(|id| id.starts_with("telegram-111111-")));
    house.until("Telegram was told", || house.telegram.pending(BOT) == 0).await;
    assert_eq!(house.status("alice").state, ChannelState::Connected);
}

#[tokio::test]
async fn who_is_not_named_is_not_heard_and_is_told_nothing() {
    let house = House::open(&["alice", "bobby"]).await;
    house.connect("alice", BOT, &["7"]).await;
    house.connect("bobby", OTHER, &[]).await;
    house.telegram.say(BOT, 8, "let me in");
    // The owner, where others read along.
    house.telegram.write(BOT, 7, -100, &json!({ "text": "in a group" }));
    house.telegram.write(BOT, 8, 7, &json!({ "text": "a forged chat" }));
    house.telegram.say(OTHER, 7, "an empty list admits nobody");
    house.until("they were dropped", || house.status("alice").dropped == 3 && house.status("bobby").dropped == 1).await;
    house.telegram.say(BOT, 7, "hello");
    house.until("the owner is answered", || !house.telegram.sent(BOT).is_empty()).await;
    assert_eq!(house.telegram.texts(BOT), ["You said: hello"]);
    assert!(house.telegram.sent(OTHER).is_empty() && house.computers.heard("bobby").is_empty());
    assert_eq!(house.computers.heard("alice").len(), 1);
}

#[tokio::test]
async fn updates_that_come_twice_or_with_lower_numbers_are_each_answered_once() {
    let house = House::open(&["alice"]).await;
    let message = |text: &str| json!({ "from": { "id": 7 }, "chat": { "id": 7 }, "text": text });
    house.telegram.inject(BOT, 2_000, message("first"));
    house.connect("alice", BOT, &["7"]).await;
    house.until("one", || house.telegram.texts(BOT).len() == 1).await;
    // Telegram has heard that the first is safe, and the poll that said so found nothing else.
    house.until("Telegram was told", || house.telegram.pending(BOT) == 0).await;
    house.telegram.inject(BOT, 2_000, message("first"));
    house.telegram.inject(BOT, 2_001, message("second"));
    house.until("two", || house.telegram.texts(BOT).len() == 2).await;
    house.until("Telegram was told", || house.telegram.pending(BOT) == 0).await;
    // After a quiet week Telegram begins anew with any number.
    house.telegram.inject(BOT, 1_500, message("third"));
    house.until("three", || house.telegram.texts(BOT).len() == 3).await;
    assert_eq!(house.telegram.texts(BOT), ["You said: first", "You said: second", "You said: third"]);
    assert_eq!(house.computers.heard("alice").len(), 3);
}

#[tokio::test]
async fn long_answers_come_in_pieces_and_marks_that_telegram_refuses_as_plain_text() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7"]).await;
    let paragraph = "A sentence (with marks) that is 100 % real. ".repeat(30);
    let long = vec![paragraph.trim().to_owned(); 10].join("\n\n");
    house.computers.next("alice", Ok(long.clone()));
    house.telegram.say(BOT, 7, "at length");
    house.until("all of it", || house.telegram.texts(BOT).join("\n\n") == long).await;
    let pieces = house.telegram.sent(BOT);
    assert!(
        pieces.len() >= 4 && pieces.iter().all(|piece| piece.formatted && piece.text.encode_utf16().count() <= 4_096)
    );
    house.computers.next("alice", Ok("**Bold** as brass.".to_owned()));
    house.telegram.fail(BOT, "sendMessage", once(How::Status(400)));
    house.telegram.say(BOT, 7, "briefly");
    house.until("plain", || house.telegram.sent(BOT).len() == pieces.len() + 1).await;
    let last = house.telegram.sent(BOT).pop().expect("a message");
    assert_eq!((last.text.as_str(), last.formatted), ("**Bold** as brass.", false));
}

#[tokio::test]
async fn what_is_no_text_is_answered_plainly_and_asks_nobody() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7"]).await;
    house.telegram.write(BOT, 7, 7, &json!({ "photo": [{ "file_id": "x" }] }));
    house.telegram.write(BOT, 7, 7, &json!({ "text": "x".repeat(70_000) }));
    house.until("two answers", || house.telegram.sent(BOT).len() == 2).await;
    assert_eq!(house.telegram.texts(BOT), ["I can only read text so far.", "That message is too long for me."]);
    assert!(house.computers.heard("alice").is_empty());
}

#[tokio::test]
async fn what_waits_or_fails_is_told_to_the_sender_once() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7"]).await;
    for _ in 0..2 {
        house.computers.next("alice", Err(Unanswered::Stopped("its operator is repairing it".to_owned())));
    }
    house.telegram.say(BOT, 7, "hello");
    house.until("answered in the end", || house.telegram.texts(BOT).len() == 2).await;
    let texts = house.telegram.texts(BOT);
    assert!(texts[0].contains("stopped (its operator is repairing it)") && texts[1] == "You said: hello", "{texts:?}");
    house.computers.next("alice", Ok("Your AI's budget is used up.".to_owned()));
    house.telegram.say(BOT, 7, "again");
    house.until("told", || house.telegram.texts(BOT).last().is_some_and(|text| text.contains("budget"))).await;
}

#[tokio::test]
async fn while_a_message_is_being_answered_its_chat_shows_it_and_what_goes_wrong_with_that_harms_nothing() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7", "8"]).await;
    house.computers.hold("alice");
    house.telegram.fail(BOT, "sendChatAction", once(How::CutBefore));
    house.telegram.say(BOT, 7, "hello");
    house.until("it is shown again and again", || house.telegram.count("sendChatAction") >= 2).await;
    let calls = house.telegram.calls();
    let shown: Vec<_> = calls.iter().filter(|call| call.method == "sendChatAction").collect();
    assert!(shown.iter().all(|call| call.parameters == json!({ "chat_id": 7, "action": "typing" })), "{shown:?}");
    house.computers.release();
    house.until("answered", || house.telegram.texts(BOT) == ["You said: hello"]).await;
    // Who wants to be left alone is, and who blocks the bot is shown nothing twice.
    let shown = || house.telegram.count("sendChatAction");
    for (chat, blocks) in [(8, false), (7, true)] {
        let before = shown();
        house.computers.hold("alice");
        if blocks {
            house.telegram.block(BOT, chat);
        } else {
            house.telegram.fail(BOT, "sendChatAction", once(How::TooMany(3_000)));
        }
        house.telegram.say(BOT, chat, "me too");
        house.until("it was tried", || shown() > before).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(shown(), before + 1);
        house.computers.release();
        house.quiet("alice").await;
    }
    assert_eq!(house.telegram.texts(BOT), ["You said: hello", "You said: me too"]);
}

#[tokio::test]
async fn telegram_is_left_alone_when_it_asks_for_that_and_the_answer_comes_once() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7"]).await;
    house.telegram.fail(BOT, "sendMessage", once(How::TooMany(2)));
    let begun = tokio::time::Instant::now();
    house.telegram.say(BOT, 7, "hello");
    house.until("answered", || house.telegram.sent(BOT).len() == 1).await;
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert_eq!(house.telegram.count("sendMessage"), 2);
    house.telegram.fail(BOT, "sendMessage", once(How::CutBefore));
    house.telegram.say(BOT, 7, "once more");
    house.until("answered", || house.telegram.sent(BOT).len() == 2).await;
    house.quiet("alice").await;
    assert_eq!(house.telegram.texts(BOT), ["You said: hello", "You said: once more"]);
}

#[tokio::test]
async fn a_message_that_can_never_arrive_does_not_hold_up_the_others() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7", "9"]).await;
    house.telegram.know(BOT, 7);
    house.telegram.block(BOT, 9);
    for chat in ["9", "7"] {
        house.channels().send(house.user("alice"), &out(chat, "The news.")).await.expect("taken");
    }
    house.until("one arrives", || house.telegram.sent(BOT).len() == 1).await;
    assert_eq!(house.telegram.sent(BOT)[0].chat, 7);
    house.quiet("alice").await;
}

#[tokio::test]
async fn texts_go_only_to_those_who_may_write() {
    let house = House::open(&["alice", "bobby"]).await;
    house.connect("alice", BOT, &["7"]).await;
    let send = async |who: &str, body: SendBody| house.channels().send(house.user(who), &body).await;
    assert!(matches!(send("alice", out("8", "x")).await, Err(SendError::Stranger(_))));
    assert!(matches!(send("alice", out("7", " \n")).await, Err(SendError::Empty)));
    let elsewhere = SendBody { channel: "discord".to_owned(), ..out("7", "x") };
    assert!(matches!(send("alice", elsewhere).await, Err(SendError::NotConnected(_))));
    assert!(matches!(send("bobby", out("7", "x")).await, Err(SendError::NotConnected(_))));
    assert_eq!(house.telegram.count("sendMessage"), 0);
}

#[tokio::test]
async fn a_token_that_is_refused_and_a_bot_that_another_uses_are_told() {
    let house = House::open(&["alice", "bobby"]).await;
    house.connect("alice", "333333:no-such-bot", &["7"]).await;
    house.until("told", || house.status("alice").state == ChannelState::Error).await;
    let why = house.status("alice").why.expect("a reason");
    assert!(why.contains("Token refused") && why.contains("@BotFather") && !why.contains("no-such-bot"), "{why}");
    house.connect("alice", BOT, &["7"]).await;
    house.until("the right one", || house.status("alice").state == ChannelState::Connected).await;
    house.connect("bobby", BOT, &["7"]).await;
    let conflict = |who: &str| house.status(who).why.is_some_and(|why| why.contains("Another program uses this bot"));
    house.until("one of them is told", || conflict("alice") || conflict("bobby")).await;
    // Nothing that makes no sense is kept.
    for (token, owners) in [("nonsense", vec!["7"]), (BOT, vec!["7 8"]), (BOT, vec!["7"; 51])] {
        let body = settings(token, &owners);
        let refused = house.channels().set(house.user("alice"), &body).await;
        assert!(matches!(refused, Err(SetError::Malformed(_))), "{token} {owners:?}");
        let status = house.status("alice");
        assert!(status.state == ChannelState::Error && status.why.is_some(), "what was there before has ended");
    }
    assert!(!house.store.channel(house.user("alice"), "telegram").expect("readable").expect("kept").enabled);
    house.connect("bobby", OTHER, &["7"]).await;
    house.connect("alice", BOT, &["7"]).await;
    house.until("connected again", || house.status("alice").state == ChannelState::Connected).await;
}

#[tokio::test]
async fn two_people_have_their_own_bots_queues_and_answers() {
    let house = House::open(&["alice", "bobby"]).await;
    house.connect("alice", BOT, &["7"]).await;
    house.connect("bobby", OTHER, &["7", "8"]).await;
    for number in 0..5 {
        house.telegram.say(BOT, 7, &format!("a{number}"));
        house.telegram.say(OTHER, 8, &format!("b{number}"));
    }
    let all = |letter: &str| (0..5).map(|n| format!("You said: {letter}{n}")).collect::<Vec<_>>();
    house.until("all are answered", || house.telegram.sent(BOT).len() + house.telegram.sent(OTHER).len() == 10).await;
    assert_eq!((house.telegram.texts(BOT), house.telegram.texts(OTHER)), (all("a"), all("b")));
    assert!(house.telegram.sent(OTHER).iter().all(|sent| sent.chat == 8));
}

#[tokio::test]
async fn switched_off_nothing_is_fetched_and_what_waits_is_kept_and_taken_away_everything_goes() {
    let house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7"]).await;
    house.computers.next("alice", Err(Unanswered::Stopped("a test".to_owned())));
    house.telegram.say(BOT, 7, "hello");
    house.until("it waits", || house.telegram.sent(BOT).len() == 1).await;
    let off = ChannelBody { enabled: false, ..settings(BOT, &["7"]).telegram.expect("settings") };
    house.channels().set(house.user("alice"), &ChannelsBody { telegram: Some(off) }).await.expect("set");
    assert_eq!(house.status("alice").state, ChannelState::Disabled);
    let waiting = house.status("alice").waiting;
    house.telegram.say(BOT, 7, "while it is off");
    house.stopped_polling(BOT).await;
    assert_eq!(house.telegram.pending(BOT), 1, "nobody fetches it");
    assert_eq!(house.status("alice").waiting, waiting);
    house.connect("alice", BOT, &["7"]).await;
    house.until("both are answered", || house.telegram.sent(BOT).len() == 3).await;
    house.channels().set(house.user("alice"), &ChannelsBody::default()).await.expect("taken away");
    house.telegram.say(BOT, 7, "afterwards");
    house.stopped_polling(BOT).await;
    assert!(house.store.channels().expect("readable").is_empty());
    assert_eq!(house.status("alice").state, ChannelState::Disabled);
}

#[tokio::test]
async fn a_token_is_sealed_at_rest_and_without_its_key_the_channel_says_so() {
    let mut house = House::open(&["alice"]).await;
    house.connect("alice", BOT, &["7"]).await;
    let mut text = Vec::new();
    matrixos_store::export(&house.store, &mut text).expect("exported");
    let text = String::from_utf8(text).expect("text");
    assert!(
        text.contains("\"channels\"")
            && !text.contains(BOT)
            && !text.contains(BOT.split(':').nth(1).expect("a secret"))
    );
    house.restart_with_other_keys().await;
    let status = house.status("alice");
    assert_eq!(status.state, ChannelState::Error);
    assert!(status.why.is_some_and(|why| why.contains("enter it once more")));
    house.connect("alice", BOT, &["7"]).await;
    house.until("connected again", || house.status("alice").state == ChannelState::Connected).await;
}

#[tokio::test]
async fn what_is_brought_counts_only_with_the_channels_own_secret() {
    let telegram = Scripted::start().await.expect("Telegram");
    let house = House::brought(&["alice"], telegram, "http://127.0.0.1:9").await;
    house.connect("alice", BOT, &["7"]).await;
    house.until("the hook is set", || house.telegram.count("setWebhook") == 1).await;
    let hook = house.telegram.calls().into_iter().find(|call| call.method == "setWebhook").expect("a hook").parameters;
    let (user, secret) = (house.user("alice"), hook["secret_token"].as_str().expect("a secret").to_owned());
    assert_eq!(hook["url"], format!("http://127.0.0.1:9/channels/telegram/{}", user.0.simple()));
    let update = |n: u64, text: &str| {
        json!({ "update_id": n, "message": { "from": { "id": 7 }, "chat": { "id": 7 }, "text": text } }).to_string()
    };
    house.telegram.know(BOT, 7);
    let bring = async |secret: &str, body: String| {
        house.channels().brought(user, "telegram", secret.as_bytes(), body.as_bytes()).await.is_ok()
    };
    assert!(!bring("", update(1, "x")).await && !bring(&secret[1..], update(1, "x")).await);
    house.computers.hold("alice");
    for (number, text) in [(12, "two"), (11, "one"), (12, "two"), (11, "one")] {
        assert!(bring(&secret, update(number, text)).await);
    }
    assert!(bring(&secret, "no JSON".to_owned()).await, "it would come again and again");
    house.computers.release();
    house.until("both are answered", || house.telegram.sent(BOT).len() == 2).await;
    house.quiet("alice").await;
    let mut texts = house.telegram.texts(BOT);
    texts.sort();
    assert_eq!(texts, ["You said: one", "You said: two"]);
    assert_eq!(house.telegram.count("getUpdates"), 0);
}
