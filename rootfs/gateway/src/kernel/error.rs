//! Why a turn could not be done, in words for the owner.

use crate::http::CallError;

/// One reason each; [`TurnError::code`] is for programs, its text for people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error("Your AI has no access to a model: {0}.")]
    NoKey(String),
    #[error(
        "The model's provider does not accept this computer's key ({0}). Ask whoever runs this server, or set another key."
    )]
    KeyRefused(String),
    #[error("Your AI's budget is used up, so it cannot answer. Everything else on this computer works. {0}")]
    NoBudget(String),
    #[error("The model is busy at the moment ({0}). Try again in a minute.")]
    Busy(String),
    #[error("The model cannot be reached ({0}). Your message is kept; try again when the connection is back.")]
    Offline(CallError),
    #[error("The model broke off: {0}. What it said until then is kept.")]
    Upstream(String),
    #[error("The model refused the request: {0}.")]
    Refused(String),
    #[error("The turn took longer than {0} seconds and was ended. What was done until then is kept.")]
    Deadline(u64),
    #[error("This conversation is read-only here: a visitor holds it with your AI.")]
    Visitors,
    #[error("{0} messages of this conversation wait for an answer already. Wait for one of them, or stop them.")]
    QueueFull(usize),
    #[error("A message has 1 to {0} letters.")]
    BadMessage(usize),
    #[error("There is no conversation of that name.")]
    BadSession,
    #[error("You have sent many messages; the next one is heard in a while.")]
    TooOften,
    #[error("The message is being answered already.")]
    Answering,
    #[error("The disk is full, so the conversation cannot be kept. Delete something, then try again.")]
    DiskFull,
    #[error("The conversation's file cannot be used: {0}.")]
    Disk(std::io::Error),
}

impl TurnError {
    /// Nobody gave this computer a key.
    pub(crate) fn without_key() -> Self {
        Self::NoKey("no key is set. On a server of your own, set ANTHROPIC_API_KEY and restart".to_owned())
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoKey(_) => "no_key",
            Self::KeyRefused(_) => "key_refused",
            Self::NoBudget(_) => "no_budget",
            Self::Busy(_) => "busy",
            Self::Offline(_) => "offline",
            Self::Upstream(_) => "upstream",
            Self::Refused(_) => "refused",
            Self::Deadline(_) => "deadline",
            Self::Visitors => "read_only",
            Self::QueueFull(_) => "queue_full",
            Self::BadMessage(_) => "bad_message",
            Self::BadSession => "bad_session",
            Self::TooOften => "too_often",
            Self::Answering => "answering",
            Self::DiskFull => "disk_full",
            Self::Disk(_) => "internal",
        }
    }
}

impl From<std::io::Error> for TurnError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Disk(error),
        }
    }
}
