//! What a connection needs of a mailbox. Each change is on the disk when it returns, so that a connection can be cut off
//! at any moment.

use serde::{Deserialize, Serialize};

use crate::channel::Doing;

/// Largest text of a letter, in bytes.
pub const LETTER: usize = 64 << 10;

/// A message that waits for its computer's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The channel's number of it; letters are answered in this order.
    pub update: u64,
    /// Where the answer goes, in the channel's words.
    pub chat: String,
    /// Who wrote it, in the channel's words.
    pub sender: String,
    /// What the sender calls themselves.
    pub name: Option<String>,
    /// What they wrote.
    pub text: String,
    /// Whether the sender was told that it has to wait.
    pub told: bool,
}

/// A text on its way out. It stays until the channel has acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its place among the replies.
    pub number: u64,
    /// To whom, in the channel's words.
    pub chat: String,
    /// What is said: no more than the channel takes at once.
    pub text: String,
}

/// A text for somebody, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom, in the channel's words.
    pub chat: String,
    /// What is said: no more than the channel takes at once.
    pub text: String,
}

/// What came of a message that a channel has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// It is for the computer.
    Letter(Letter),
    /// It is answered without the computer.
    Answered {
        /// The channel's number of the message.
        update: u64,
        /// Where the answer goes.
        chat: String,
        /// The answer.
        text: String,
    },
}

impl Incoming {
    /// The channel's number of the message.
    pub fn update(&self) -> u64 {
        match self {
            Self::Letter(letter) => letter.update,
            Self::Answered { update, .. } => *update,
        }
    }
}

/// The letter that is to be answered next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The letter.
    pub letter: Letter,
    /// Whether there is room for its answer.
    pub room: bool,
}

/// A mailbox: messages of one account on one channel, on their way in and out.
pub trait Mail: Send + Sync {
    /// Why mail could not be kept or read. Nothing was changed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Takes in what a channel has brought, all of it or nothing; what was taken in before is left out.
    fn take_in(&self, brought: Vec<Incoming>) -> Doing<'_, Result<(), Self::Error>>;

    /// The letter that is to be answered next.
    fn next_letter(&self) -> Doing<'_, Result<Option<Waiting>, Self::Error>>;

    /// The letter of that number was answered: it goes, and its answer waits to be sent. If it was not there any more,
    /// nothing is sent.
    fn answer_letter(&self, update: u64, answer: Vec<Outgoing>) -> Doing<'_, Result<(), Self::Error>>;

    /// Tells the sender of the letter of that number, once, that it has to wait.
    fn tell_to_wait(&self, update: u64, text: String) -> Doing<'_, Result<(), Self::Error>>;

    /// The reply that is to be sent next.
    fn next_reply(&self) -> Doing<'_, Result<Option<Reply>, Self::Error>>;

    /// The channel has acknowledged a reply, or will never take it.
    fn reply_is_done(&self, number: u64) -> Doing<'_, Result<(), Self::Error>>;
}
