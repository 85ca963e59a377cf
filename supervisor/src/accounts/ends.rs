//! The end of each session, for what has to end with it: connections that stay open.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use matrixos_types::SessionId;
use tokio_util::sync::CancellationToken;

/// A signal for each session that something waits on.
pub(super) struct Ends {
    all: CancellationToken,
    open: Mutex<HashMap<SessionId, CancellationToken>>,
}

impl Ends {
    /// Every session's signal is given when `all` is.
    pub(super) fn new(all: CancellationToken) -> Self {
        Self { all, open: Mutex::default() }
    }

    /// The signal of a session. Take it before looking whether the session lives: then an end in between is not missed.
    pub(super) fn of(&self, id: SessionId) -> CancellationToken {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.entry(id).or_insert_with(|| self.all.child_token()).clone()
    }

    /// Gives the signal of sessions that have ended.
    pub(super) fn end(&self, ids: &[SessionId]) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().filter_map(|id| open.remove(id)).for_each(|end| end.cancel());
    }
}
