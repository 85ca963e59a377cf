//! What hangs waits here until a test releases it.

use tokio::sync::watch;

/// Holds every answer that hangs.
#[derive(Debug)]
pub(crate) struct Gate(watch::Sender<u64>);

/// One answer's place at the gate: what is released later than it was taken lets it go.
#[derive(Debug, Clone)]
pub(crate) struct Ticket(watch::Receiver<u64>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.0.subscribe())
    }

    pub(crate) fn release(&self) {
        self.0.send_modify(|times| *times += 1);
    }
}

impl Ticket {
    /// Waits for the release; for ever, if the server is gone.
    pub(crate) async fn released(mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
