//! What this computer says to the platform beside calls of the model, at the same address and with the same key.
//! A provider is no platform: a path that is missing there is asked for once, and then no more.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, Uri};
use matrixos_types::channels::{ChannelsBody, ChannelsStatus, ProfilesBody, SendBody};
use matrixos_types::jobs::{Due, Target};
use matrixos_types::kernel::{Awake, Budget};
use serde::Serialize;

use crate::http::{self, Call, CallError, Reach};

const WITHIN: Duration = Duration::from_secs(3);

/// The platform, if there is one.
pub(crate) struct Platform {
    base: Option<(String, String)>,
    /// Paths that are not there.
    missing: Mutex<BTreeSet<String>>,
}

impl Platform {
    pub(crate) fn new(base: &str, key: Option<&str>) -> Self {
        let base = key.map(|key| (base.trim_end_matches('/').to_owned(), key.to_owned()));
        Self { base: base.filter(|(base, _)| base != crate::settings::PROVIDER), missing: Mutex::default() }
    }

    fn missing(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left of the owner's quota. `None` if nobody keeps one, or it cannot be had now.
    pub(crate) async fn budget(&self) -> Option<Budget> {
        let bytes = self.call(Method::GET, "usage", Bytes::new()).await??;
        serde_json::from_slice(&bytes).ok()
    }

    /// When this computer must be awake. False if the platform could not be told.
    pub(crate) async fn due(&self, at: Option<i64>) -> bool {
        self.base.is_none() || self.say(Method::PUT, "due", &Due { at }).await
    }

    /// Asks not to be put to rest for so long.
    pub(crate) async fn awake(&self, seconds: u64, because: &str) {
        self.say(Method::POST, "awake", &Awake { seconds, because: because.to_owned() }).await;
    }

    /// The reason to stay awake is gone.
    pub(crate) async fn rest(&self) {
        self.call(Method::DELETE, "awake", Bytes::new()).await;
    }

    /// Sends a text out on a channel. False if nobody takes it.
    pub(crate) async fn send(&self, target: &Target, text: &str) -> bool {
        let body = SendBody { channel: target.channel.clone(), chat_id: target.chat_id.clone(), text: text.to_owned() };
        let Ok(body) = serde_json::to_vec(&body) else { return false };
        self.call(Method::POST, "send", body.into()).await.flatten().is_some()
    }

    /// Whether there is one.
    pub(crate) fn is_there(&self) -> bool {
        self.base.is_some()
    }

    /// How the channels are to be connected. False if the platform could not be told.
    pub(crate) async fn set_channels(&self, channels: &ChannelsBody) -> bool {
        self.say(Method::PUT, "channels", channels).await
    }

    /// What everybody may read. False if the platform could not be told.
    pub(crate) async fn set_profiles(&self, profiles: &ProfilesBody) -> bool {
        self.say(Method::PUT, "profiles", profiles).await
    }

    /// How the channels stand. `None` if nobody holds them, or it cannot be had now.
    pub(crate) async fn channels(&self) -> Option<ChannelsStatus> {
        let bytes = self.call(Method::GET, "channels/status", Bytes::new()).await??;
        serde_json::from_slice(&bytes).ok()
    }

    async fn say(&self, method: Method, what: &str, body: &impl Serialize) -> bool {
        let Ok(body) = serde_json::to_vec(body) else { return false };
        self.call(method, what, body.into()).await.is_some()
    }

    /// `None` if the call failed, `Some(None)` if there is no such path.
    async fn call(&self, method: Method, what: &str, body: Bytes) -> Option<Option<Bytes>> {
        let (base, key) = self.base.as_ref()?;
        if self.missing().contains(what) {
            return Some(None);
        }
        let uri: Uri = format!("{base}/matrix/{what}").parse().ok()?;
        let headers = vec![("authorization", format!("Bearer {key}")), ("content-type", "application/json".to_owned())];
        let response = http::send(Call { method, uri: &uri, headers, body, within: WITHIN, reach: Reach::Any }).await;
        let response = response.ok()?;
        if response.status() == hyper::StatusCode::NOT_FOUND {
            self.missing().insert(what.to_owned());
            return Some(None);
        }
        if !response.status().is_success() {
            return None;
        }
        let whole: Result<_, CallError> = http::whole(response.into_body(), 64 << 10, WITHIN).await;
        whole.ok().map(Some)
    }
}
