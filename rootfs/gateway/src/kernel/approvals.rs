//! Asking the owner whether the AI may.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use matrixos_types::kernel::Event;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::conversations::new_id;
use crate::state::Gateway;

/// Silence for so long is a no.
pub(crate) const WITHIN: Duration = Duration::from_secs(300);

/// What is asked and not answered yet.
#[derive(Default)]
pub(crate) struct Approvals(Mutex<HashMap<String, Question>>);

struct Question {
    event: Event,
    answer: oneshot::Sender<bool>,
}

/// Takes the question back when nobody waits for its answer any more.
struct Asked<'a> {
    gateway: &'a Gateway,
    id: String,
    approved: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.gateway.kernel.approvals.questions().remove(&self.id);
        self.gateway.hub.tell(Event::ApprovalSettled { id: self.id.clone(), approved: self.approved });
    }
}

impl Approvals {
    fn questions(&self) -> MutexGuard<'_, HashMap<String, Question>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner answers. False if nobody asks (any more).
    pub(crate) fn answer(&self, id: &str, approved: bool) -> bool {
        self.questions().remove(id).is_some_and(|question| question.answer.send(approved).is_ok())
    }

    /// For a desktop that has just been opened.
    pub(crate) fn open(&self) -> Vec<Event> {
        self.questions().values().map(|question| question.event.clone()).collect()
    }
}

/// Asks every open desktop and waits.
pub(crate) async fn ask(gateway: &Gateway, session: &str, tool: &str, label: &str, why: &str) -> bool {
    let id = new_id();
    let event = Event::ApprovalRequest {
        id: id.clone(),
        session_id: session.to_owned(),
        tool: tool.to_owned(),
        label: label.to_owned(),
        why: why.to_owned(),
        within: WITHIN.as_secs(),
    };
    let (answer, answered) = oneshot::channel();
    gateway.kernel.approvals.questions().insert(id.clone(), Question { event: event.clone(), answer });
    let mut asked = Asked { gateway, id, approved: false };
    gateway.hub.tell(event);
    asked.approved = matches!(timeout(WITHIN, answered).await, Ok(Ok(true)));
    asked.approved
}
