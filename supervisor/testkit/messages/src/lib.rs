//! A provider of models that says what a test wants: it speaks the Messages API over HTTP/1.1, answers by scripts whose
//! costs are worked out by hand, and keeps a record of what it was asked.
//!
//! A script is chosen by a queue ([`Scripted::enqueue`]), by a marker in the prompt (`[script:NAME option=value]`) or in
//! `metadata.user_id` (`script:NAME`), by the turns of an agent's loop ([`Scripted::turns`]), or by the model.

mod asked;
mod body;
mod calls;
mod gate;
mod library;
mod message;
mod orders;
mod render;
mod script;
mod server;
mod turns;
mod way;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

pub use calls::{Call, Ended};
pub use script::{Content, Cost, Script};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
pub use turns::{ToolResult, Turn};
pub use way::{BadScript, Cut, Hang, Way};

/// A running provider. Dropped, it stops and its connections close.
pub struct Scripted {
    address: SocketAddr,
    state: Arc<server::State>,
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
        let (address, state) = (listener.local_addr()?, Arc::new(server::State::new()));
        let task = tokio::spawn(server::serve(listener, state.clone()));
        Ok(Self { address, state, task })
    }

    /// Starts it with the turns of an agent's loop: each call that offers tools gets the next one.
    pub async fn turns(turns: impl IntoIterator<Item = Turn>) -> io::Result<Self> {
        let scripted = Self::start().await?;
        scripted.add_turns(turns);
        Ok(scripted)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client takes as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on only this key will do, as `x-api-key` or as a bearer's token.
    pub fn require_key(&self, key: &str) {
        self.state.plan().key = Some(key.to_owned());
    }

    /// The answer to the next message that is not yet answered for.
    pub fn enqueue(&self, script: Script) {
        self.state.plan().queue.push_back(script);
    }

    /// The answer to messages for this model that ask for no other.
    pub fn for_model(&self, model: &str, script: Script) {
        self.state.plan().by_model.insert(model.to_owned(), script);
    }

    /// More turns of an agent's loop.
    pub fn add_turns(&self, turns: impl IntoIterator<Item = Turn>) {
        self.state.plan().turns.add(turns);
    }

    /// Lets everything go on that hangs now.
    pub fn release(&self) {
        self.state.gate.release();
    }

    /// The calls that came, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.all()
    }

    /// Forgets the calls that came.
    pub fn forget(&self) {
        self.state.calls.forget();
    }

    /// How many calls are being answered.
    pub fn in_flight(&self) -> usize {
        self.state.calls.in_flight().0
    }

    /// The most calls that were being answered at once.
    pub fn most_at_once(&self) -> usize {
        self.state.calls.in_flight().1
    }

    /// What the tools of each turn answered.
    pub fn results(&self) -> Vec<Vec<ToolResult>> {
        self.state.plan().turns.results.clone()
    }

    /// Panics unless every turn was taken, every tool answered, and every check was content.
    pub fn assert_finished(&self) {
        let plan = self.state.plan();
        assert!(plan.turns.failures.is_empty(), "the agent's loop went wrong: {:?}", plan.turns.failures);
        assert_eq!(plan.turns.left(), 0, "the agent's loop ended before its last turn");
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}
