//! A computer on a server of its owner's own, on Telegram: it holds the connection itself, and what lies between a message
//! and its answer survives everything.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::Computer;
use common::provider::Provider;
use matrixos_messages::Turn;
use matrixos_telegram::{Fault, How, Scripted};
use serde_json::{Value, json};

const BOT: &str = "111111:AAalices-canary-token";
const OTHER: &str = "222222:AAothers-canary-token";

/// A scripted Telegram with both bots, and the road to it, which can be closed.
struct Telegram {
    scripted: Scripted,
    road: Arc<Road>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Default)]
struct Road {
    closed: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Road {
    /// Leads everybody who comes to the place behind it.
    fn lead(self: Arc<Self>, listener: TcpListener, behind: String) {
        for stream in listener.incoming().map_while(Result::ok) {
            let Ok(other) = TcpStream::connect(&behind) else { return };
            let mut open = self.open.lock().unwrap();
            // Whoever comes to a closed road is dropped here.
            if self.closed.load(Ordering::SeqCst) {
                continue;
            }
            for (from, to) in [(&stream, &other), (&other, &stream)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
            open.extend([stream, other]);
        }
    }
}

impl Telegram {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let scripted = runtime.block_on(Scripted::start()).unwrap();
        [BOT, OTHER].iter().for_each(|token| scripted.add_bot(token));
        Self { scripted, road: Arc::default(), _runtime: runtime }
    }

    /// The network goes away, or comes back.
    fn close(&self, closed: bool) {
        let mut open = self.road.open.lock().unwrap();
        self.road.closed.store(closed, Ordering::SeqCst);
        open.drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
    }

    /// A computer that finds this Telegram, and what else it is told.
    fn computer(&self, provider: &Provider, more: &[(&str, &str)]) -> Computer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let (road, behind) = (self.road.clone(), self.base_url().trim_start_matches("http://").to_owned());
        std::thread::spawn(move || road.lead(listener, behind));
        let all = [&[("MATRIX_SINGLE", "1"), ("MATRIX_TELEGRAM_API", api.as_str())], more].concat();
        provider.computer_with(tempfile::tempdir().unwrap(), &all)
    }

    /// One with the bot and its owner in the environment.
    fn connected(&self, provider: &Provider) -> Computer {
        let computer = self.computer(provider, &[("MATRIX_TELEGRAM_TOKEN", BOT), ("MATRIX_TELEGRAM_OWNERS", "7, 8")]);
        computer.until("it is connected", || state(&computer) == "connected");
        computer
    }
}

impl std::ops::Deref for Telegram {
    type Target = Scripted;
    fn deref(&self) -> &Scripted {
        &self.scripted
    }
}

fn state(computer: &Computer) -> Value {
    computer.get("/api/channels/status").json()["telegram"].clone()
}

fn why(computer: &Computer) -> String {
    computer.get("/api/channels/status").json()["why"]["telegram"].as_str().unwrap_or_default().to_owned()
}

fn mailbox(computer: &Computer) -> Value {
    serde_json::from_str(&computer.read("system/mailboxes/telegram.json")).unwrap_or_default()
}

#[test]
fn a_message_is_answered_and_whoever_is_not_named_is_not_heard() {
    let provider = Provider::start([Turn::text("**Hello** to you."), Turn::text("Hello again.")]);
    let (telegram, long) = (Telegram::start(), "A sentence that is 100 % real. ".repeat(300));
    let computer = telegram.connected(&provider);
    telegram.say(BOT, 9, "let me in");
    telegram.write(BOT, 7, -100, &json!({ "text": "in a group, where others read along" }));
    telegram.say(BOT, 7, "hello");
    computer.until("it is answered", || telegram.texts(BOT) == ["Hello to you."]);
    assert_eq!(provider.requests().len(), 1, "strangers cost nothing");
    assert!(provider.requests()[0]["tools"].is_array(), "the owner has all tools");
    telegram.say(BOT, 8, "me too");
    computer.until("the other one", || telegram.sent(BOT).iter().any(|sent| sent.chat == 8));
    computer.until("Telegram was told", || telegram.pending(BOT) == 0);
    provider.scripted.add_turns([Turn::text(&long)]);
    telegram.say(BOT, 7, "at length");
    computer.until("in pieces", || telegram.texts(BOT)[2..].join(" ").trim() == long.trim());
    assert!(telegram.sent(BOT).len() > 4);
    let health = computer.ask_as("", "GET", "/health", b"").json();
    assert_eq!(health["channels"], json!(["telegram"]));
    assert_eq!(computer.get("/api/system/info").json()["channels"], json!(["telegram"]));
    assert!(provider.told.lock().unwrap().channels.is_empty(), "nobody else is told the token");
}

#[test]
fn what_comes_twice_or_out_of_order_is_answered_once() {
    let provider = Provider::start(["first", "second", "third"].map(Turn::text));
    let telegram = Telegram::start();
    let computer = telegram.connected(&provider);
    let message = |text: &str| json!({ "from": { "id": 7 }, "chat": { "id": 7 }, "text": text });
    telegram.inject(BOT, 2_000, message("one"));
    computer.until("one", || telegram.texts(BOT).len() == 1 && telegram.pending(BOT) == 0);
    telegram.inject(BOT, 2_000, message("one"));
    telegram.inject(BOT, 2_001, message("two"));
    computer.until("two", || telegram.texts(BOT).len() == 2 && telegram.pending(BOT) == 0);
    telegram.inject(BOT, 1_500, message("three"));
    computer.until("three", || telegram.texts(BOT).len() == 3);
    assert_eq!(telegram.texts(BOT), ["first", "second", "third"]);
    assert_eq!(provider.requests().len(), 3);
}

#[test]
fn a_kill_loses_no_message_wherever_it_falls() {
    let provider = Provider::start(["the first answer", "the second answer", "the third answer"].map(Turn::text));
    let telegram = Telegram::start();
    let computer = telegram.connected(&provider);
    // In the middle of a turn, with another message behind it.
    provider.enqueue("text hang=4");
    telegram.say(BOT, 7, "one");
    computer.until("the model is asked", || provider.requests().len() == 1);
    telegram.say(BOT, 7, "two");
    computer.until("both are safe", || mailbox(&computer)["seen"].as_array().is_some_and(|seen| seen.len() == 2));
    let computer = computer.kill_and_start();
    computer.until("both are answered", || telegram.texts(BOT) == ["the first answer", "the second answer"]);
    // Between an answer and its sending, for which Telegram wants to be left alone a while.
    telegram.fail(BOT, "sendMessage", Fault { how: How::TooMany(3_000), times: 1 });
    telegram.say(BOT, 7, "three");
    computer.until("the answer is safe", || mailbox(&computer)["replies"].to_string().contains("the third answer"));
    computer.until("it was tried", || telegram.count("sendMessage") == 3);
    assert_eq!(telegram.texts(BOT).len(), 2);
    let computer = computer.kill_and_start();
    computer.until("the answer goes", || telegram.texts(BOT)[2..] == ["the third answer"]);
    assert_eq!(provider.requests().len(), 4, "the one that was cut off, and one for each");
}

#[test]
fn a_token_that_is_refused_is_told_and_another_one_connects_without_a_restart() {
    let provider = Provider::start(["Hello.", "From the other bot."].map(Turn::text));
    let telegram = Telegram::start();
    let computer = telegram.computer(&provider, &[]);
    computer.until("nothing is set up", || state(&computer) == "disabled");
    let set = |settings: Value| {
        assert_eq!(computer.put("/api/settings/channels", json!({ "telegram": settings })).status, 204);
    };
    set(json!({ "enabled": true, "token": "no token", "owners": ["7"] }));
    computer.until("that is none", || why(&computer).contains("@BotFather") && state(&computer) == "error");
    set(json!({ "token": BOT }));
    computer.until("it is connected", || state(&computer) == "connected");
    telegram.say(BOT, 7, "hello");
    computer.until("it is answered", || telegram.texts(BOT) == ["Hello."]);
    telegram.revoke(BOT);
    telegram.say(OTHER, 9, "whatever, so that Telegram looks at its polls");
    computer.until("it is told", || state(&computer) == "error" && why(&computer).contains("Token refused"));
    assert_eq!(computer.ask_as("", "GET", "/health", b"").json()["channels"], json!([]));
    set(json!({ "token": OTHER }));
    computer.until("it is connected again", || state(&computer) == "connected");
    telegram.say(OTHER, 7, "and now?");
    computer.until("it is answered", || telegram.texts(OTHER) == ["From the other bot."]);
    set(json!({ "owners": [] }));
    computer.until("it is connected anew", || state(&computer) == "connected");
    let number = telegram.say(OTHER, 7, "an empty list admits nobody");
    computer.until("Telegram was told", || telegram.pending(OTHER) == 0 && number > 0);
    set(json!({ "enabled": false }));
    computer.until("it is off", || state(&computer) == "disabled");
    assert_eq!((telegram.texts(OTHER).len(), provider.requests().len()), (1, 2));
    let said = computer.said.lock().unwrap().clone();
    assert!(said.contains("Token refused") && !said.contains("canary"), "{said}");
}

#[test]
fn a_network_that_goes_away_and_comes_back_needs_nobody() {
    let provider = Provider::start([Turn::text("Here I am.")]);
    let telegram = Telegram::start();
    let computer = telegram.connected(&provider);
    telegram.close(true);
    computer.until("it is told", || state(&computer) == "error" && why(&computer).contains("cannot be reached"));
    telegram.say(BOT, 7, "are you there?");
    telegram.close(false);
    computer.until("it is answered", || telegram.texts(BOT) == ["Here I am."]);
    assert_eq!(state(&computer), "connected");
}

#[test]
fn what_the_environment_says_counts_is_shown_to_nobody_and_cannot_be_changed_in_the_settings() {
    let provider = Provider::start([Turn::tool("run_command", json!({ "command": "env" })), Turn::text("Done.")]);
    let telegram = Telegram::start();
    let computer = telegram.connected(&provider);
    let put = |settings: Value| computer.put("/api/settings/channels", json!({ "telegram": settings }));
    for (settings, name) in
        [(json!({ "token": OTHER }), "MATRIX_TELEGRAM_TOKEN"), (json!({ "owners": ["9"] }), "MATRIX_TELEGRAM_OWNERS")]
    {
        let refused = put(settings);
        assert!(refused.status == 400 && refused.text().contains(name), "{}", refused.text());
    }
    let shown = computer.get("/api/settings/channels");
    let telegrams = &shown.json()["telegram"];
    assert_eq!((&telegrams["owners"], &telegrams["hasToken"]), (&json!(["7", "8"]), &json!(true)));
    assert_eq!(telegrams["fromEnvironment"], json!(["token", "owners"]));
    // As the settings page saves it: with the list as it is.
    assert_eq!(put(json!({ "enabled": false, "owners": ["7", "8"] })).status, 204);
    computer.until("it is off", || state(&computer) == "disabled");
    assert_eq!(put(json!({ "enabled": true, "owners": ["7", "8"] })).status, 204);
    computer.until("it is on", || state(&computer) == "connected");
    telegram.say(BOT, 7, "what is in your environment?");
    computer.until("it is answered", || telegram.texts(BOT) == ["Done."]);
    let known = provider.requests().iter().map(Value::to_string).collect::<String>();
    assert!(known.contains("PATH=") && !known.contains("canary"), "the AI's commands do not have the token");
    let written = computer.read("system/config.json") + &computer.read("system/mailboxes/telegram.json");
    let said = computer.said.lock().unwrap().clone();
    assert!(!(shown.text() + &written + &said).contains("canary"));
}

#[test]
fn a_job_writes_to_the_owner_and_to_nobody_else() {
    let provider = Provider::start(["tea is ready", "for nobody"].map(Turn::text));
    let telegram = Telegram::start();
    let computer = telegram.connected(&provider);
    telegram.know(BOT, 7);
    telegram.know(BOT, 9);
    let job = |chat: &str| {
        let target = json!({ "channel": "telegram", "chatId": chat });
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let schedule = json!({ "type": "once", "at": now + 2 });
        json!({ "name": "tea", "message": "Time for tea", "schedule": schedule, "target": target })
    };
    assert_eq!(computer.post("/api/cron", job("7")).status, 201);
    computer.until("the owner reads it", || telegram.texts(BOT) == ["tea is ready"]);
    assert_eq!(computer.post("/api/cron", job("9")).status, 201);
    computer.until("it is told at the desktop", || computer.get("/api/notices").text().contains("could not be sent"));
    assert_eq!(telegram.texts(BOT).len(), 1);
}

#[test]
fn a_jobs_answer_reaches_the_owner_after_a_kill_in_the_middle_of_its_turn() {
    let provider = Provider::start([Turn::text("tea is ready")]);
    let telegram = Telegram::start();
    let computer = telegram.connected(&provider);
    telegram.know(BOT, 7);
    provider.enqueue("text hang=4");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let (schedule, target) =
        (json!({ "type": "once", "at": now + 1 }), json!({ "channel": "telegram", "chatId": "7" }));
    let job = json!({ "name": "tea", "message": "Time for tea", "schedule": schedule, "target": target });
    assert_eq!(computer.post("/api/cron", job).status, 201);
    computer.until("the model is asked", || provider.requests().len() == 1);
    computer.until("the job is over", || computer.get("/api/cron").json() == json!([]));
    let computer = computer.kill_and_start();
    computer.until("the owner reads it", || telegram.texts(BOT) == ["tea is ready"]);
    computer.until("nothing is owed", || computer.read("system/deliveries.json").contains("\"owed\": []"));
    assert!(!computer.get("/api/notices").text().contains("could not be sent"));
}

#[test]
fn while_the_ai_works_its_chat_shows_it() {
    let provider = Provider::start([Turn::text("at once")]);
    let telegram = Telegram::start();
    let computer = telegram.connected(&provider);
    provider.enqueue("text hang=4");
    telegram.say(BOT, 7, "take your time");
    computer.until("it is shown again and again", || telegram.count("sendChatAction") >= 2);
    provider.scripted.release();
    computer.until("it is answered", || telegram.texts(BOT).len() == 1);
    let calls = telegram.calls();
    let shown = calls.iter().filter(|call| call.method == "sendChatAction").map(|call| call.parameters.clone());
    assert!(shown.into_iter().all(|said| said == json!({ "chat_id": 7, "action": "typing" })));
    let before = telegram.count("sendChatAction");
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!(telegram.count("sendChatAction"), before, "nobody is at it any more");
}

#[test]
fn a_mailbox_that_was_damaged_is_put_aside_and_messages_are_answered() {
    let provider = Provider::start([Turn::text("Hello.")]);
    let telegram = Telegram::start();
    let computer = telegram.computer(&provider, &[("MATRIX_TELEGRAM_TOKEN", BOT), ("MATRIX_TELEGRAM_OWNERS", "7")]);
    computer.until("it is connected", || state(&computer) == "connected");
    computer.write("system/mailboxes/telegram.json", "{\"account\": 7");
    let computer = computer.kill_and_start();
    telegram.say(BOT, 7, "hello");
    computer.until("it is answered", || telegram.texts(BOT) == ["Hello."]);
    assert_eq!(computer.read("system/mailboxes/telegram.json.damaged"), "{\"account\": 7");
}
