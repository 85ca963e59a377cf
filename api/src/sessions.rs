//! A person's sessions: seen and ended by themselves.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use matrixos_supervisor::store::Session as Record;
use matrixos_types::SessionId;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::caller::CalledFrom;
use crate::cookies::PLATFORM;
use crate::error::ApiError;
use crate::platform::Platform;

pub(crate) async fn list(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<Json<Value>, ApiError> {
    let all = platform.accounts.sessions(&session)?;
    let shown: Value = all.iter().map(|record| shown(record, record.id == session.id())).collect();
    Ok(Json(json!({ "sessions": shown })))
}

fn shown(record: &Record, current: bool) -> Value {
    json!({
        "id": record.id.to_string(),
        "current": current,
        "created": record.created,
        "lastUsed": record.last_used,
        "expires": record.expires,
        "browser": record.caller.browser,
        "address": record.caller.address,
        "method": record.method,
    })
}

/// Nothing to say, and nothing left in the browser.
fn signed_out() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    PLATFORM.clear(response.headers_mut());
    response
}

pub(crate) async fn sign_out(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
) -> Result<Response, ApiError> {
    platform.accounts.sign_out(&session, &from).await?;
    Ok(signed_out())
}

pub(crate) async fn revoke(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = SessionId::parse(&id).map_err(|_| ApiError::not_found())?;
    platform.accounts.revoke(&session, id, &from).await?;
    Ok(if id == session.id() { signed_out() } else { StatusCode::NO_CONTENT.into_response() })
}

pub(crate) async fn revoke_all(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
) -> Result<Response, ApiError> {
    platform.accounts.revoke_all(&session, &from).await?;
    Ok(signed_out())
}
