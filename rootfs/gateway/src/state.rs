//! What handlers share.

use std::sync::Arc;
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::channels;
use crate::conversations::Summaries;
use crate::cron::Cron;
use crate::door::Door;
use crate::hub::Hub;
use crate::kernel::Kernel;
use crate::notices::Notices;
use crate::platform::Platform;
use crate::publisher::Publisher;
use crate::settings::Settings;
use crate::terminal::Terminals;

/// The gateway's state; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

/// What [`Gateway`] gives access to.
pub struct Inner {
    pub(crate) settings: Settings,
    /// Where no platform signs people in.
    pub(crate) door: Option<Door>,
    /// The home as a capability: nothing outside of it can be named through this handle.
    pub(crate) home: Dir,
    pub(crate) terminals: Terminals,
    pub(crate) notices: Notices,
    pub(crate) hub: Hub,
    pub(crate) kernel: Kernel,
    pub(crate) platform: Platform,
    /// Where no platform holds them.
    pub(crate) channels: Option<channels::Own>,
    pub(crate) publisher: Publisher,
    pub(crate) summaries: Summaries,
    pub(crate) cron: Cron,
    pub(crate) started: Instant,
}

impl Gateway {
    pub(crate) fn new(settings: Settings) -> std::io::Result<Self> {
        let home = Dir::open_ambient_dir(&settings.home, ambient_authority())?;
        let terminals = Terminals::new(&settings);
        let channels = match &settings.channels {
            Some(given) => Some(channels::Own::new(given, home.try_clone()?)),
            None => None,
        };
        let (kernel, platform) = (Kernel::new(&settings), Platform::new(&settings.ai_url, settings.ai_key.as_deref()));
        Ok(Self(Arc::new(Inner {
            door: settings.door(),
            channels,
            settings,
            home,
            terminals,
            notices: Notices::default(),
            hub: Hub::default(),
            kernel,
            platform,
            publisher: Publisher::default(),
            summaries: Summaries::default(),
            cron: Cron::default(),
            started: Instant::now(),
        })))
    }
}

impl std::ops::Deref for Gateway {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
