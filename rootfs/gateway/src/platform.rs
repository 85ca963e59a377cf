//! What this computer says to the platform beside calls of the model, at the same address and with the same key.
//! A provider is no platform: a path that is missing there is asked for once, and then no more.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode, Uri};
use matrixos_types::channels::{ChannelsBody, ChannelsStatus, ProfilesBody, SendBody};
use matrixos_types::jobs::{Due, Target};
use matrixos_types::kernel::{Awake, Budget};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channels::Sent;
use crate::http::{self, Call, CallError, Reach};

const WITHIN: Duration = Duration::from_secs(3);

/// The platform, if there is one.
pub(crate) struct Platform {
    base: Option<(String, String)>,
    /// Paths that are not there.
    missing: Mutex<BTreeSet<String>>,
}

/// What came of a call.
enum Answer {
    /// What was answered.
    Given(Bytes),
    /// The platform has heard it and will not have it, or has no such path: saying it again changes nothing.
    Refused,
    /// It could not be told, or wants to be told later.
    Lost,
}

impl Answer {
    fn given<T: DeserializeOwned>(self) -> Option<T> {
        let Self::Given(bytes) = self else { return None };
        serde_json::from_slice(&bytes).ok()
    }
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
        self.call(Method::GET, "usage", Bytes::new()).await.given()
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

    /// Sends a text out on a channel.
    pub(crate) async fn send(&self, target: &Target, text: &str) -> Sent {
        let body = SendBody { channel: target.channel.clone(), chat_id: target.chat_id.clone(), text: text.to_owned() };
        let Ok(body) = serde_json::to_vec(&body) else { return Sent::Refused };
        match self.call(Method::POST, "send", body.into()).await {
            Answer::Given(_) => Sent::Taken,
            Answer::Refused => Sent::Refused,
            Answer::Lost if self.base.is_none() => Sent::Refused,
            Answer::Lost => Sent::NotNow,
        }
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
        self.base.is_none() || self.say(Method::PUT, "profiles", profiles).await
    }

    /// How the channels stand. `None` if nobody holds them, or it cannot be had now.
    pub(crate) async fn channels(&self) -> Option<ChannelsStatus> {
        self.call(Method::GET, "channels/status", Bytes::new()).await.given()
    }

    async fn say(&self, method: Method, what: &str, body: &impl Serialize) -> bool {
        let Ok(body) = serde_json::to_vec(body) else { return false };
        !matches!(self.call(method, what, body.into()).await, Answer::Lost)
    }

    async fn call(&self, method: Method, what: &str, body: Bytes) -> Answer {
        let Some((base, key)) = &self.base else { return Answer::Lost };
        if self.missing().contains(what) {
            return Answer::Refused;
        }
        let Ok(uri) = format!("{base}/matrix/{what}").parse::<Uri>() else { return Answer::Lost };
        let headers = vec![("authorization", format!("Bearer {key}")), ("content-type", "application/json".to_owned())];
        let response = http::send(Call { method, uri: &uri, headers, body, within: WITHIN, reach: Reach::Any }).await;
        let Ok(response) = response else { return Answer::Lost };
        match response.status() {
            StatusCode::NOT_FOUND => {
                self.missing().insert(what.to_owned());
                return Answer::Refused;
            }
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => return Answer::Refused,
            status if !status.is_success() => return Answer::Lost,
            _ => {}
        }
        let whole: Result<_, CallError> = http::whole(response.into_body(), 64 << 10, WITHIN).await;
        whole.map_or(Answer::Lost, Answer::Given)
    }
}
