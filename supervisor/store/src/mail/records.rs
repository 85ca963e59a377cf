//! The records of channels, as values. Times are seconds since 1970.

use matrixos_types::UserId;
use serde::{Deserialize, Serialize};

use crate::table::Record;

/// A person's connection to a channel, as their computer has told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSettings {
    /// Whose.
    pub user: UserId,
    /// Which channel: `telegram`.
    pub channel: String,
    /// The account on that channel through which messages come and go; mail of another one cannot be answered by it.
    pub account: String,
    /// The secret of that account, sealed with a key that is not in the store; hexadecimal.
    pub sealed: String,
    /// Whether messages are to be fetched.
    pub enabled: bool,
    /// Who may write, in the channel's words. An empty list admits nobody.
    pub owners: Vec<String>,
}

/// What is known of the messages of one channel of a person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mailbox {
    pub(crate) user: UserId,
    pub(crate) channel: String,
    /// Messages that were taken in, the newest last: none is taken in twice.
    pub(crate) seen: Vec<u64>,
    /// The number of the next reply.
    pub(crate) next: u64,
}

/// A message that waits for its computer's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// For whose computer.
    pub user: UserId,
    /// On which channel it came.
    pub channel: String,
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
    /// When it was taken in.
    pub at: u64,
    /// Whether the sender was told that it has to wait.
    #[serde(default)]
    pub told: bool,
}

/// A text on its way out. It stays until the channel has acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// From whose computer.
    pub user: UserId,
    /// On which channel it goes.
    pub channel: String,
    /// Its place among the replies of this channel; given by the store.
    pub number: u64,
    /// To whom, in the channel's words.
    pub chat: String,
    /// What is said: no more than the channel takes at once.
    pub text: String,
}

/// What a person says about themselves and their AI to everybody, as their computer has told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whose.
    pub user: UserId,
    /// About the person, in Markdown.
    pub profile: String,
    /// About their AI, in Markdown.
    pub ai_profile: String,
}

/// What all keys of one channel of a person's begin with.
pub(crate) fn prefix(user: UserId, channel: &str) -> Vec<u8> {
    [user.0.as_bytes(), channel.as_bytes(), &[0]].concat()
}

fn numbered(user: UserId, channel: &str, number: u64) -> Vec<u8> {
    [prefix(user, channel), number.to_be_bytes().to_vec()].concat()
}

impl Record for ChannelSettings {
    const TABLE: &'static str = "channels";
    fn key(&self) -> Vec<u8> {
        prefix(self.user, &self.channel)
    }
}

impl Record for Mailbox {
    const TABLE: &'static str = "mailboxes";
    fn key(&self) -> Vec<u8> {
        prefix(self.user, &self.channel)
    }
}

impl Record for Letter {
    const TABLE: &'static str = "letters";
    fn key(&self) -> Vec<u8> {
        numbered(self.user, &self.channel, self.update)
    }
}

impl Record for Reply {
    const TABLE: &'static str = "replies";
    fn key(&self) -> Vec<u8> {
        numbered(self.user, &self.channel, self.number)
    }
}

impl Record for Profile {
    const TABLE: &'static str = "profiles";
    fn key(&self) -> Vec<u8> {
        self.user.0.as_bytes().to_vec()
    }
}
