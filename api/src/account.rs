//! What a signed-in person may ask about themselves and their computer.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use matrixos_supervisor::accounts::AccountError;
use matrixos_supervisor::containers::{Condition, KEPT_AT_MOST, View};
use matrixos_supervisor::store::WantedState;
use matrixos_types::Handle;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::auth::{MaybeSignedIn, SignedIn, Verified};
use crate::body::{Asked, Body};
use crate::caller::CalledFrom;
use crate::computers::ENTER;
use crate::error::ApiError;
use crate::platform::Platform;

/// How long a person waits for their computer to stop before they are told that it does.
const A_MOMENT: Duration = Duration::from_secs(1);

pub(crate) async fn me(State(platform): State<Platform>, SignedIn(session): SignedIn) -> Json<Value> {
    let user = session.user();
    Json(json!({
        "handle": user.handle,
        "computer": format!("{}/", platform.origin_of(&user.handle)),
        "feed": user.feed,
        "admin": user.admin,
        "deletion": user.deletion,
    }))
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
    Body(wish): Body<StayAwake>,
) -> Result<Json<Value>, ApiError> {
    let most = KEPT_AT_MOST.as_secs() / 60;
    if !(1..=most).contains(&wish.minutes) {
        let message = format!("A computer can be kept awake for 1 to {most} minutes at a time.");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message));
    }
    let time = Duration::from_secs(wish.minutes * 60);
    let container = &session.user().container;
    let keep = platform.containers.keep_awake(container, Some(time), &wish.because).await;
    Ok(Json(json!({ "awake": keep? })))
}

pub(crate) async fn let_rest(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<StatusCode, ApiError> {
    platform.containers.keep_awake(&session.user().container, None, "").await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn start_computer(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    let container = &session.user().container;
    if session.user().deletion.is_some() {
        return Err(AccountError::DeletionPending.into());
    }
    platform.containers.want(container, WantedState::Running, "its owner asked for it").await?;
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
pub(crate) fn sentence(reason: &str) -> String {
    let mut letters = reason.trim().chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if reason.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[derive(Deserialize)]
pub(crate) struct Confirmed {
    confirm: String,
}

/// The wish comes after the request: a computer that runs on by mistake is better than one that stops by mistake.
pub(crate) async fn request_deletion(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
    Body(typed): Body<Confirmed>,
) -> Result<Json<Value>, ApiError> {
    let at = platform.accounts.request_deletion(&fresh, &typed.confirm, &from).await?;
    let reason = "its owner has asked for the account to be deleted";
    let errand = platform.containers.want(&fresh.user().container, WantedState::Stopped, reason).await?;
    // Whoever looks next should not find it running because its task has not read the wish yet.
    errand.settle(Condition::Stopped, A_MOMENT).await;
    Ok(Json(json!({ "deletion": at })))
}

pub(crate) async fn undo_deletion(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
) -> Result<Json<Value>, ApiError> {
    platform.accounts.undo_deletion(&session, &from).await?;
    if session.user().deletion.is_some() {
        let reason = "its owner keeps the account";
        let wish = platform.containers.want(&session.user().container, WantedState::Running, reason).await;
        wish?;
    }
    Ok(Json(json!({ "deletion": null })))
}

#[derive(Deserialize)]
pub(crate) struct Invitation {
    token: String,
}

pub(crate) async fn accept_invitation(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
    Body(invitation): Body<Invitation>,
) -> Result<StatusCode, ApiError> {
    platform.accounts.accept_invitation(&fresh, &invitation.token, &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(crate) struct Where {
    path: Option<String>,
    state: Option<String>,
}

/// The door to a computer: its owner is let through with a one-time code, everybody else sees its owner's profile. The
/// way begins at the computer's host, where the browser gets a secret that the code is bound to.
pub(crate) async fn enter(
    State(platform): State<Platform>,
    MaybeSignedIn(session): MaybeSignedIn,
    Path(handle): Path<String>,
    Asked(to): Asked<Where>,
) -> Result<Redirect, ApiError> {
    let handle = Handle::parse(&handle).map_err(|_| ApiError::not_found())?;
    let Some(session) = session.filter(|session| session.user().handle == handle) else {
        return Ok(Redirect::to(&format!("/@{handle}")));
    };
    let (computer, path) = (platform.origin_of(&handle), local_path(to.path.as_deref()));
    let Some(state) = to.state.filter(|state| !state.is_empty()) else {
        return Ok(Redirect::to(&format!("{computer}{path}")));
    };
    let code = platform.accounts.entry_code(&session, &state);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", code.expose())
        .append_pair("path", &path)
        .finish();
    Ok(Redirect::to(&format!("{computer}{ENTER}?{query}")))
}

/// A path on the same host: `//` and `/\` would lead to another one.
pub(crate) fn local_path(path: Option<&str>) -> String {
    let path = path.unwrap_or("/");
    let local = path.starts_with('/') && !path[1..].starts_with(['/', '\\']) && !path.contains(char::is_control);
    if local { path.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use matrixos_fuzz::Fuzz;
    use url::Url;

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

    #[test]
    fn whatever_is_asked_for_a_browser_stays_on_the_host() {
        let host = Url::parse("https://alice.matrix-os.example/.matrixos/enter").expect("a URL");
        let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/paths.txt"));
        corpus.check(|input| {
            let path = local_path(Some(&String::from_utf8_lossy(input)));
            // As the place of a redirect of that host, and put behind the host's own name by the platform's.
            for went in [host.join(&path), Url::parse(&format!("https://alice.matrix-os.example{path}"))] {
                assert_eq!(went.expect("an address").origin(), host.origin(), "{path:?}");
            }
        });
    }
}
