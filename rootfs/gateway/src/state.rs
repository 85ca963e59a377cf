//! What handlers share.

use std::sync::Arc;
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::notices::Notices;
use crate::settings::Settings;
use crate::terminal::Terminals;

/// The gateway's state; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

/// What [`Gateway`] gives access to.
pub struct Inner {
    pub(crate) settings: Settings,
    /// The home as a capability: nothing outside of it can be named through this handle.
    pub(crate) home: Dir,
    pub(crate) terminals: Terminals,
    pub(crate) notices: Notices,
    pub(crate) started: Instant,
}

impl Gateway {
    pub(crate) fn new(settings: Settings) -> std::io::Result<Self> {
        let home = Dir::open_ambient_dir(&settings.home, ambient_authority())?;
        let terminals = Terminals::new(settings.home.clone());
        Ok(Self(Arc::new(Inner { settings, home, terminals, notices: Notices::default(), started: Instant::now() })))
    }
}

impl std::ops::Deref for Gateway {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
