//! What happens, told to every desktop that is open.

use std::sync::Arc;

use matrixos_types::kernel::Event;
use tokio::sync::broadcast;

/// Events that a slow desktop may lag behind; then it is told to read everything anew.
const AHEAD: usize = 1_024;

/// Where events are told and heard.
pub(crate) struct Hub(broadcast::Sender<Arc<Event>>);

impl Default for Hub {
    fn default() -> Self {
        Self(broadcast::channel(AHEAD).0)
    }
}

impl Hub {
    pub(crate) fn tell(&self, event: Event) {
        // An error says that no desktop is open.
        let _ = self.0.send(Arc::new(event));
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.subscribe()
    }

    /// How many desktops are open.
    pub(crate) fn listeners(&self) -> usize {
        self.0.receiver_count()
    }

    /// Whether any desktop is open.
    pub(crate) fn is_heard(&self) -> bool {
        self.listeners() > 0
    }
}
