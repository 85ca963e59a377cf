//! What a person signs in with, seen to by themselves.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use matrixos_supervisor::store::Credential;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{SignedIn, Verified};
use crate::body::Body;
use crate::caller::CalledFrom;
use crate::error::ApiError;
use crate::platform::Platform;
use crate::sign_in::{Answer, FirstCode, listed, offered, started};

pub(crate) async fn security(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<Json<Value>, ApiError> {
    let found = platform.accounts.security(&session)?;
    Ok(Json(json!({
        "passkeys": found.passkeys.iter().map(passkey).collect::<Value>(),
        "totp": found.totp_since.map(|since| json!({ "since": since })),
        "recoveryCodes": found.recovery_codes.map(|(left, of)| json!({ "left": left, "of": of })),
        "freshUntil": session.fresh_until(),
    })))
}

fn passkey(credential: &Credential) -> Value {
    let Credential { id, name, created, last_used, .. } = credential;
    json!({ "id": id, "name": name, "created": created, "lastUsed": last_used })
}

pub(crate) async fn start_passkey(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
) -> Result<Json<Value>, ApiError> {
    Ok(started(&platform.accounts.start_passkey(&fresh)?))
}

#[derive(Deserialize)]
pub(crate) struct NewPasskey {
    ceremony: String,
    credential: Value,
    name: String,
}

pub(crate) async fn finish_passkey(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
    Body(new): Body<NewPasskey>,
) -> Result<Response, ApiError> {
    let added = platform.accounts.finish_passkey(&fresh, &new.ceremony, &new.credential, &new.name, &from).await?;
    Ok((StatusCode::CREATED, Json(passkey(&added))).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Name {
    name: String,
}

pub(crate) async fn rename_passkey(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
    Path(id): Path<String>,
    Body(new): Body<Name>,
) -> Result<Json<Value>, ApiError> {
    let renamed = platform.accounts.rename_passkey(&session, &id, &new.name, &from).await?;
    Ok(Json(passkey(&renamed)))
}

pub(crate) async fn remove_passkey(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    platform.accounts.remove_passkey(&fresh, &id, &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn start_totp(State(platform): State<Platform>, Verified(fresh): Verified) -> Json<Value> {
    offered(&platform.accounts.start_totp(&fresh))
}

pub(crate) async fn finish_totp(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
    Body(first): Body<FirstCode>,
) -> Result<Json<Value>, ApiError> {
    let codes = platform.accounts.finish_totp(&fresh, &first.ceremony, &first.code, &from).await?;
    Ok(Json(json!({ "recoveryCodes": listed(&codes) })))
}

pub(crate) async fn remove_totp(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
) -> Result<StatusCode, ApiError> {
    platform.accounts.remove_totp(&fresh, &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn new_recovery_codes(
    State(platform): State<Platform>,
    Verified(fresh): Verified,
    CalledFrom(from): CalledFrom,
) -> Result<Json<Value>, ApiError> {
    let codes = platform.accounts.new_recovery_codes(&fresh, &from).await?;
    Ok(Json(json!({ "recoveryCodes": listed(&codes) })))
}

pub(crate) async fn start_verify(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
) -> Result<Json<Value>, ApiError> {
    Ok(started(&platform.accounts.start_verify(&session)?))
}

pub(crate) async fn finish_verify(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
    Body(answer): Body<Answer>,
) -> Result<Json<Value>, ApiError> {
    let until = platform.accounts.finish_verify(&session, &answer.ceremony, &answer.credential, &from).await?;
    Ok(Json(json!({ "freshUntil": until })))
}

#[derive(Deserialize)]
pub(crate) struct Code {
    code: String,
}

pub(crate) async fn verify_with_code(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    CalledFrom(from): CalledFrom,
    Body(shown): Body<Code>,
) -> Result<Json<Value>, ApiError> {
    let until = platform.accounts.verify_with_code(&session, &shown.code, &from).await?;
    Ok(Json(json!({ "freshUntil": until })))
}
