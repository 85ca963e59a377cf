//! How long a call waits, for whom. Nothing bounds the whole of an answer that still comes.

use std::time::Duration;

/// How long a call waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For all of the body: its sender is on this machine.
    pub body: Duration,
    /// For the provider to begin an answer that streams.
    pub stream_begins: Duration,
    /// For it to begin one that does not: it is silent until all of it is there.
    pub answer_begins: Duration,
    /// For the rest of such an answer.
    pub answer_ends: Duration,
    /// For the next piece in the middle of a stream; the provider sends a ping every few seconds.
    pub silence: Duration,
    /// For a client to take a piece of its answer.
    pub untaken: Duration,
    /// For the end of an answer whose client has gone.
    pub read_on: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(60),
            stream_begins: Duration::from_secs(120),
            answer_begins: Duration::from_secs(600),
            answer_ends: Duration::from_secs(60),
            silence: Duration::from_secs(120),
            untaken: Duration::from_secs(60),
            read_on: Duration::from_secs(300),
        }
    }
}
