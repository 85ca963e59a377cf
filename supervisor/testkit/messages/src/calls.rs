//! The record of the calls that came, and how each of them ended.

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

#[derive(Debug, Default)]
struct Inner {
    calls: Vec<Call>,
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
        inner.calls.push(call);
        Flight { calls: self.clone(), number: inner.number, ended: false }
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.lock().calls.clone()
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
        if let Some(call) = self.calls.lock().calls.iter_mut().find(|call| call.number == self.number) {
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
