//! What a signed-in person may ask about themselves and their computer.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use matrixos_supervisor::containers::{Condition, KEPT_AT_MOST, View};
use matrixos_supervisor::store::WantedState;
use matrixos_types::Handle;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::auth::{SESSION_COOKIE, SignedIn, clear_cookie, session};
use crate::computers::ENTER;
use crate::error::ApiError;
use crate::platform::Platform;

pub(crate) async fn me(State(platform): State<Platform>, SignedIn(session): SignedIn) -> Json<Value> {
    let user = session.user();
    Json(
        json!({ "handle": user.handle, "computer": format!("{}/", platform.origin_of(&user.handle)), "feed": user.feed }),
    )
}

pub(crate) async fn sign_out(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    platform.accounts.sign_out(&session).await.map_err(ApiError::internal)?;
    let cookie = AppendHeaders([(header::SET_COOKIE, clear_cookie(SESSION_COOKIE))]);
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

pub(crate) async fn computer(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<Json<Value>, ApiError> {
    let view = platform.containers.view(&session.user().container).ok_or_else(ApiError::not_found)?;
    let (events, keep) = platform.containers.history(&session.user().container).unwrap_or_default();
    let Json(mut answer) = shown(&view);
    answer["history"] = json!(events);
    answer["awake"] = json!(keep);
    Ok(Json(answer))
}

#[derive(Deserialize)]
pub(crate) struct StayAwake {
    minutes: u64,
    #[serde(default)]
    because: String,
}

/// "Stay awake for so long, because …": for work that nobody watches.
pub(crate) async fn keep_awake(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    Json(wish): Json<StayAwake>,
) -> Result<Json<Value>, ApiError> {
    let most = KEPT_AT_MOST.as_secs() / 60;
    if !(1..=most).contains(&wish.minutes) {
        let message = format!("A computer can be kept awake for 1 to {most} minutes at a time.");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message));
    }
    let time = Duration::from_secs(wish.minutes * 60);
    let container = &session.user().container;
    let keep = platform.containers.keep_awake(container, Some(time), &wish.because).await;
    Ok(Json(json!({ "awake": keep.map_err(ApiError::internal)? })))
}

pub(crate) async fn let_rest(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<StatusCode, ApiError> {
    platform.containers.keep_awake(&session.user().container, None, "").await.map_err(ApiError::internal)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn start_computer(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    let container = &session.user().container;
    platform
        .containers
        .want(container, WantedState::Running, "its owner asked for it")
        .await
        .map_err(ApiError::internal)?;
    let mut view = platform.containers.view(container).ok_or_else(ApiError::not_found)?;
    if view.condition != Condition::Running {
        // The container's task has been told; until it has read the wish, the old view would look like an answer.
        view = View::starting();
    }
    Ok((StatusCode::ACCEPTED, shown(&view)).into_response())
}

fn shown(view: &View) -> Json<Value> {
    Json(json!({ "state": view.condition, "reason": view.reason.as_deref().map(sentence), "steps": view.steps }))
}

/// A reason as it is written down, as a sentence for people.
fn sentence(reason: &str) -> String {
    let mut letters = reason.trim().chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if reason.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[derive(Deserialize)]
pub(crate) struct Where {
    path: Option<String>,
}

/// The door to a computer: its owner is let through with a one-time code, everybody else sees its owner's profile.
pub(crate) async fn enter(
    State(platform): State<Platform>,
    Path(handle): Path<String>,
    Query(to): Query<Where>,
    headers: HeaderMap,
) -> Result<Redirect, ApiError> {
    let handle = Handle::parse(&handle).map_err(|_| ApiError::not_found())?;
    match session(&headers, &platform)?.filter(|session| session.user().handle == handle) {
        None => Ok(Redirect::to(&format!("/@{handle}"))),
        Some(session) => {
            let code = platform.accounts.entry_code(&session)?;
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("code", code.expose())
                .append_pair("path", &local_path(to.path.as_deref()))
                .finish();
            Ok(Redirect::to(&format!("{}{ENTER}?{query}", platform.origin_of(&handle))))
        }
    }
}

/// A path on the same host: `//` and `/\` would lead to another one.
pub(crate) fn local_path(path: Option<&str>) -> String {
    let path = path.unwrap_or("/");
    let local = path.starts_with('/') && !path[1..].starts_with(['/', '\\']) && !path.contains(char::is_control);
    if local { path.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_same_host_are_followed() {
        for good in ["/", "/files?path=a", "/a//b"] {
            assert_eq!(local_path(Some(good)), good);
        }
        for bad in ["//evil.example", "/\\evil.example", "https://evil.example", "", "evil", "/a\r\nx: y"] {
            assert_eq!(local_path(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(local_path(None), "/");
    }
}
