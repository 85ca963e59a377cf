//! Telegram as bots see it, for tests: the Bot API over HTTP/1.1 with its real rules and errors, and people who write to
//! bots and read what they answer.

mod bots;
mod hook;
mod markdown;
mod methods;
mod orders;
mod server;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

pub use bots::{Call, Fault, How, Sent};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use bots::State;

/// A running Telegram. Dropped, it stops and its connections close.
pub struct Scripted {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Starts it on a free port of the loopback interface.
    pub async fn start() -> io::Result<Self> {
        Self::listen((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts it on this address.
    pub async fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (address, state) = (listener.local_addr()?, Arc::new(State::default()));
        let task = tokio::spawn(server::serve(listener, state.clone()));
        Ok(Self { address, state, task })
    }

    /// What a client takes as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bot with this token. Every other token is refused.
    pub fn add_bot(&self, token: &str) {
        self.state.add_bot(token);
    }

    /// The token is good no more, as after `/revoke` at @BotFather.
    pub fn revoke(&self, token: &str) {
        self.state.bots().remove(token);
    }

    /// Somebody writes to a bot, in private. Gives the number of the update.
    pub fn say(&self, token: &str, from: i64, text: &str) -> u64 {
        self.tell(token, person(from), from, &json!({ "text": text }))
    }

    /// Somebody writes to a bot, in a chat of several, with whatever a message can hold.
    pub fn write(&self, token: &str, from: i64, chat: i64, content: &Value) -> u64 {
        self.tell(token, person(from), chat, content)
    }

    fn tell(&self, token: &str, from: Value, chat: i64, content: &Value) -> u64 {
        let mut message = json!({ "message_id": 1, "date": 1_800_000_000, "from": from });
        message["chat"] = json!({ "id": chat, "type": if chat < 0 { "group" } else { "private" } });
        for (name, value) in content.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        self.state.with(token, |bot| bot.tell(None, message)).unwrap_or_default()
    }

    /// An update with a number of its own, as after a quiet week.
    pub fn inject(&self, token: &str, number: u64, message: Value) {
        self.state.with(token, |bot| bot.tell(Some(number), message));
    }

    /// A person may be written to, although they have not written.
    pub fn know(&self, token: &str, chat: i64) {
        self.state.with(token, |bot| bot.chats.insert(chat));
    }

    /// A person does not want to hear from a bot any more.
    pub fn block(&self, token: &str, chat: i64) {
        self.state.with(token, |bot| bot.blocked.insert(chat));
    }

    /// What a bot has sent that arrived, oldest first.
    pub fn sent(&self, token: &str) -> Vec<Sent> {
        self.state.with(token, |bot| bot.sent.clone()).unwrap_or_default()
    }

    /// The texts of that, as people see them.
    pub fn texts(&self, token: &str) -> Vec<String> {
        self.sent(token).into_iter().map(|sent| sent.text).collect()
    }

    /// Updates that the bot has not acknowledged.
    pub fn pending(&self, token: &str) -> usize {
        self.state.with(token, |bot| bot.updates.len()).unwrap_or_default()
    }

    /// The next calls of a method go wrong.
    pub fn fail(&self, token: &str, method: &str, fault: Fault) {
        self.state.with(token, |bot| bot.faults.push((method.to_owned(), fault)));
    }

    /// The calls that came, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls()
    }

    /// How often a method was called.
    pub fn count(&self, method: &str) -> usize {
        self.calls().iter().filter(|call| call.method == method).count()
    }
}

/// What people see of a text in MarkdownV2, or what Telegram says is wrong with it.
pub fn seen(markdown: &str) -> Result<String, String> {
    markdown::plain(markdown)
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn person(id: i64) -> Value {
    json!({ "id": id, "is_bot": false, "first_name": format!("Person{id}") })
}
