//! The AI: takes messages in, answers them one at a time in each conversation.

mod approvals;
mod client;
mod compact;
mod error;
mod history;
pub(crate) mod limits;
pub(crate) mod memory;
mod models;
mod prompt;
mod reply;
mod routes;
mod senders;
pub(crate) mod skills;
pub(crate) mod source;
mod sse;
pub(crate) mod tools;
mod turn;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use matrixos_types::kernel::{ChatMessage, Event, From, Role, Running};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use approvals::Approvals;
pub(crate) use client::Client;
pub(crate) use error::TurnError;
pub(crate) use models::models;
pub(crate) use routes::{answer, cancel, generate, message};
use source::Trust;

use crate::conversations::lines::Line;
use crate::conversations::{new_id, store};
use crate::settings::Settings;
use crate::state::Gateway;
use crate::time;

/// The AI of this computer.
pub(crate) struct Kernel {
    pub(crate) client: Option<Client>,
    lanes: Mutex<HashMap<String, Lane>>,
    turns: Arc<Semaphore>,
    pub(crate) approvals: Approvals,
    hearing: tokio::sync::Mutex<()>,
    visitors: senders::Senders,
    apps: senders::Senders,
    known_models: models::Known,
}

/// One conversation in which something is to be answered.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Pending>,
    running: Option<Live>,
}

/// The turn that runs.
struct Live {
    turn: String,
    cancel: CancellationToken,
    /// What was said since the last whole message.
    said: String,
}

/// A message that waits for its answer.
pub(crate) struct Pending {
    message: String,
    trust: Trust,
    source: String,
    /// It was stopped before its turn came.
    stopped: bool,
    done: Option<oneshot::Sender<Outcome>>,
}

/// What came of a turn.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) events: Vec<Event>,
}

/// Something somebody says.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) session: Option<String>,
    pub(crate) from: Option<From>,
    pub(crate) trust: Trust,
    pub(crate) request_id: Option<String>,
}

/// A message that was taken in.
pub(crate) enum Heard {
    /// It will be answered.
    New { session: String, done: oneshot::Receiver<Outcome> },
    /// It was taken in before; with the answer, once there is one.
    Before { session: String, message: ChatMessage, answer: Option<String> },
}

/// Messages of one visitor in an hour.
const VISITOR_HOURLY: usize = 10;

impl Kernel {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            client: Client::new(&settings.ai_url, settings.ai_key.as_deref()),
            lanes: Mutex::default(),
            turns: Arc::new(Semaphore::new(limits::TURNS)),
            approvals: Approvals::default(),
            hearing: tokio::sync::Mutex::default(),
            visitors: senders::Senders::new(VISITOR_HOURLY, 100),
            apps: senders::Senders::new(60, 200),
            known_models: models::Known::default(),
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the turn of a conversation and forgets what waits behind it. False if there was nothing.
    pub(crate) fn cancel(&self, session: &str) -> bool {
        let mut lanes = self.lanes();
        let Some(lane) = lanes.get_mut(session) else { return false };
        lane.running.iter().for_each(|live| live.cancel.cancel());
        // They are answered with a note by the lane, which sees that they were stopped.
        lane.waiting.iter_mut().for_each(|pending| pending.stopped = true);
        true
    }

    /// The turn that runs in a conversation, and how many messages wait behind it.
    pub(crate) fn running(&self, session: &str) -> (Option<Running>, usize) {
        let lanes = self.lanes();
        let Some(lane) = lanes.get(session) else { return (None, 0) };
        let running = lane.running.as_ref();
        (running.map(|live| Running { turn_id: live.turn.clone(), text: live.said.clone() }), lane.waiting.len())
    }

    fn set_said(&self, session: &str, how: impl FnOnce(&mut String)) {
        if let Some(live) = self.lanes().get_mut(session).and_then(|lane| lane.running.as_mut()) {
            how(&mut live.said);
        }
    }
}

/// Takes a message in: when this returns, it is safe on the disk.
pub(crate) async fn hear(gateway: &Gateway, said: Said) -> Result<Heard, TurnError> {
    let length = said.text.len();
    if said.text.trim().is_empty() || length > limits::MESSAGE {
        return Err(TurnError::BadMessage(limits::MESSAGE));
    }
    let session = session(&said)?;
    // One at a time: a message that comes twice at once is found by the second.
    let _alone = gateway.kernel.hearing.lock().await;
    if let Some(request) = said.request_id.clone() {
        let id = session.clone();
        let before = on_disk(gateway, move |home| store::heard(home, &id, &request)).await?;
        if let Some((message, answer)) = before {
            return Ok(Heard::Before { session, message, answer });
        }
    }
    if said.trust == Trust::Visitor && !admits(gateway, &session).await? {
        return Err(TurnError::TooOften);
    }
    let waiting = gateway.kernel.lanes().get(&session).map_or(0, |lane| lane.waiting.len());
    if waiting >= limits::WAITING {
        return Err(TurnError::QueueFull(waiting));
    }
    take_in(gateway, session, said).await
}

/// Whether a visitor is heard now. Their conversation remembers what they said before this computer was last started.
async fn admits(gateway: &Gateway, session: &str) -> Result<bool, TurnError> {
    let (id, since) = (session.to_owned(), time::millis().saturating_sub(3_600_000));
    let heard = on_disk(gateway, move |home| Ok(store::heard_since(home, &id, since))).await?;
    Ok(heard < VISITOR_HOURLY && gateway.kernel.visitors.admits(session))
}

/// Which conversation it belongs to. Nobody but the owner chooses one.
fn session(said: &Said) -> Result<String, TurnError> {
    let chosen = match (&said.from, said.trust) {
        (Some(from), Trust::Visitor) => source::session(from, Trust::Visitor),
        (Some(from), trust) => said.session.clone().unwrap_or_else(|| source::session(from, trust)),
        (None, _) => said.session.clone().unwrap_or_else(new_id),
    };
    if !store::is_id(&chosen) {
        return Err(TurnError::BadSession);
    }
    if said.trust != Trust::Visitor && chosen.starts_with(source::VISITORS) {
        return Err(TurnError::Visitors);
    }
    Ok(chosen)
}

async fn take_in(gateway: &Gateway, session: String, said: Said) -> Result<Heard, TurnError> {
    let message = ChatMessage {
        id: new_id(),
        at: time::millis(),
        role: Role::User,
        text: said.text.clone(),
        from: said.from.clone(),
        tools: Vec::new(),
        code: None,
    };
    let line = Line::User {
        id: message.id.clone(),
        at: message.at,
        text: said.text,
        trust: said.trust,
        from: said.from.clone(),
        request_id: said.request_id.clone(),
    };
    keep(gateway, &session, vec![line]).await?;
    let (sender, done) = oneshot::channel();
    let source = said.from.map_or_else(|| "desktop".to_owned(), |from| from.channel);
    let pending =
        Pending { message: message.id.clone(), trust: said.trust, source, stopped: false, done: Some(sender) };
    let waiting =
        gateway.kernel.lanes().get(&session).map_or(0, |l| l.waiting.len() + usize::from(l.running.is_some()));
    gateway.hub.tell(Event::Message { session_id: session.clone(), message, request_id: said.request_id, waiting });
    enqueue(gateway, &session, pending);
    Ok(Heard::New { session, done })
}

fn enqueue(gateway: &Gateway, session: &str, pending: Pending) {
    let mut lanes = gateway.kernel.lanes();
    if let Some(lane) = lanes.get_mut(session) {
        lane.waiting.push_back(pending);
        return;
    }
    lanes.insert(session.to_owned(), Lane { waiting: [pending].into(), running: None });
    tokio::spawn(work(gateway.clone(), session.to_owned()));
}

/// Answers the messages of one conversation, one after the other, until there are none.
async fn work(gateway: Gateway, session: String) {
    loop {
        let live = Live { turn: new_id(), cancel: CancellationToken::new(), said: String::new() };
        let (turn, cancel) = (live.turn.clone(), live.cancel.clone());
        let pending = {
            let mut lanes = gateway.kernel.lanes();
            let Some(lane) = lanes.get_mut(&session) else { return };
            let Some(pending) = lane.waiting.pop_front() else {
                lanes.remove(&session);
                return;
            };
            lane.running = Some(live);
            pending
        };
        if pending.stopped {
            cancel.cancel();
        }
        turn::run(&gateway, &session, turn, cancel, pending).await;
        if let Some(lane) = gateway.kernel.lanes().get_mut(&session) {
            lane.running = None;
        }
        gateway.hub.tell(Event::SessionChanged { session_id: session.clone() });
        gateway.cron.answered();
        if gateway.kernel.lanes().values().all(|lane| lane.running.is_none() && lane.waiting.is_empty()) {
            gateway.platform.rest().await;
        }
    }
}

/// Takes up what was being answered when the computer was switched off. A message that was begun twice already is not
/// begun again: it may be what switched it off.
pub(crate) async fn resume(gateway: &Gateway) -> Result<(), TurnError> {
    let recent = on_disk(gateway, |home| store::all(home, RESUMED)).await?;
    for (session, _) in recent {
        let id = session.clone();
        for (line, starts) in on_disk(gateway, move |home| store::unanswered(home, &id)).await? {
            let Line::User { id, at, trust, from, .. } = line else { continue };
            if starts < BEGUN && time::millis().saturating_sub(at) < OLD {
                let source = from.map_or_else(|| "desktop".to_owned(), |from| from.channel);
                enqueue(gateway, &session, Pending { message: id, trust, source, stopped: false, done: None });
            } else {
                let note = "This computer was switched off before this was answered. Say it again if it still matters.";
                let at = time::millis();
                let end = Line::End { message: id, at, result: "interrupted".into(), note: Some(note.into()) };
                keep(gateway, &session, vec![end]).await?;
            }
        }
    }
    Ok(())
}

/// Conversations that are looked at after a start, those that changed last.
const RESUMED: usize = 20;
/// How often a message is begun.
const BEGUN: usize = 2;
/// A message that is older, in milliseconds, is not answered by itself.
const OLD: u64 = 6 * 3_600 * 1_000;

/// Appends to a conversation.
pub(crate) async fn keep(gateway: &Gateway, session: &str, lines: Vec<Line>) -> Result<(), TurnError> {
    let id = session.to_owned();
    on_disk(gateway, move |home| store::append(home, &id, &lines)).await
}

/// File work, off the thread that serves.
pub(crate) async fn on_disk<T: Send + 'static>(
    gateway: &Gateway,
    work: impl FnOnce(&cap_std::fs::Dir) -> std::io::Result<T> + Send + 'static,
) -> Result<T, TurnError> {
    let gateway = gateway.clone();
    let done = tokio::task::spawn_blocking(move || work(&gateway.home)).await;
    Ok(done.map_err(std::io::Error::other)??)
}
