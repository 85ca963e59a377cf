//! Other people's accounts, seen to by administrators: whatever they do is written down first, with their name, where its
//! owner reads it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use matrixos_supervisor::accounts::AccountError;
use matrixos_supervisor::store::{User, WantedState, What};
use matrixos_types::{Handle, Nanos};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{Acting, Administrator};
use crate::body::{Asked, Body};
use crate::caller::CalledFrom;
use crate::error::ApiError;
use crate::platform::Platform;
use crate::usage::standing;

/// Accounts in one answer.
const PAGE: usize = 50;

#[derive(Deserialize)]
pub(crate) struct After {
    after: Option<Handle>,
}

pub(crate) async fn list(
    State(platform): State<Platform>,
    Administrator(grant): Administrator,
    Asked(from): Asked<After>,
) -> Result<Json<Value>, ApiError> {
    let users = platform.accounts.users_for_administrators(&grant, from.after.as_ref(), PAGE)?;
    let next = users.last().filter(|_| users.len() == PAGE).map(|user| &user.handle);
    let shown: Value = users.iter().map(|user| shown(&platform, user)).collect();
    Ok(Json(json!({ "users": shown, "next": next })))
}

/// Nothing of what is in the account: how it stands, and how its computer is.
fn shown(platform: &Platform, user: &User) -> Value {
    let view = platform.containers.view(&user.container);
    json!({
        "handle": user.handle,
        "created": user.created,
        "admin": user.admin,
        "deletion": user.deletion,
        "state": view.as_ref().map(|view| view.condition),
        "reason": view.and_then(|view| view.reason),
    })
}

fn user(platform: &Platform, handle: &str) -> Result<User, ApiError> {
    let handle = Handle::parse(handle).map_err(|_| ApiError::not_found())?;
    platform.accounts.find(&handle)?.ok_or_else(ApiError::not_found)
}

pub(crate) async fn sign_out(
    State(platform): State<Platform>,
    Acting(grant): Acting,
    CalledFrom(from): CalledFrom,
    Path(handle): Path<String>,
) -> Result<StatusCode, ApiError> {
    platform.accounts.sign_somebody_out(&grant, &user(&platform, &handle)?, &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn stop_computer(
    State(platform): State<Platform>,
    Acting(grant): Acting,
    CalledFrom(from): CalledFrom,
    Path(handle): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = user(&platform, &handle)?;
    platform.accounts.note_intervention(&grant, user.id, What::ComputerStopped, &from).await?;
    let reason = format!("the administrator {} stopped it", grant.user().handle);
    platform.containers.want(&user.container, WantedState::Stopped, &reason).await.map_err(ApiError::internal)?;
    Ok(StatusCode::ACCEPTED)
}

/// What somebody may spend on AI calls in all, in dollars (`"7.50"`); null is what everybody may.
#[derive(Deserialize)]
pub(crate) struct NewQuota {
    dollars: Option<String>,
}

/// `PUT /api/admin/users/{handle}/quota`.
pub(crate) async fn set_quota(
    State(platform): State<Platform>,
    Acting(grant): Acting,
    CalledFrom(from): CalledFrom,
    Path(handle): Path<String>,
    Body(new): Body<NewQuota>,
) -> Result<Json<Value>, ApiError> {
    let user = user(&platform, &handle)?;
    let quota = new.dollars.as_deref().map(|text| Nanos::parse(text).ok_or_else(|| no_amount(text))).transpose()?;
    platform.accounts.note_intervention(&grant, user.id, What::QuotaSet, &from).await?;
    let meter = platform.relay.meter();
    Ok(Json(standing(&meter.set_quota(user.id, quota).await?)))
}

fn no_amount(text: &str) -> ApiError {
    let text: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    let message =
        format!("{text:?} is no amount of dollars; write for example \"7.50\", or null for what everybody may.");
    ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
}

pub(crate) async fn start_computer(
    State(platform): State<Platform>,
    Acting(grant): Acting,
    CalledFrom(from): CalledFrom,
    Path(handle): Path<String>,
) -> Result<StatusCode, ApiError> {
    let user = user(&platform, &handle)?;
    if user.deletion.is_some() {
        return Err(AccountError::DeletionPending.into());
    }
    platform.accounts.note_intervention(&grant, user.id, What::ComputerStarted, &from).await?;
    let reason = format!("the administrator {} asked for it", grant.user().handle);
    platform.containers.want(&user.container, WantedState::Running, &reason).await.map_err(ApiError::internal)?;
    Ok(StatusCode::ACCEPTED)
}
