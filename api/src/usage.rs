//! What AI calls cost: for whoever pays, whoever watches, and their spreadsheets.

use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::channel::Channel;
use matrixos_supervisor::accounts::Session;
use matrixos_supervisor::meter::{CSV_HEADER, Standing, csv_line, date};
use matrixos_supervisor::store::{Row, Spending, StoreError, User};
use matrixos_types::Handle;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{SignedIn, Verified};
use crate::body::{Asked, Body as Typed};
use crate::caller::CalledFrom;
use crate::error::ApiError;
use crate::platform::Platform;

/// Days that are shown unless others are asked for.
const DAYS: u32 = 30;
/// The most days in one answer.
const DAYS_AT_MOST: u32 = 3_660;
/// Pieces of a table that wait for its reader.
const AHEAD: usize = 4;
/// Bytes of one piece, about.
const PIECE: usize = 64 * 1024;

#[derive(Deserialize)]
pub(crate) struct Period {
    days: Option<u32>,
}

/// `GET /api/usage/{handle}`: for its owner and for administrators.
pub(crate) async fn usage(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    Path(handle): Path<String>,
    Asked(period): Asked<Period>,
) -> Result<Json<Value>, ApiError> {
    let user = whose(&platform, session, &handle)?;
    platform.relay.meter().catch_up(user.id).await?;
    let today = platform.relay.meter().today();
    let days = period.days.unwrap_or(DAYS).clamp(1, DAYS_AT_MOST);
    let report = platform.relay.meter().usage(user.id, today.saturating_sub(days - 1)..=today)?;
    let mut answer = standing(&report.standing);
    answer["handle"] = json!(user.handle);
    answer["own_key"] = json!(platform.accounts.own_key_since(user.id)?);
    answer["days"] = report.days.iter().map(spending).collect();
    Ok(Json(answer))
}

/// `GET /api/usage/{handle}/calls.csv`: every call, oldest first.
pub(crate) async fn calls(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    Path(handle): Path<String>,
) -> Result<Response, ApiError> {
    let user = whose(&platform, session, &handle)?;
    platform.relay.meter().catch_up(user.id).await?;
    let rows = platform.relay.meter().calls(user.id, 0);
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(AHEAD);
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || match write_table(rows, |piece| runtime.block_on(sender.send_data(piece))) {
        Ok(()) => {}
        // The download fails in its reader's browser, instead of looking whole.
        Err(error) => sender.abort(error),
    });
    let disposition = format!("attachment; filename=\"ai-calls-{}.csv\"", user.handle);
    let mut response = Body::new(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(ApiError::internal)?);
    Ok(response)
}

/// Ends early when nobody takes the pieces any more.
fn write_table<E>(
    rows: impl Iterator<Item = Result<Row, StoreError>>,
    mut give: impl FnMut(Bytes) -> Result<(), E>,
) -> io::Result<()> {
    let mut text = CSV_HEADER.to_owned();
    for row in rows {
        text.push_str(&csv_line(&row.map_err(io::Error::other)?));
        if text.len() >= PIECE && give(std::mem::take(&mut text).into()).is_err() {
            return Ok(());
        }
    }
    let _ = give(text.into());
    Ok(())
}

#[derive(Deserialize)]
pub(crate) struct OwnKey {
    key: String,
}

/// `PUT /api/ai/key`: the calls of one's computer are made with one's own key from now on.
pub(crate) async fn set_own_key(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
    Typed(own): Typed<OwnKey>,
) -> Result<StatusCode, ApiError> {
    platform.accounts.set_own_key(&fresh, &own.key, &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/ai/key`.
pub(crate) async fn remove_own_key(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
) -> Result<StatusCode, ApiError> {
    platform.accounts.remove_own_key(&session, &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The account that somebody may read about: their own, or any if they are an administrator. Whoever may not is not told
/// whether there is one.
fn whose(platform: &Platform, session: Session, handle: &str) -> Result<User, ApiError> {
    let handle = Handle::parse(handle).map_err(|_| ApiError::not_found())?;
    if session.user().handle == handle {
        return Ok(session.user().clone());
    }
    platform.accounts.administrator(session).ok_or_else(ApiError::not_found)?;
    platform.accounts.find(&handle)?.ok_or_else(ApiError::not_found)
}

/// How an account stands: exact numbers for programs, and a text for people.
pub(crate) fn standing(standing: &Standing) -> Value {
    let remaining = standing.remaining();
    json!({
        "quota_nanos": standing.quota,
        "spent_nanos": standing.spent,
        "remaining_nanos": remaining,
        "held_nanos": standing.held,
        "own_key_nanos": standing.own,
        "in_flight": standing.in_flight,
        "text": remaining.to_string(),
        "quota_text": standing.quota.to_string(),
    })
}

pub(crate) fn spending(day: &Spending) -> Value {
    json!({
        "day": date(day.day),
        "model": day.model,
        "calls": day.calls,
        "input_tokens": day.input,
        "output_tokens": day.output,
        "cache_write_tokens": day.write,
        "cache_read_tokens": day.read,
        "web_searches": day.searches,
        "cost_nanos": day.cost,
        "cost_text": day.cost.exact(),
        "own_key_nanos": day.own,
    })
}
