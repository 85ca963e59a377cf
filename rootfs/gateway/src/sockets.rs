//! What both kinds of WebSocket have in common: bounds on what is held of one, and a pulse by which a dead peer is noticed.

use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Largest message from a desktop, in bytes: what somebody says, or a piece of a paste.
const MESSAGE: usize = 256 << 10;
/// What is read ahead of a socket and held back before it is written, in bytes.
const BUFFER: usize = 16 << 10;
/// Pings in a row that nothing may follow.
const UNANSWERED: u32 = 2;
/// A desktop that takes nothing for so long is gone.
pub(crate) const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// A WebSocket that holds no more than is needed of it.
pub(crate) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    // A frame as well: it is read whole before the message is measured.
    upgrade.max_message_size(MESSAGE).max_frame_size(MESSAGE).read_buffer_size(BUFFER).write_buffer_size(BUFFER)
}

/// Says when to ping, and when a peer has answered none. It counts pings, not time: a frozen computer's clock goes on.
pub(crate) struct Pulse {
    ticks: Interval,
    unanswered: u32,
}

impl Pulse {
    pub(crate) fn new(every: Duration) -> Self {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, unanswered: 0 }
    }

    /// Something came from the peer.
    pub(crate) fn heard(&mut self) {
        self.unanswered = 0;
    }

    /// Waits until it is time for a ping, which the caller sends. False if the peer is gone.
    pub(crate) async fn next(&mut self) -> bool {
        self.ticks.tick().await;
        self.unanswered += 1;
        self.unanswered <= UNANSWERED
    }
}
