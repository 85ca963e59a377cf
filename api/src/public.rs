//! What anybody may ask: is it alive, may I have that handle, who is that.

use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use matrixos_supervisor::accounts::Availability;
use matrixos_types::Handle;
use matrixos_types::channels::profile_field;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::platform::Platform;

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

pub(crate) fn unavailable(suggestions: &[String]) -> String {
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
    let told = platform.channels.profile(user.id).map_err(ApiError::internal)?;
    let (profile, ai_profile) = told.map(|told| (told.profile, told.ai_profile)).unwrap_or_default();
    let mut answer = json!({
        "handle": user.handle,
        "since": iso_date(user.created),
        "about": about,
        "profile": profile,
        "ai_profile": ai_profile,
    });
    if let Some(name) = profile_field(&profile, "Display Name") {
        answer["display_name"] = json!(name);
    }
    // The text is a tenant's: no browser may take it for anything but JSON.
    let headers = [(header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, Json(answer)))
}

/// The date of a moment in seconds since 1970 (UTC).
fn iso_date(seconds: u64) -> String {
    let moment = UNIX_EPOCH + Duration::from_secs(seconds);
    let date = humantime::format_rfc3339_seconds(moment).to_string();
    date.split('T').next().unwrap_or_default().to_owned()
}
