//! What anybody may ask: is it alive, may I have that handle, let me in.

use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use matrixos_supervisor::accounts::{AccountError, Availability, Secret, Started};
use matrixos_supervisor::store::{StoreError, User};
use matrixos_types::Handle;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{SESSION_COOKIE, set_cookie};
use crate::error::ApiError;
use crate::platform::Platform;

/// A JSON body, or an error in the platform's own shape.
type Body<T> = Result<Json<T>, JsonRejection>;

fn body<T>(body: Body<T>) -> Result<T, ApiError> {
    body.map(|Json(value)| value).map_err(|e| ApiError::new(e.status(), "bad_request", e.body_text()))
}

pub(crate) async fn health(State(platform): State<Platform>) -> Json<Value> {
    let (running, total) = platform.containers.counts();
    Json(json!({ "status": "ok", "containers": { "total": total, "running": running } }))
}

pub(crate) async fn stats(State(platform): State<Platform>) -> Json<Value> {
    let (running, computers) = platform.containers.counts();
    Json(json!({ "running": running, "computers": computers }))
}

pub(crate) async fn handle(
    State(platform): State<Platform>,
    Path(text): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let answer = match platform.accounts.availability(&text).map_err(ApiError::internal)? {
        Availability::Available(handle) => json!({ "handle": handle, "available": true, "suggestions": [] }),
        Availability::Unavailable(suggestions) => {
            json!({ "handle": text, "available": false, "message": unavailable(&suggestions), "suggestions": suggestions })
        }
        Availability::Malformed(error) => {
            json!({ "handle": text, "available": false, "message": error.to_string(), "suggestions": [] })
        }
    };
    Ok(Json(answer))
}

fn unavailable(suggestions: &[String]) -> String {
    match suggestions {
        [] => "That handle is not available.".to_owned(),
        [one] => format!("That handle is not available. Try {one}."),
        [one, two, ..] => format!("That handle is not available. Try {one} or {two}."),
    }
}

pub(crate) async fn profile(
    State(platform): State<Platform>,
    Path(handle): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let handle = Handle::parse(&handle).map_err(|_| ApiError::not_found())?;
    let user = platform.accounts.find(&handle).map_err(ApiError::internal)?.ok_or_else(ApiError::not_found)?;
    let about = platform.containers.profile(&user).await;
    // The text is a tenant's: no browser may take it for anything but JSON.
    let headers = [(header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, Json(json!({ "handle": user.handle, "since": iso_date(user.created), "about": about }))))
}

/// The date of a moment in seconds since 1970 (UTC).
fn iso_date(seconds: u64) -> String {
    let moment = UNIX_EPOCH + Duration::from_secs(seconds);
    let date = humantime::format_rfc3339_seconds(moment).to_string();
    date.split('T').next().unwrap_or_default().to_owned()
}

#[derive(Deserialize)]
pub(crate) struct SignUp {
    handle: String,
}

pub(crate) async fn start_sign_up(
    State(platform): State<Platform>,
    asked: Body<SignUp>,
) -> Result<Json<Value>, ApiError> {
    Ok(started(platform.accounts.start_sign_up(&body(asked)?.handle)?))
}

#[derive(Deserialize)]
pub(crate) struct Answer {
    ceremony: String,
    credential: Value,
    #[serde(default)]
    feed: bool,
}

pub(crate) async fn finish_sign_up(
    State(platform): State<Platform>,
    answer: Body<Answer>,
) -> Result<Response, ApiError> {
    let answer = body(answer)?;
    let (user, token) = platform.accounts.finish_sign_up(&answer.ceremony, &answer.credential, answer.feed).await?;
    tracing::info!(handle = %user.handle, seat = %user.seat, "a new account");
    platform.containers.welcome(&user);
    Ok((StatusCode::CREATED, arrived(&platform, &user, &token)).into_response())
}

pub(crate) async fn start_login(State(platform): State<Platform>) -> Result<Json<Value>, ApiError> {
    Ok(started(platform.accounts.start_login()?))
}

pub(crate) async fn finish_login(State(platform): State<Platform>, answer: Body<Answer>) -> Result<Response, ApiError> {
    let answer = body(answer)?;
    let (user, token) = platform.accounts.finish_login(&answer.ceremony, &answer.credential).await?;
    Ok(arrived(&platform, &user, &token))
}

fn started(started: Started) -> Json<Value> {
    Json(json!({ "ceremony": started.ceremony.expose(), "publicKey": started.options }))
}

fn arrived(platform: &Platform, user: &User, token: &Secret) -> Response {
    let cookie = AppendHeaders([
        (header::SET_COOKIE, set_cookie(SESSION_COOKIE, token)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ]);
    let computer = format!("{}/", platform.origin_of(&user.handle));
    (cookie, Json(json!({ "handle": user.handle, "computer": computer }))).into_response()
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        match error {
            AccountError::Malformed(_) => Self::new(StatusCode::BAD_REQUEST, "handle_invalid", message),
            AccountError::Unavailable(suggestions) => {
                Self::new(StatusCode::CONFLICT, "handle_taken", unavailable(&suggestions)).suggesting(suggestions)
            }
            AccountError::CeremonyExpired => Self::new(StatusCode::GONE, "ceremony_expired", message),
            AccountError::Rejected => Self::new(StatusCode::BAD_REQUEST, "passkey_rejected", message),
            AccountError::UnknownPasskey => Self::new(StatusCode::NOT_FOUND, "passkey_unknown", message),
            AccountError::KnownPasskey => Self::new(StatusCode::CONFLICT, "passkey_known", message),
            AccountError::Busy(message) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(60),
            AccountError::Store(error @ (StoreError::Low { .. } | StoreError::Full)) => Self::disk_full(error),
            AccountError::Store(error) => Self::internal(error),
        }
    }
}
