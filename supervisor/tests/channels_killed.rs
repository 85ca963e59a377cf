//! The platform is killed at random while people write: every message is heard once by its computer and answered, and
//! an answer comes twice only where the platform was killed between Telegram's word and its own.

#[path = "common/mail.rs"]
mod mail;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use mail::{BOT, person, settings};
use matrixos_store::{Store, StoreError, verify};
use matrixos_supervisor::accounts::Keys;
use matrixos_supervisor::channels::{ChannelKeys, Channels, Computers, Settings, Unanswered, ask};
use matrixos_supervisor::clock::SystemClock;
use matrixos_telegram::Scripted;
use matrixos_types::Handle;
use matrixos_types::UserId;
use matrixos_types::kernel::MessageBody;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Rounds, each of which ends with `kill -9`; fewer if the machine is so slow that they take too long.
const ROUNDS: u32 = 40;
const AT_MOST: Duration = Duration::from_secs(60);
/// Below it, the test would show nothing.
const AT_LEAST: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(120);

/// A gateway that knows messages by their request ids, as the real one does.
#[derive(Default)]
struct Gateway {
    /// By request id: how often its turn was begun, and the answer once it is there.
    turns: Mutex<HashMap<String, (u32, Option<String>)>>,
}

impl Gateway {
    async fn start() -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, this) = (listener.local_addr().expect("an address"), Arc::<Self>::default());
        let serving = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let gateway = serving.clone();
                tokio::spawn(async move { gateway.answer(stream).await });
            }
        });
        (this, address)
    }

    async fn answer(self: Arc<Self>, mut stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.split();
        let (mut reader, mut length) = (tokio::io::BufReader::new(reader), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).await? <= 2 {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await?;
        let said: MessageBody = serde_json::from_slice(&body)?;
        let (status, answer) = self.hear(&said).await;
        let body = answer.to_string();
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        writer.write_all(format!("{head}{body}").as_bytes()).await
    }

    async fn hear(self: &Arc<Self>, said: &MessageBody) -> (u16, Value) {
        let id = said.request_id.clone().expect("a request id");
        let known = self.turns.lock().expect("no panic").get(&id).cloned();
        let answered = |text: String| (200, json!({ "sessionId": "s", "text": text, "events": [] }));
        match known {
            Some((_, Some(text))) => answered(text),
            Some((_, None)) => (409, json!({ "error": { "code": "answering", "message": "x" } })),
            None => {
                self.turns.lock().expect("no panic").entry(id.clone()).or_default().0 += 1;
                let (this, text) = (self.clone(), format!("Heard {}.", said.text));
                // The turn goes on if the asker is killed.
                let turn = tokio::spawn(async move {
                    sleep(Duration::from_millis(8)).await;
                    let mut turns = this.turns.lock().expect("no panic");
                    turns.entry(id).or_default().1 = Some(text.clone());
                    text
                });
                answered(turn.await.expect("no panic"))
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_every_message_is_heard_once_and_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let telegram = Scripted::start().await.expect("Telegram");
    telegram.add_bot(BOT);
    let (gateway, address) = Gateway::start().await;
    let (begun, mut rounds, mut said) = (Instant::now(), 0, 0);
    while rounds < ROUNDS && (begun.elapsed() < AT_MOST || rounds < AT_LEAST) {
        let mut platform = serve(folder.path(), &telegram.base_url(), address);
        for _ in 0..3 {
            telegram.say(BOT, 7, &format!("number {said}"));
            said += 1;
        }
        sleep(Duration::from_millis(u64::from(random()) % 150)).await;
        platform.0.kill().expect("killed");
        platform.0.wait().expect("gone");
        rounds += 1;
    }
    let _platform = serve(folder.path(), &telegram.base_url(), address);
    let all_there = || (0..said).all(|n| telegram.texts(BOT).contains(&format!("Heard number {n}.")));
    let waiting = Instant::now();
    while !(all_there() && telegram.pending(BOT) == 0) {
        assert!(
            waiting.elapsed() < PATIENCE,
            "{} of {said}: {:?}",
            telegram.sent(BOT).len(),
            telegram.texts(BOT).last()
        );
        sleep(Duration::from_millis(50)).await;
    }
    let turns = gateway.turns.lock().expect("no panic");
    assert_eq!(turns.len(), said, "each message is one turn");
    assert!(turns.values().all(|(begun, _)| *begun == 1));
    let twice = telegram.sent(BOT).len() - said;
    assert!(twice <= rounds as usize, "{twice} answers too many in {rounds} rounds");
    println!("{rounds} rounds, {said} messages, {twice} answered twice, in {:?}", begun.elapsed());
}

fn random() -> u32 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").subsec_micros()
}

/// Ends with the value, also when an assertion fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a platform; returns when it serves.
fn serve(folder: &Path, telegram: &str, gateway: SocketAddr) -> Killed {
    let mut child = Killed(
        Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "serves_until_it_is_killed", "--nocapture", "--ignored"])
            .env("STORE_FOLDER", folder)
            .env("TELEGRAM", telegram)
            .env("GATEWAY", gateway.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started"),
    );
    let mut lines = BufReader::new(child.0.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let said = lines.find(|line| line.contains("serving") || line.contains("wrong")).expect("it starts");
    assert!(!said.contains("wrong"), "{said}");
    child
}

/// The gateway, by the code that asks real ones.
struct There(SocketAddr);

impl Computers for There {
    fn ask<'a>(
        &'a self,
        _: UserId,
        message: &'a MessageBody,
    ) -> Pin<Box<dyn Future<Output = Result<String, Unanswered>> + Send + 'a>> {
        Box::pin(ask(self.0, "token", message))
    }
}

#[tokio::test]
#[ignore = "run by another test in a process of its own"]
async fn serves_until_it_is_killed() {
    let variable = |name: &str| std::env::var(name).expect("set");
    let folder = variable("STORE_FOLDER");
    let store = reopened(&Path::new(&folder).join("store"));
    let found = verify(&store);
    let alice = store.user_by_handle(&Handle::parse("alice").expect("a handle")).expect("readable");
    let alice = alice.map_or_else(|| person(&store, "alice"), |user| user.id);
    let keys = ChannelKeys::of(&Keys::load_or_create(Path::new(&folder), SystemTime::now()).expect("keys"));
    let there = Arc::new(There(variable("GATEWAY").parse().expect("an address")));
    let to = Settings { telegram_api: variable("TELEGRAM"), telegram_webhook: None };
    let channels = Channels::open(store, there, Arc::new(SystemClock), &keys, &to, CancellationToken::new());
    let channels = channels.expect("opened");
    channels.set(alice, &settings(BOT, &["7"])).await.expect("set");
    let state = if found.is_empty() { "serving".to_owned() } else { format!("wrong: {found:?}") };
    let mut out = std::io::stdout();
    writeln!(out, "\n{state}").and_then(|()| out.flush()).expect("written");
    std::future::pending::<()>().await;
}

/// The process before was killed a moment ago, and its lock may still be there.
fn reopened(folder: &Path) -> Store {
    let begun = Instant::now();
    loop {
        match Store::open(folder) {
            Err(StoreError::InUse(_)) if begun.elapsed() < Duration::from_secs(10) => std::thread::yield_now(),
            opened => return opened.expect("opened"),
        }
    }
}
