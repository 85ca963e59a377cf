//! The record of the calls that came, and how each of them ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All of it was sent.
    Whole,
    /// The script cut it.
    Cut,
    /// The client went before all of it was sent.
    Abandoned,
}

/// A call that came.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Counted from 1 since the server began.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came; bytes that are no text are replaced.
    pub body: String,
    /// The script that answered it.
    pub script: Option<String>,
    /// How many bytes of the answer's body were sent.
    pub sent: usize,
    /// How it ended, if it has.
    pub ended: Option<Ended>,
}

impl Call {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// So many calls are remembered; under a longer load the oldest are forgotten.
const REMEMBERED: usize = 100_000;

#[derive(Debug, Default)]
struct Inner {
    /// Their numbers follow each other without a gap.
    calls: VecDeque<Call>,
    number: u64,
    in_flight: usize,
    most_at_once: usize,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Inner>>);

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, mut call: Call) -> Flight {
        let mut inner = self.lock();
        inner.number += 1;
        inner.in_flight += 1;
        inner.most_at_once = inner.most_at_once.max(inner.in_flight);
        call.number = inner.number;
        if inner.calls.len() == REMEMBERED {
            inner.calls.pop_front();
        }
        inner.calls.push_back(call);
        Flight { calls: self.clone(), number: inner.number, ended: false }
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.lock().calls.iter().cloned().collect()
    }

    /// How many came, forgotten ones too.
    pub(crate) fn count(&self) -> u64 {
        self.lock().number
    }

    /// How many are being answered, and the most that ever were at once.
    pub(crate) fn in_flight(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.in_flight, inner.most_at_once)
    }

    pub(crate) fn forget(&self) {
        let mut inner = self.lock();
        inner.calls.clear();
        inner.most_at_once = inner.in_flight;
    }
}

/// A call that is being answered. Dropped before its end, its client has gone.
#[derive(Debug)]
pub(crate) struct Flight {
    calls: Calls,
    pub(crate) number: u64,
    ended: bool,
}

impl Flight {
    fn change(&self, change: impl FnOnce(&mut Call)) {
        let mut inner = self.calls.lock();
        let place = inner.calls.front().and_then(|first| self.number.checked_sub(first.number));
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(call) = place.and_then(|place| inner.calls.get_mut(place)) {
            change(call);
        }
    }

    pub(crate) fn answered_by(&self, script: &str) {
        self.change(|call| call.script = Some(script.to_owned()));
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.change(|call| call.sent += bytes);
    }

    pub(crate) fn end(&mut self, how: Ended) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.change(|call| call.ended = Some(how));
        self.calls.lock().in_flight -= 1;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end(Ended::Abandoned);
    }
}
