//! Where letters are answered: by the AI of this computer itself.

use matrixos_channels::{Desk, Doing, Unanswered, said};
use matrixos_types::kernel::MessageBody;

use crate::kernel::{TurnError, answer};
use crate::state::Gateway;

/// This computer.
pub(super) struct Own(pub(super) Gateway);

impl Own {
    async fn ask_it(&self, message: &MessageBody) -> Result<String, Unanswered> {
        match answer(&self.0, message.clone()).await {
            Ok(answer) => Ok(said(answer.text, &answer.events)),
            Err(TurnError::Answering) => Err(Unanswered::Answering),
            Err(error @ (TurnError::QueueFull(_) | TurnError::Busy(_))) => Err(Unanswered::Later(error.to_string())),
            Err(error @ TurnError::Disk(_)) => Err(Unanswered::Failed(error.to_string())),
            // A full disk, a message that is none: the sender is to know.
            Err(error) => Ok(error.to_string()),
        }
    }
}

impl Desk for Own {
    fn ask<'a>(&'a self, message: &'a MessageBody) -> Doing<'a, Result<String, Unanswered>> {
        Box::pin(self.ask_it(message))
    }
}
