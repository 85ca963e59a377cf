//! What the platform keeps of this computer, to have it while the computer sleeps: how its channels are connected, and what
//! everybody may read about its owner and its AI. Told at the start and whenever a file of it has changed; without a
//! platform, the channels are told to whoever holds them here.

use std::time::Duration;

use cap_std::fs::Dir;
use matrixos_types::channels::{ChannelBody, ChannelsBody, ProfilesBody, TELEGRAM};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::channels::Given;
use crate::desktop::blocking;
use crate::state::Gateway;
use crate::{config, profile};

/// Looks by itself so often, for files that cannot be watched.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long until it tries again what the platform could not hear.
const AGAIN: Duration = Duration::from_secs(10);

/// Says that something may have changed.
#[derive(Default)]
pub(crate) struct Publisher(Notify);

impl Publisher {
    /// Whether that file is told to the platform.
    pub(crate) fn concerns(path: &str) -> bool {
        path == config::FILE || path == profile::OWNER || path == profile::AI
    }

    /// Looks at the files now.
    pub(crate) fn look(&self) {
        self.0.notify_one();
    }
}

/// Tells the platform what it has not heard yet, for as long as the computer runs.
pub(crate) async fn run(gateway: Gateway) {
    if !gateway.platform.is_there() && gateway.channels.is_none() {
        return;
    }
    let given = gateway.settings.channels.clone();
    let (mut channels, mut profiles) = (None, None);
    loop {
        let given = given.clone();
        let looked = move |home: &Dir| Ok((channels_of(home, given.as_ref()), profiles_of(home)));
        let now = blocking(gateway.clone(), looked).await;
        let mut heard = false;
        if let Ok((set, about)) = now {
            if channels.as_ref() != Some(&set) {
                channels = crate::channels::set(&gateway, &set).await.then_some(set);
            }
            if profiles.as_ref() != Some(&about) {
                profiles = gateway.platform.set_profiles(&about).await.then_some(about);
            }
            heard = channels.is_some() && profiles.is_some();
        }
        tokio::select! {
            () = gateway.publisher.0.notified() => {}
            () = sleep(if heard { LOOK_EVERY } else { AGAIN }) => {}
        }
    }
}

/// Without a token there is nothing to connect.
fn channels_of(home: &Dir, given: Option<&Given>) -> ChannelsBody {
    let channels = config::channels(home, given);
    let telegram = channels.0.get(TELEGRAM).and_then(|settings| {
        let owners = settings["owners"].as_array().into_iter().flatten();
        Some(ChannelBody {
            enabled: settings["enabled"].as_bool().unwrap_or(false),
            token: settings["token"].as_str().filter(|token| !token.is_empty())?.to_owned(),
            owners: owners.filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        })
    });
    ChannelsBody { telegram }
}

fn profiles_of(home: &Dir) -> ProfilesBody {
    ProfilesBody { profile: profile::shown(home, profile::OWNER), ai_profile: profile::shown(home, profile::AI) }
}
