//! What Telegram knows of its bots.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// The calls that are remembered.
const CALLS: usize = 100_000;

/// Everything.
#[derive(Default)]
pub(crate) struct State {
    bots: Mutex<HashMap<String, Bot>>,
    calls: Mutex<Vec<Call>>,
    /// Something has changed that a poll or a delivery may wait for.
    pub(crate) news: Notify,
}

/// One bot.
#[derive(Default)]
pub(crate) struct Bot {
    /// Updates that were not acknowledged, by their numbers.
    pub(crate) updates: BTreeMap<u64, Value>,
    next: u64,
    pub(crate) sent: Vec<Sent>,
    pub(crate) chats: HashSet<i64>,
    pub(crate) blocked: HashSet<i64>,
    pub(crate) faults: Vec<(String, Fault)>,
    pub(crate) hook: Option<Hook>,
    /// The poll that counts: an earlier one that still waits is ended.
    pub(crate) poll: u64,
}

/// Where updates are brought to.
#[derive(Clone, PartialEq)]
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) secret: Option<String>,
}

/// A message of a bot's that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// To whom.
    pub chat: i64,
    /// As people see it, without marks.
    pub text: String,
    /// Whether it was sent with marks.
    pub formatted: bool,
}

/// A call that came.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// The bot's token.
    pub token: String,
    /// The method.
    pub method: String,
    /// Its parameters.
    pub parameters: Value,
}

/// How the next calls of a method go wrong.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// In which way.
    pub how: How,
    /// How often.
    pub times: u32,
}

/// In which way a call goes wrong.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// 429, with so many seconds to wait.
    TooMany(u64),
    /// This status.
    Status(u16),
    /// The connection ends before the call is heard.
    CutBefore,
    /// The call is done, and the connection ends before that is said.
    CutAfter,
}

impl State {
    pub(crate) fn bots(&self) -> MutexGuard<'_, HashMap<String, Bot>> {
        self.bots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_bot(&self, token: &str) {
        self.bots().entry(token.to_owned()).or_insert_with(|| Bot { next: 1_000, ..Bot::default() });
    }

    /// Does something with a bot, if there is one, and tells those who wait.
    pub(crate) fn with<T>(&self, token: &str, how: impl FnOnce(&mut Bot) -> T) -> Option<T> {
        let done = self.bots().get_mut(token).map(how);
        self.news.notify_waiters();
        done
    }

    pub(crate) fn note(&self, call: Call) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < CALLS {
            calls.push(call);
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Bot {
    /// A message for the bot. Its number is the next one, or the given one, from which counting goes on.
    pub(crate) fn tell(&mut self, number: Option<u64>, message: Value) -> u64 {
        let number = number.unwrap_or(self.next);
        self.next = number + 1;
        self.chats.extend(message["chat"]["id"].as_i64());
        self.updates.insert(number, json!({ "update_id": number, "message": message }));
        number
    }

    /// How the next call of a method goes wrong, if it does.
    pub(crate) fn fault(&mut self, method: &str) -> Option<How> {
        let (_, fault) = self.faults.iter_mut().find(|(of, fault)| of == method && fault.times > 0)?;
        fault.times -= 1;
        Some(fault.how)
    }
}
