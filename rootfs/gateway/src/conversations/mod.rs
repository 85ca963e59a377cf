//! Conversations with the AI: what they are made of, where they are kept, and their routes.

pub(crate) mod lines;
pub(crate) mod store;

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use cap_std::fs::Dir;
use matrixos_types::kernel::{ChatMessage, ConversationSummary, Event};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;

/// Conversations that are listed; older ones are still files.
const LISTED: usize = 500;
/// Messages of one answer.
pub(crate) const PAGE: usize = 100;
/// Hits of a search.
const HITS: usize = 50;

/// What is known of files that have not grown since they were read.
#[derive(Default)]
pub(crate) struct Summaries(Mutex<HashMap<String, (u64, ConversationSummary)>>);

impl Summaries {
    fn list(&self, home: &Dir) -> io::Result<Vec<ConversationSummary>> {
        let files = store::all(home, LISTED)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, (length, _)| files.iter().any(|(i, l)| i == id && l == length));
        let mut list = Vec::with_capacity(files.len());
        for (id, length) in files {
            if let Some((_, summary)) = known.get(&id) {
                list.push(summary.clone());
            } else if let Ok(summary) = store::summary(home, &id) {
                known.insert(id, (length, summary.clone()));
                list.push(summary);
            }
        }
        list.sort_by_key(|summary| std::cmp::Reverse(summary.updated_at));
        Ok(list)
    }
}

pub(crate) async fn list(State(gateway): State<Gateway>) -> Result<Json<Vec<ConversationSummary>>, Failure> {
    let inner = gateway.clone();
    blocking(gateway, move |home| inner.summaries.list(home)).await.map(Json)
}

/// A name for a new conversation.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

pub(crate) async fn create(State(gateway): State<Gateway>) -> Result<(StatusCode, Json<Value>), Failure> {
    let id = new_id();
    let name = id.clone();
    blocking(gateway.clone(), move |home| store::begin(home, &name)).await?;
    gateway.hub.tell(Event::SessionChanged { session_id: id.clone() });
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

pub(crate) async fn delete(State(gateway): State<Gateway>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    let id = known(id)?;
    gateway.kernel.cancel(&id);
    let name = id.clone();
    blocking(gateway.clone(), move |home| store::remove(home, &name)).await?;
    gateway.hub.tell(Event::SessionChanged { session_id: id });
    Ok(StatusCode::NO_CONTENT)
}

/// Something no conversation is called is not there.
fn known(id: String) -> Result<String, Failure> {
    if store::is_id(&id) { Ok(id) } else { Err(Failure::not_found()) }
}

#[derive(Deserialize)]
pub(crate) struct Before {
    before: Option<String>,
    limit: Option<usize>,
}

/// A part of a conversation.
#[derive(Serialize)]
pub(crate) struct Part {
    messages: Vec<ChatMessage>,
    more: bool,
}

pub(crate) async fn read(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    Query(asked): Query<Before>,
) -> Result<Json<Part>, Failure> {
    let id = known(id)?;
    let most = asked.limit.unwrap_or(PAGE).clamp(1, 500);
    let part = blocking(gateway, move |home| store::page(home, &id, asked.before.as_deref(), most)).await;
    part.map(|(messages, more)| Json(Part { messages, more }))
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    q: String,
}

impl Wanted {
    fn text(self) -> Result<String, Failure> {
        let text = self.q.trim();
        if (1..=200).contains(&text.len()) {
            Ok(text.to_owned())
        } else {
            Err(Failure::bad_request("Search for something of one to 200 letters."))
        }
    }
}

pub(crate) async fn search(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<ChatMessage>>, Failure> {
    let (id, text) = (known(id)?, wanted.text()?);
    blocking(gateway, move |home| store::search(home, &id, &text, HITS)).await.map(Json)
}

/// A message that was found, and where.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hit {
    session_id: String,
    message: ChatMessage,
}

pub(crate) async fn search_all(
    State(gateway): State<Gateway>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Hit>>, Failure> {
    let text = wanted.text()?;
    blocking(gateway, move |home| find(home, &text, |_| true)).await.map(Json)
}

/// Looks through those conversations, the newest first, until there are enough hits.
pub(crate) fn find(home: &Dir, text: &str, in_these: impl Fn(&str) -> bool) -> io::Result<Vec<Hit>> {
    let mut hits = Vec::new();
    for (id, _) in store::all(home, LISTED)?.into_iter().filter(|(id, _)| in_these(id)) {
        let found = store::search(home, &id, text, HITS - hits.len()).unwrap_or_default();
        hits.extend(found.into_iter().map(|message| Hit { session_id: id.clone(), message }));
        if hits.len() >= HITS {
            break;
        }
    }
    Ok(hits)
}

impl Hit {
    /// A line for the AI.
    pub(crate) fn line(&self) -> String {
        let text: String = self.message.text.chars().take(300).collect();
        format!("[{}] {:?}: {}", self.session_id, self.message.role, text.replace('\n', " "))
    }
}
