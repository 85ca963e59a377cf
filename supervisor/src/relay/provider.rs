//! The way to the provider of models: one client with kept connections, bounded retries before the first byte, and a
//! circuit breaker.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use matrixos_channels::https::{self, BadBase, Base, causes};
use tokio::time::{sleep, timeout};

use super::breaker::{Breaker, Circuit};
use super::key::ProviderKey;

/// How often a call is tried, before its first byte.
const TRIES: u32 = 3;
/// Pause before the second try, doubled before each further one, and up to as much again by chance.
const PAUSE: Duration = Duration::from_millis(250);
/// "Overloaded" in the Messages API.
const OVERLOADED: u16 = 529;
/// The version that is asked for in the name of clients that name none.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The provider, and the platform's key to it.
pub struct Provider {
    base: Base,
    client: https::Client,
    key: RwLock<Option<ProviderKey>>,
    breaker: Breaker,
}

/// Why the provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It has failed several times in a row.
    #[error("the provider of models does not work at the moment")]
    Broken {
        /// When to try again.
        retry_after: Duration,
    },
    /// No connection: nothing was sent.
    #[error("the provider of models could not be reached: {0}")]
    Unreachable(String),
    /// The connection did not last until the answer began.
    #[error("the provider of models broke off: {0}")]
    BrokenOff(String),
    /// It did not begin to answer in time.
    #[error("the provider of models did not answer in time")]
    Late,
}

/// Why an address is none of a provider.
#[derive(Debug, thiserror::Error)]
pub enum BadProvider {
    /// No absolute http or https URL.
    #[error("{0:?} is not the address of a provider; write for example https://api.anthropic.com")]
    Address(String),
    /// The key would go through the network for all to read.
    #[error("{0:?} must use https: over http the key could be read on the way")]
    Clear(String),
}

/// A request to the provider, without key.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// For example `/v1/messages`.
    pub(super) path: &'static str,
    pub(super) query: Option<String>,
    /// What the client sent that means something to the provider.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How long the answer may take to begin.
    pub(super) begins_within: Duration,
}

impl Provider {
    /// The provider at `base`, for example `https://api.anthropic.com`. Plain http is accepted on this machine only.
    pub fn new(base: &str, key: Option<ProviderKey>) -> Result<Self, BadProvider> {
        let base = parse(base)?;
        Ok(Self { base, client: https::client("AI calls"), key: RwLock::new(key), breaker: Breaker::default() })
    }

    /// Whether a text is the address of a provider.
    pub fn check(base: &str) -> Result<(), BadProvider> {
        parse(base).map(drop)
    }

    /// Where calls go, as it was configured.
    pub fn base(&self) -> String {
        self.base.to_string()
    }

    /// Uses another key from now on.
    pub fn set_key(&self, key: Option<ProviderKey>) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// The platform's key, if it has one.
    pub(super) fn key(&self) -> Option<ProviderKey> {
        self.key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the platform has a key.
    pub fn has_key(&self) -> bool {
        self.key().is_some()
    }

    /// Whether calls go through at the moment.
    pub fn circuit(&self) -> Circuit {
        self.breaker.circuit()
    }

    /// Sends a call. What cannot have cost anything yet is tried again, a few times.
    pub(super) async fn send(&self, call: &Call, key: &ProviderKey) -> Result<Response<Incoming>, NoAnswer> {
        let mut attempt = 1;
        loop {
            self.breaker.admit().map_err(|retry_after| NoAnswer::Broken { retry_after })?;
            let answered = self.send_once(call, key).await;
            let again = match &answered {
                Ok(response) => is_overloaded(response.status()),
                Err(failure) => failure.is_safe_to_repeat(),
            };
            self.breaker.report(answered.as_ref().is_ok_and(|response| !response.status().is_server_error()));
            if !again || attempt == TRIES {
                return answered.map_err(Failure::told);
            }
            sleep(pause(attempt)).await;
            attempt += 1;
        }
    }

    async fn send_once(&self, call: &Call, key: &ProviderKey) -> Result<Response<Incoming>, Failure> {
        let request = self.request(call, key)?;
        let answered = timeout(call.begins_within, self.client.request(request)).await;
        answered.map_err(|_| Failure::Late)?.map_err(Failure::Client)
    }

    fn request(&self, call: &Call, key: &ProviderKey) -> Result<Request<Full<Bytes>>, Failure> {
        let query = call.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        let uri = self.base.at(&format!("{}{query}", call.path)).map_err(Failure::Request)?;
        let mut request = Request::builder().method(call.method.clone()).uri(uri);
        if let Some(headers) = request.headers_mut() {
            headers.extend(call.headers.clone());
            headers.entry(HeaderName::from_static("anthropic-version")).or_insert(VERSION);
            headers.insert("x-api-key", key.header());
            // A compressed stream would hide what it costs.
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        request.body(Full::from(call.body.clone())).map_err(Failure::Request)
    }
}

fn parse(base: &str) -> Result<Base, BadProvider> {
    Base::parse(base).map_err(|bad| match bad {
        BadBase::Malformed => BadProvider::Address(base.to_owned()),
        BadBase::Clear => BadProvider::Clear(base.to_owned()),
    })
}

/// One try that failed.
enum Failure {
    Late,
    Client(hyper_util::client::legacy::Error),
    Request(http::Error),
}

impl Failure {
    /// Only where nothing was sent: a call that may have been heard costs money.
    fn is_safe_to_repeat(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_connect())
    }

    fn told(self) -> NoAnswer {
        match self {
            Self::Late => NoAnswer::Late,
            Self::Client(error) if error.is_connect() => NoAnswer::Unreachable(causes(&error)),
            Self::Client(error) => NoAnswer::BrokenOff(causes(&error)),
            Self::Request(error) => NoAnswer::Unreachable(error.to_string()),
        }
    }
}

fn is_overloaded(status: StatusCode) -> bool {
    matches!(status.as_u16(), OVERLOADED | 503)
}

fn pause(attempt: u32) -> Duration {
    let least = PAUSE * 2u32.pow(attempt - 1);
    let mut random = [0u8; 2];
    // Without randomness all of them wait the same time, which is no harm.
    let _ = getrandom::fill(&mut random);
    least + least.mul_f64(f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_never_sent_in_the_clear() {
        assert!(matches!(Provider::new("http://api.anthropic.com", None), Err(BadProvider::Clear(_))));
        assert!(matches!(Provider::check("api.anthropic.com"), Err(BadProvider::Address(_))));
    }

    #[test]
    fn a_request_has_our_key_and_the_clients_own_words() {
        let key = ProviderKey::parse("sk-platform-key").expect("a key");
        let provider = Provider::new("https://api.example/base/", None).expect("a provider");
        let call = Call {
            method: Method::POST,
            path: "/v1/messages",
            query: Some("beta=true".to_owned()),
            headers: [(HeaderName::from_static("anthropic-beta"), HeaderValue::from_static("x-1"))]
                .into_iter()
                .collect(),
            body: Bytes::from_static(b"{}"),
            begins_within: Duration::from_secs(1),
        };
        let request = provider.request(&call, &key).unwrap_or_else(|_| panic!("a request"));
        assert_eq!(request.uri(), "https://api.example/base/v1/messages?beta=true");
        let field = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
        assert_eq!(field("x-api-key"), Some(&b"sk-platform-key"[..]));
        assert_eq!(field("anthropic-beta"), Some(&b"x-1"[..]));
        assert_eq!(field("anthropic-version"), Some(&b"2023-06-01"[..]));
        assert_eq!(field("accept-encoding"), Some(&b"identity"[..]));
    }
}
