//! What a computer tells the platform about its channels and its owner, and what it hears of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of Telegram among the channels.
pub const TELEGRAM: &str = "telegram";
/// Largest profile of a person or their AI, in bytes.
pub const PROFILE: usize = 16 << 10;

/// `PUT {base}/matrix/channels`: everything that is set; what is not named is not connected any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelsBody {
    /// The bot on Telegram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram: Option<ChannelBody>,
}

/// One channel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelBody {
    /// Whether messages are to be fetched.
    pub enabled: bool,
    /// The secret of the account on that channel.
    pub token: String,
    /// Who may write, in the channel's words. An empty list admits nobody.
    #[serde(default)]
    pub owners: Vec<String>,
}

impl std::fmt::Debug for ChannelBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChannelBody(enabled: {}, {} owners)", self.enabled, self.owners.len())
    }
}

/// `POST {base}/matrix/send`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendBody {
    /// `telegram`, ….
    pub channel: String,
    /// To whom, in the channel's words: one of the owners.
    pub chat_id: String,
    /// What is said.
    pub text: String,
}

/// `GET {base}/matrix/channels/status`: how each channel stands, by its name.
pub type ChannelsStatus = BTreeMap<String, ChannelStatus>;

/// How a channel stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// In a word.
    pub state: ChannelState,
    /// What is wrong and what to do, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Messages of people who may not write, since the connection began.
    #[serde(default)]
    pub dropped: u64,
    /// Messages that wait for the computer.
    #[serde(default)]
    pub waiting: usize,
    /// Texts that wait to be sent.
    #[serde(default)]
    pub unsent: usize,
}

/// How a channel stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// Messages come and go.
    Connected,
    /// It is switched off, or not set up.
    Disabled,
    /// It is about to be connected.
    Stopped,
    /// It does not work: `why` says so.
    Error,
}

impl ChannelState {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disabled => "disabled",
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }
}

/// `PUT {base}/matrix/profiles`: what everybody may read, also while the computer sleeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilesBody {
    /// About the person, in Markdown; at most [`PROFILE`] bytes.
    pub profile: String,
    /// About their AI, likewise.
    pub ai_profile: String,
}

/// The value of `- Name: value` in a profile.
pub fn profile_field(text: &str, name: &str) -> Option<String> {
    let line =
        text.lines().find_map(|line| line.trim_start_matches(['-', '*', ' ']).strip_prefix(name)?.strip_prefix(':'));
    line.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_empty_ones_are_not_set() {
        let text = "# Profile\n\n- Display Name: Alice B.\n- Bio:\n* Timezone: Europe/Berlin\n";
        assert_eq!(profile_field(text, "Display Name").as_deref(), Some("Alice B."));
        assert_eq!(profile_field(text, "Bio"), None);
        assert_eq!(profile_field(text, "Timezone").as_deref(), Some("Europe/Berlin"));
    }

    #[test]
    fn a_token_is_not_shown() {
        let body = ChannelBody { enabled: true, token: "1:canary".to_owned(), owners: vec!["7".to_owned()] };
        assert!(!format!("{:?}", ChannelsBody { telegram: Some(body) }).contains("canary"));
    }
}
