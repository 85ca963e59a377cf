//! How a connection stands, for its owner.

use matrixos_types::channels::{ChannelState, ChannelStatus};

/// What is known of a connection since it began.
#[derive(Debug)]
pub struct Standing {
    state: ChannelState,
    why: Option<String>,
    /// Messages of people who may not write.
    pub dropped: u64,
}

impl Default for Standing {
    fn default() -> Self {
        Self { state: ChannelState::Stopped, why: None, dropped: 0 }
    }
}

impl Standing {
    /// One that cannot begin.
    pub fn broken(why: String) -> Self {
        Self { state: ChannelState::Error, why: Some(why), dropped: 0 }
    }

    /// It works.
    pub fn works(&mut self) {
        (self.state, self.why) = (ChannelState::Connected, None);
    }

    /// It does not. True if that is news.
    pub fn fails(&mut self, why: String) -> bool {
        let news = self.why.as_ref() != Some(&why);
        (self.state, self.why) = (ChannelState::Error, Some(why));
        news
    }

    /// The same for the owner, with how many messages wait for the computer and how many texts to be sent.
    pub fn status(&self, (waiting, unsent): (usize, usize)) -> ChannelStatus {
        ChannelStatus { state: self.state, why: self.why.clone(), dropped: self.dropped, waiting, unsent }
    }
}

/// A channel that is switched off.
pub fn disabled((waiting, unsent): (usize, usize)) -> ChannelStatus {
    ChannelStatus { state: ChannelState::Disabled, why: None, dropped: 0, waiting, unsent }
}
