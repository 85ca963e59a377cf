//! AI calls on their way to the provider of models and back: what they ask for, whose key they travel with, and what
//! they cost.

mod account;
mod asked;
mod breaker;
mod events;
mod key;
mod metrics;
mod patience;
mod provider;
mod pump;
mod refused;
mod room;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::channel::Channel;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use matrixos_types::{Nanos, UserId};
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::time::timeout;

use account::Account;
pub use account::Caller;
pub use asked::{Asked, BadCall};
pub use breaker::Circuit;
pub use key::{NotAKey, ProviderKey};
pub use metrics::Metrics;
pub use patience::Patience;
use provider::Call;
pub use provider::{BadProvider, NoAnswer, Provider};
pub use refused::RelayError;
pub use room::Room;
use room::Rooms;

use crate::meter::{Meter, Refused};

/// Largest answer that does not stream, in bytes.
const ANSWER: usize = 64 << 20;
/// Largest error or count of the provider that is read, in bytes.
const SMALL: usize = 64 << 10;
/// Pieces of an answer that wait for a client that is slower than the provider.
const AHEAD: usize = 16;

/// An answer on its way to the client.
pub type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// What a client sent.
pub struct Sent {
    /// The query, which the official clients use for `beta=true`.
    pub query: Option<String>,
    /// The header fields that mean something to the provider.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The room that the body takes.
    pub room: Room,
}

/// The way of AI calls.
pub struct Relay {
    provider: Provider,
    meter: Meter,
    metrics: Arc<Metrics>,
    patience: Patience,
    rooms: Arc<Rooms>,
}

impl Relay {
    /// Calls go to this provider, and are paid for by this meter.
    pub fn new(provider: Provider, meter: Meter, patience: Patience) -> Self {
        Self { provider, meter, metrics: Arc::default(), patience, rooms: Rooms::new() }
    }

    /// What is counted of calls.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Room for a body of that person, to be taken as the body comes, and given back when the answer begins.
    pub fn room(&self, user: UserId) -> Room {
        self.rooms.open(user)
    }

    /// How long calls wait.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// The provider.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The meter.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// `POST /v1/messages`. Whatever happens to the client: a call that the provider has begun is followed to its end
    /// and paid for.
    pub async fn messages(self: &Arc<Self>, caller: Caller, sent: Sent) -> Result<Answer, RelayError> {
        let (relay, (answered, answer)) = (self.clone(), oneshot::channel());
        tokio::spawn(async move { relay.follow(caller, sent, answered).await });
        let answer = answer.await.unwrap_or(Err(RelayError::Lost));
        if let Err(error) = &answer {
            self.metrics.refused(error);
        }
        answer
    }

    async fn follow(&self, caller: Caller, sent: Sent, answered: oneshot::Sender<Result<Answer, RelayError>>) {
        let _in_flight = self.metrics.begin();
        match self.begin(caller, sent).await {
            Err(error) => drop(answered.send(Err(error))),
            Ok((response, account)) if account.streams() => self.stream(response, account, answered).await,
            Ok((response, account)) => self.collect(response, account, answered).await,
        }
    }

    /// Up to the provider's first byte.
    async fn begin(&self, caller: Caller, sent: Sent) -> Result<(Response<Incoming>, Account), RelayError> {
        let begun = Instant::now();
        let asked = Asked::parse(&sent.body)?;
        let key = self.key_for(&caller)?;
        let mut account = self.open(caller, &asked, &sent, &key).await?;
        let body = match account.max_tokens() {
            clamped if clamped < asked.max_tokens => asked.with_max_tokens(clamped).into(),
            _ => sent.body,
        };
        let call = Call {
            method: Method::POST,
            path: "/v1/messages",
            query: sent.query,
            headers: sent.headers,
            body,
            begins_within: if asked.stream { self.patience.stream_begins } else { self.patience.answer_begins },
        };
        self.metrics.added(begun.elapsed());
        match self.provider.send(&call, &key).await {
            Ok(response) if response.status().is_success() => Ok((response, account)),
            Ok(response) => {
                account.give_back().await;
                Err(self.refusal(response, &key, account.is_own()).await)
            }
            // It may have heard the call, and nobody knows what it did.
            Err(error @ (NoAnswer::Late | NoAnswer::BrokenOff(_))) => {
                account.settle().await;
                Err(error.into())
            }
            Err(error) => {
                account.give_back().await;
                Err(error.into())
            }
        }
    }

    /// Puts money on hold. If what the body might cost at the most is too much, the provider is asked what it will cost,
    /// which costs nothing: near the end of a budget most calls still fit.
    async fn open(&self, caller: Caller, asked: &Asked, sent: &Sent, key: &ProviderKey) -> Result<Account, RelayError> {
        let refused = match Account::open(&self.meter, &self.metrics, caller, asked, None).await {
            Ok(account) => return Ok(account),
            Err((caller, refused @ Refused::OutOfBudget { remaining, .. })) if remaining > Nanos::ZERO => {
                (caller, refused)
            }
            Err((_, refused)) => return Err(refused.into()),
        };
        let (caller, refused) = refused;
        let Some(counted) = self.count(asked, sent, key).await else { return Err(refused.into()) };
        let opened = Account::open(&self.meter, &self.metrics, caller, asked, Some(counted)).await;
        opened.map_err(|(_, refused)| refused.into())
    }

    /// How many tokens a prompt has, by the provider's own count.
    async fn count(&self, asked: &Asked, sent: &Sent, key: &ProviderKey) -> Option<u64> {
        #[derive(Deserialize)]
        struct Counted {
            input_tokens: u64,
        }
        let call = self.counting(sent.query.clone(), sent.headers.clone(), asked.for_counting().into());
        let response = self.provider.send(&call, key).await.ok().filter(|response| response.status().is_success())?;
        let body = self.read(response.into_body()).await?;
        serde_json::from_slice::<Counted>(&body).ok().map(|counted| counted.input_tokens)
    }

    /// Passes a stream of events on.
    async fn stream(
        &self,
        response: Response<Incoming>,
        account: Account,
        answered: oneshot::Sender<Result<Answer, RelayError>>,
    ) {
        let (parts, upstream) = response.into_parts();
        let (sender, body) = Channel::new(AHEAD);
        let mut answer = Response::new(UnsyncBoxBody::new(body));
        *answer.status_mut() = parts.status;
        *answer.headers_mut() = passed_back(&parts.headers);
        account.tell_remaining(answer.headers_mut());
        // The client may be gone already: then the other end of the channel is, too.
        drop(answered.send(Ok(answer)));
        pump::pump(upstream, sender, account, self.patience).await;
    }

    /// Takes an answer that does not stream, and pays for it before anybody reads it. That it is paid for lies on the disk
    /// a moment later; until then the hold does.
    async fn collect(
        &self,
        response: Response<Incoming>,
        mut account: Account,
        answered: oneshot::Sender<Result<Answer, RelayError>>,
    ) {
        let (parts, upstream) = response.into_parts();
        let collected = timeout(self.patience.answer_ends, Limited::new(upstream, ANSWER).collect()).await;
        let answer = match collected.map(|read| read.map(|body| body.to_bytes())) {
            Ok(Ok(body)) => {
                account.reader.json(&body);
                account.pay();
                let mut answer = Response::new(whole(body));
                *answer.status_mut() = parts.status;
                *answer.headers_mut() = passed_back(&parts.headers);
                account.tell_remaining(answer.headers_mut());
                Ok(answer)
            }
            _ => {
                account.pay();
                Err(RelayError::from(NoAnswer::BrokenOff("in the middle of its answer".to_owned())))
            }
        };
        // The client may be gone already.
        drop(answered.send(answer));
        account.settle().await;
    }

    /// `POST /v1/messages/count_tokens`: costs nothing, and needs a model that could be paid for.
    pub async fn count_tokens(&self, caller: Caller, sent: Sent) -> Result<Answer, RelayError> {
        let model = asked::model(&sent.body)?;
        self.meter.ensure_known(&model)?;
        let key = self.key_for(&caller)?;
        let response = self.provider.send(&self.counting(sent.query, sent.headers, sent.body), &key).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response, &key, caller.own_key.is_some()).await);
        }
        let (parts, body) = response.into_parts();
        let body =
            self.read(body).await.ok_or_else(|| NoAnswer::BrokenOff("in the middle of its answer".to_owned()))?;
        let mut answer = Response::new(whole(body));
        *answer.headers_mut() = passed_back(&parts.headers);
        Ok(answer)
    }

    fn key_for(&self, caller: &Caller) -> Result<ProviderKey, RelayError> {
        caller.own_key.clone().or_else(|| self.provider.key()).ok_or(RelayError::NoKey)
    }

    fn counting(&self, query: Option<String>, headers: HeaderMap, body: Bytes) -> Call {
        let (method, path) = (Method::POST, "/v1/messages/count_tokens");
        Call { method, path, query, headers, body, begins_within: self.patience.stream_begins }
    }

    /// A small answer: an error, or a count.
    async fn read(&self, body: Incoming) -> Option<Bytes> {
        let read = timeout(self.patience.answer_ends, Limited::new(body, SMALL).collect()).await.ok()?.ok()?;
        Some(read.to_bytes())
    }

    /// An error of the provider, as the client may read it.
    async fn refusal(&self, response: Response<Incoming>, key: &ProviderKey, own: bool) -> RelayError {
        let (parts, body) = response.into_parts();
        let body = self.read(body).await.unwrap_or_default();
        let about_the_key = matches!(parts.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if about_the_key && !own {
            tracing::error!(status = %parts.status, "the provider of models refuses the platform's key");
            return RelayError::KeyRefused;
        }
        if key.is_in(&body) {
            tracing::error!(status = %parts.status, "an error of the provider holds a key, and was not passed on");
            return RelayError::Provider { status: parts.status, headers: Box::default(), body: Bytes::new() };
        }
        RelayError::Provider { status: parts.status, headers: passed_back(&parts.headers).into(), body }
    }
}

/// What of the provider's header fields is the client's business. How much the platform as a whole may still ask for is
/// not, and neither is its name at the provider.
fn passed_back(headers: &HeaderMap) -> HeaderMap {
    let wanted = |name: &str| {
        matches!(name, "content-type" | "request-id" | "retry-after" | "x-should-retry")
            || (name.starts_with("anthropic-")
                && !name.starts_with("anthropic-ratelimit-")
                && !name.starts_with("anthropic-organization"))
    };
    let mut passed: HeaderMap =
        headers.iter().filter(|(name, _)| wanted(name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect();
    passed.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    passed
}

fn whole(body: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    UnsyncBoxBody::new(Full::from(body).map_err(|never| match never {}))
}
