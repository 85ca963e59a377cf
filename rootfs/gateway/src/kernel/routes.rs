//! The AI over plain HTTP: for the platform's channels, and for apps.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use matrixos_types::kernel::{MessageAnswer, MessageBody, TurnLog};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::source::Trust;
use super::{Heard, Said, TurnError, hear, limits, on_disk};
use crate::apps::is_name;
use crate::config;
use crate::conversations::lines::text_of;
use crate::error::Failure;
use crate::state::Gateway;
use crate::{logs, time};

impl From<TurnError> for Failure {
    fn from(error: TurnError) -> Self {
        let status = match error {
            TurnError::BadMessage(_) | TurnError::BadSession => StatusCode::BAD_REQUEST,
            TurnError::Visitors => StatusCode::FORBIDDEN,
            TurnError::QueueFull(_) | TurnError::TooOften => StatusCode::TOO_MANY_REQUESTS,
            TurnError::Answering => StatusCode::CONFLICT,
            TurnError::NoBudget(_) => StatusCode::PAYMENT_REQUIRED,
            TurnError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            TurnError::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
            // This computer works; what it needed of somebody else did not. 502 and 503 are what a proxy says of a computer
            // that it cannot reach, and a desktop takes them for that.
            TurnError::NoKey(_)
            | TurnError::KeyRefused(_)
            | TurnError::Busy(_)
            | TurnError::Offline(_)
            | TurnError::Upstream(_)
            | TurnError::Refused(_)
            | TurnError::Deadline(_) => StatusCode::FAILED_DEPENDENCY,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

/// `POST /api/message`: answers when the turn is done. The turn goes on if the asker leaves.
pub(crate) async fn message(
    State(gateway): State<Gateway>,
    Json(body): Json<MessageBody>,
) -> Result<Json<MessageAnswer>, Failure> {
    answer(&gateway, body).await.map(Json).map_err(Failure::from)
}

/// Says something to the AI and waits for the answer.
pub(crate) async fn answer(gateway: &Gateway, body: MessageBody) -> Result<MessageAnswer, TurnError> {
    let given = gateway.settings.channels.clone();
    let channels = on_disk(gateway, move |home| Ok(config::channels(home, given.as_ref()))).await?;
    let trust = Trust::of(body.from.as_ref(), &channels);
    let said = Said { text: body.text, session: body.session_id, from: body.from, trust, request_id: body.request_id };
    let (session_id, outcome) = match hear(gateway, said).await? {
        // The lane tells the end of every turn; without a word it was switched off.
        Heard::New { session, done } => (session, done.await.unwrap_or_default()),
        Heard::Before { session, answer, .. } => {
            let text = answer.ok_or(TurnError::Answering)?;
            return Ok(MessageAnswer { session_id: session, text, events: Vec::new() });
        }
    };
    Ok(MessageAnswer { session_id, text: outcome.text, events: outcome.events })
}

/// `POST /api/conversations/{id}/cancel`.
pub(crate) async fn cancel(State(gateway): State<Gateway>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    if gateway.kernel.cancel(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::not_found()) }
}

/// What an app asks of the AI.
#[derive(Deserialize)]
pub(crate) struct GenerateBody {
    app: String,
    prompt: String,
}

/// Apps that are being answered: one call of each at a time.
static ASKING: Mutex<Option<HashSet<String>>> = Mutex::new(None);

struct Asking(String);

impl Asking {
    fn begin(app: &str) -> Option<Self> {
        let mut all = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_or_insert_default().insert(app.to_owned()).then(|| Self(app.to_owned()))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(all) = ASKING.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            all.remove(&self.0);
        }
    }
}

/// Longest prompt of an app, in bytes, and longest answer, in tokens.
const PROMPT: usize = 20_000;
const TOKENS: u32 = 2_000;
const FOR_APPS: &str = "An app on somebody's computer asks you for a text. Answer with that text alone: no greeting, no \
    explanation, no code fence unless asked for. You have no tools.";

/// `POST /api/bridge/generate`: `{text}`. No tools, no files, nothing of the owner's: an app sees only what it asked for.
pub(crate) async fn generate(
    State(gateway): State<Gateway>,
    Json(body): Json<GenerateBody>,
) -> Result<Json<Value>, Failure> {
    if !is_name(&body.app) || body.prompt.trim().is_empty() || body.prompt.len() > PROMPT {
        return Err(Failure::bad_request("An app may ask with 1 to 20,000 letters, by its own name."));
    }
    let busy = || Failure::new(StatusCode::TOO_MANY_REQUESTS, "busy", "This app is being answered; ask again then.");
    let _asking = Asking::begin(&body.app).ok_or_else(busy)?;
    if !gateway.kernel.apps.admits(&body.app) {
        let message = "This app has asked the AI many times within an hour. It may ask again in a while.";
        return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_often", message));
    }
    let text = said(&gateway, &body).await?;
    Ok(Json(json!({ "text": limits::cut(&text, 100_000) })))
}

/// One call of the model for an app, logged like a turn.
async fn said(gateway: &Gateway, body: &GenerateBody) -> Result<String, TurnError> {
    let client = gateway.kernel.client.as_ref().ok_or_else(TurnError::without_key)?;
    let _place = gateway.kernel.turns.acquire().await;
    let (agent, began) = (on_disk(gateway, |home| Ok(config::read(home).agent)).await?, Instant::now());
    let request = json!({
        "model": agent.model, "max_tokens": TOKENS, "stream": true, "system": FOR_APPS,
        "messages": [{ "role": "user", "content": body.prompt }],
    });
    let answer = client.stream(request.to_string().into(), &mut |_| ()).await;
    let entry = TurnLog {
        at: time::millis(),
        source: format!("app:{}", body.app),
        session_id: String::new(),
        model: agent.model,
        tools: Vec::new(),
        usage: answer.usage,
        cost_nanos: None,
        took: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        result: answer.result.as_ref().map_or_else(|error| error.code(), |()| "done").to_owned(),
    };
    on_disk(gateway, move |home| logs::add(home, &entry)).await?;
    answer.result?;
    Ok(text_of(&answer.content))
}
