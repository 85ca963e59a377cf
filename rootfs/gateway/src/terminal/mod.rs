//! Terminals: shells that live on when the connection to the desktop breaks.

mod session;
mod socket;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use matrixos_types::computer::API_KEY_ENV;
use tokio::sync::broadcast;

use crate::pid1::Ended;
use crate::settings::{PROVIDER, SECRETS, Settings};
pub(crate) use session::{Session, Size};
pub(crate) use socket::{connect, end};

/// Shells at once. The one that has been without a desktop for longest makes room for a new one.
const MOST: usize = 8;

/// All shells of this computer.
pub(crate) struct Terminals {
    home: PathBuf,
    /// Variables of the gateway's own that no shell gets.
    hidden: Vec<&'static str>,
    sessions: Mutex<HashMap<String, Session>>,
    ended: broadcast::Sender<Ended>,
}

impl Terminals {
    pub(crate) fn new(settings: &Settings) -> Self {
        // The platform's credential is the owner's to use and good only from here; a provider's key is good anywhere.
        let keeps = |name: &&str| *name != API_KEY_ENV || settings.ai_url == PROVIDER;
        let hidden = SECRETS.iter().copied().filter(keeps).collect();
        Self { home: settings.home.clone(), hidden, sessions: Mutex::default(), ended: broadcast::channel(64).0 }
    }

    /// Where the ends of processes are told.
    pub(crate) fn ended(&self) -> broadcast::Sender<Ended> {
        self.ended.clone()
    }

    /// The session of that id if it lives, else a new one. `None` if all places are taken by connected desktops.
    pub(crate) fn find_or_start(&self, id: Option<&str>, size: Size) -> std::io::Result<Option<Session>> {
        let mut sessions = self.sessions();
        sessions.retain(|_, session| session.lives());
        if let Some(session) = id.and_then(|id| sessions.get(id)) {
            return Ok(Some(session.clone()));
        }
        if sessions.len() >= MOST {
            let idle =
                sessions.values().filter(|s| !s.connected()).min_by_key(|s| s.since()).map(|s| s.id().to_owned());
            match idle.and_then(|id| sessions.remove(&id)) {
                Some(session) => session.hang_up(),
                None => return Ok(None),
            }
        }
        let session = Session::start(&self.home, &self.hidden, size, self.ended.subscribe())?;
        sessions.insert(session.id().to_owned(), session.clone());
        Ok(Some(session))
    }

    /// Ends a shell whose window was closed. False if there is none of that id.
    pub(crate) fn end(&self, id: &str) -> bool {
        let session = self.sessions().remove(id);
        session.inspect(Session::hang_up).is_some()
    }

    /// Tells every shell that its terminal is gone.
    pub(crate) fn hang_up(&self) {
        self.sessions().drain().for_each(|(_, session)| session.hang_up());
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
