//! Where letters are answered. Asking twice is harmless, since a computer knows each message by its request id.

use matrixos_types::kernel::{EndReason, Event, MessageBody};

use crate::channel::Doing;

/// The AI that is asked.
pub trait Desk: Send + Sync {
    /// Asks it; the answer for the sender.
    fn ask<'a>(&'a self, message: &'a MessageBody) -> Doing<'a, Result<String, Unanswered>>;
}

/// Why there is no answer yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It is being answered.
    #[error("the message is being answered")]
    Answering,
    /// The computer was stopped on purpose.
    #[error("the computer is stopped: {0}")]
    Stopped(String),
    /// It could not be asked now.
    #[error("the computer could not be asked: {0}")]
    Later(String),
    /// It was asked, and failed.
    #[error("{0}")]
    Failed(String),
}

/// What is told to the sender of a turn's end.
pub fn said(text: String, events: &[Event]) -> String {
    if !text.trim().is_empty() {
        return text;
    }
    let end = events.iter().rev().find_map(|event| match event {
        Event::Error { message, .. } => Some(message.clone()),
        Event::Result { reason: EndReason::Cancelled, .. } => {
            Some("This was stopped before it was answered.".to_owned())
        }
        Event::Result { reason: EndReason::Limit, .. } => {
            Some("This took more steps than it may, so I stopped.".to_owned())
        }
        _ => None,
    });
    end.unwrap_or_else(|| "Done; there is nothing to say about it.".to_owned())
}
