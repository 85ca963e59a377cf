//! The Messages API: one streamed call, from the request to the whole answer.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Response, Uri};
use matrixos_types::kernel::TokenUsage;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::error::TurnError;
use super::reply::Reply;
use super::sse::Events;
use crate::http::{self, Call, CallError, Reach};

/// Version of the API this is written for.
const VERSION: &str = "2023-06-01";
/// Until the model begins to answer.
const FIRST_WITHIN: Duration = Duration::from_secs(120);
/// Longest silence in the middle of an answer; the provider sends pings.
const SILENCE: Duration = Duration::from_secs(90);
/// How often a call is made anew, and only as long as nothing of an answer has come.
const RETRIES: u32 = 2;
/// Longest wait that the other side may ask for before a call is made anew.
const PATIENCE: Duration = Duration::from_secs(15);
/// Until the list of models is there; somebody looks at an open form meanwhile.
const LIST_WITHIN: Duration = Duration::from_secs(8);
/// Largest list of models, in bytes.
const LIST: usize = 256 << 10;

/// Where the model is asked, and with what.
#[derive(Clone)]
pub(crate) struct Client {
    messages: Uri,
    models: Uri,
    key: String,
}

impl Client {
    /// `None` without a key, or if the address is none.
    pub(crate) fn new(base: &str, key: Option<&str>) -> Option<Self> {
        let at = |path: &str| format!("{}{path}", base.trim_end_matches('/')).parse().ok();
        Some(Self { messages: at("/v1/messages")?, models: at("/v1/models?limit=100")?, key: key?.to_owned() })
    }

    /// What can be asked there, as `GET /v1/models` tells it.
    pub(crate) async fn models(&self) -> Result<Value, TurnError> {
        let mut headers = self.headers();
        headers.push(("accept", "application/json".to_owned()));
        let (method, uri) = (Method::GET, &self.models);
        let call = Call { method, uri, headers, body: Bytes::new(), within: LIST_WITHIN, reach: Reach::Any };
        let response = http::send(call).await.map_err(TurnError::Offline)?;
        if !response.status().is_success() {
            return Err(failure(response).await);
        }
        let list = http::whole(response.into_body(), LIST, LIST_WITHIN).await.map_err(TurnError::Offline)?;
        serde_json::from_slice(&list).map_err(|_| upstream("its list of models is no JSON"))
    }

    /// Makes one call. `said` hears the text as it comes.
    pub(crate) async fn stream(&self, body: Bytes, said: &mut (dyn FnMut(&str) + Send)) -> Answer {
        let mut reply = Reply::default();
        let result = self.converse(body, &mut reply, said).await;
        Answer {
            usage: reply.usage(),
            stop: reply.stop.clone(),
            invalid: reply.invalid.clone(),
            content: reply.finish(),
            result,
        }
    }

    async fn converse(
        &self,
        body: Bytes,
        reply: &mut Reply,
        said: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), TurnError> {
        let response = self.begin(body).await?;
        let mut body = response.into_body();
        let mut events = Events::default();
        while !reply.ended {
            let frame =
                timeout(SILENCE, body.frame()).await.map_err(|_| upstream("it has been silent for too long"))?;
            let frame = frame.ok_or_else(|| upstream("the connection ended early"))?;
            let frame = frame.map_err(|error| upstream(&error.to_string()))?;
            let Ok(data) = frame.into_data() else { continue };
            events.feed(&data).map_err(|_| upstream("an event was too large"))?;
            while let Some(event) = events.next() {
                reply.take(&event, said)?;
            }
        }
        Ok(())
    }

    /// The head of a good answer.
    async fn begin(&self, body: Bytes) -> Result<Response<Incoming>, TurnError> {
        let mut tried = 0;
        loop {
            let wait = match self.send(body.clone()).await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let wait = retry_after(&response);
                    let again =
                        matches!(response.status().as_u16(), 429 | 500 | 502 | 503 | 529) && !is_final(&response);
                    let failure = failure(response).await;
                    if !again || tried == RETRIES || wait.is_some_and(|wait| wait > PATIENCE) {
                        return Err(failure);
                    }
                    wait
                }
                Err(error @ CallError::Connect { .. }) if tried < RETRIES => {
                    drop(error);
                    None
                }
                Err(error) => return Err(TurnError::Offline(error)),
            };
            sleep(wait.unwrap_or(Duration::from_millis(300 << (2 * tried)))).await;
            tried += 1;
        }
    }

    async fn send(&self, body: Bytes) -> Result<Response<Incoming>, CallError> {
        let mut headers = self.headers();
        headers.push(("content-type", "application/json".to_owned()));
        headers.push(("accept", "text/event-stream".to_owned()));
        let call =
            Call { method: Method::POST, uri: &self.messages, headers, body, within: FIRST_WITHIN, reach: Reach::Any };
        http::send(call).await
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("x-api-key", self.key.clone()), ("anthropic-version", VERSION.to_owned())]
    }
}

/// What came of a call: also if it failed in the middle.
pub(crate) struct Answer {
    /// Whole content blocks, as they go back to the model.
    pub(crate) content: Vec<Value>,
    /// Tool uses whose input was not JSON.
    pub(crate) invalid: Vec<String>,
    pub(crate) stop: Option<String>,
    pub(crate) usage: TokenUsage,
    pub(crate) result: Result<(), TurnError>,
}

fn upstream(why: &str) -> TurnError {
    TurnError::Upstream(why.to_owned())
}

fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let text = response.headers().get("retry-after")?.to_str().ok()?;
    text.parse().ok().map(Duration::from_secs)
}

/// Whoever answers knows that trying again changes nothing: the field by which the official SDKs are told as well.
fn is_final(response: &Response<Incoming>) -> bool {
    response.headers().get("x-should-retry").is_some_and(|again| again == "false")
}

async fn failure(response: Response<Incoming>) -> TurnError {
    let is_final = is_final(&response);
    let status = response.status().as_u16();
    let body = http::beginning(response.into_body(), 64 << 10, Duration::from_secs(5)).await;
    let said: Value = body.ok().and_then(|(bytes, _)| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let words = said["error"]["message"].as_str().unwrap_or_default();
    let message: String = words.chars().filter(|c| !c.is_control()).take(300).collect();
    let message = if message.is_empty() { format!("status {status}") } else { message };
    match status {
        401 | 403 => TurnError::KeyRefused(message),
        402 => TurnError::NoBudget(message),
        // The platform has no key to make the call with, or none that is accepted.
        503 if is_final => TurnError::NoKey(message),
        429 | 529 | 500 | 502 | 503 => TurnError::Busy(message),
        _ => TurnError::Refused(message.trim_end_matches('.').to_owned()),
    }
}
