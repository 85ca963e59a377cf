//! Why a call has no answer, as its client is told.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use hyper::body::Bytes;

use super::asked::BadCall;
use super::provider::NoAnswer;
use crate::meter::Refused;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// It is no call.
    #[error(transparent)]
    Bad(#[from] BadCall),
    /// It is not to be paid for.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The provider gave no answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The provider's answer is an error.
    #[error("the provider of models answered {status}")]
    Provider {
        /// Its status.
        status: StatusCode,
        /// What of its header fields may be passed on.
        headers: Box<HeaderMap>,
        /// Its body; empty if it must not be passed on.
        body: Bytes,
    },
    /// There is no key to make calls with.
    #[error("this platform has no key to a provider of models yet; its operator can give it one, or you your own")]
    NoKey,
    /// The provider refuses the platform's key.
    #[error("the provider of models refuses this platform's key; its operator has to renew it")]
    KeyRefused,
    /// Too much waits to be sent already.
    #[error("too many large calls are under way at once")]
    Crowded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The platform is ending.
    #[error("the platform was stopped in the middle of this call")]
    Lost,
}

impl RelayError {
    /// In a word, for counting.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Bad(_) => "malformed",
            Self::Refused(Refused::UnknownModel { .. }) => "unknown_model",
            Self::Refused(Refused::Unpriced(_)) => "unpriced",
            Self::Refused(Refused::OutOfBudget { .. }) => "out_of_budget",
            Self::Refused(Refused::TooMany { .. }) => "too_many",
            Self::Refused(Refused::Store(_)) => "store",
            Self::NoAnswer(_) => "no_answer",
            Self::Provider { .. } => "provider",
            Self::NoKey | Self::KeyRefused => "no_key",
            Self::Crowded { .. } => "crowded",
            Self::Lost => "lost",
        }
    }
}
