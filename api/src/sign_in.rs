//! The ways in: sign-up and login, with a passkey or with codes.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use matrixos_supervisor::accounts::{Arrival, Offer, Secret, Started};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::body::Body;
use crate::caller::CalledFrom;
use crate::cookies::PLATFORM;
use crate::error::ApiError;
use crate::platform::Platform;

#[derive(Deserialize)]
pub(crate) struct SignUp {
    handle: String,
}

pub(crate) async fn start_sign_up(
    State(platform): State<Platform>,
    Body(asked): Body<SignUp>,
) -> Result<Json<Value>, ApiError> {
    Ok(started(&platform.accounts.start_sign_up(&asked.handle)?))
}

pub(crate) async fn start_totp_sign_up(
    State(platform): State<Platform>,
    Body(asked): Body<SignUp>,
) -> Result<Json<Value>, ApiError> {
    Ok(offered(&platform.accounts.start_totp_sign_up(&asked.handle)?))
}

/// What an authenticator answered.
#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) ceremony: String,
    pub(crate) credential: Value,
    #[serde(default)]
    feed: bool,
}

/// What an app showed.
#[derive(Deserialize)]
pub(crate) struct FirstCode {
    pub(crate) ceremony: String,
    pub(crate) code: String,
    #[serde(default)]
    feed: bool,
}

pub(crate) async fn finish_sign_up(
    State(platform): State<Platform>,
    CalledFrom(from): CalledFrom,
    Body(answer): Body<Answer>,
) -> Result<Response, ApiError> {
    let Answer { ceremony, credential, feed } = answer;
    let arrival = platform.accounts.finish_sign_up(&ceremony, &credential, feed, &from).await?;
    Ok(welcome(&platform, &arrival))
}

pub(crate) async fn finish_totp_sign_up(
    State(platform): State<Platform>,
    CalledFrom(from): CalledFrom,
    Body(first): Body<FirstCode>,
) -> Result<Response, ApiError> {
    let FirstCode { ceremony, code, feed } = first;
    let arrival = platform.accounts.finish_totp_sign_up(&ceremony, &code, feed, &from).await?;
    Ok(welcome(&platform, &arrival))
}

fn welcome(platform: &Platform, arrival: &Arrival) -> Response {
    let user = &arrival.user;
    tracing::info!(handle = %user.handle, seat = %user.seat, "a new account");
    platform.containers.welcome(user);
    (StatusCode::CREATED, arrived(platform, arrival)).into_response()
}

pub(crate) async fn start_login(State(platform): State<Platform>) -> Result<Json<Value>, ApiError> {
    Ok(started(&platform.accounts.start_login()?))
}

pub(crate) async fn finish_login(
    State(platform): State<Platform>,
    CalledFrom(from): CalledFrom,
    Body(answer): Body<Answer>,
) -> Result<Response, ApiError> {
    let arrival = platform.accounts.finish_login(&answer.ceremony, &answer.credential, &from).await?;
    Ok(back(&platform, &arrival))
}

#[derive(Deserialize)]
pub(crate) struct WithCode {
    handle: String,
    code: String,
}

pub(crate) async fn login_with_code(
    State(platform): State<Platform>,
    CalledFrom(from): CalledFrom,
    Body(shown): Body<WithCode>,
) -> Result<Response, ApiError> {
    let arrival = platform.accounts.login_with_code(&shown.handle, &shown.code, &from).await?;
    Ok(back(&platform, &arrival))
}

/// Whoever signs in is about to use their computer: it wakes while their browser is on its way.
fn back(platform: &Platform, arrival: &Arrival) -> Response {
    // One that the operator has stopped stays so, and says why when it is opened.
    let _ = platform.containers.wake(&arrival.user.container, "its owner signed in");
    arrived(platform, arrival)
}

/// A ceremony for the browser.
pub(crate) fn started(started: &Started) -> Json<Value> {
    Json(json!({ "ceremony": started.ceremony.expose(), "publicKey": started.options }))
}

/// A secret for an authenticator app.
pub(crate) fn offered(offer: &Offer) -> Json<Value> {
    Json(
        json!({ "ceremony": offer.ceremony.expose(), "secret": offer.secret.expose(), "otpauth": offer.otpauth.expose() }),
    )
}

/// Recovery codes, to be shown this once.
pub(crate) fn listed(codes: &[Secret]) -> Value {
    codes.iter().map(|code| Value::from(code.expose())).collect()
}

fn arrived(platform: &Platform, arrival: &Arrival) -> Response {
    let handle = &arrival.user.handle;
    let mut told = json!({ "handle": handle, "computer": format!("{}/", platform.origin_of(handle)) });
    if !arrival.recovery_codes.is_empty() {
        told["recoveryCodes"] = listed(&arrival.recovery_codes);
    }
    if let Some(left) = arrival.recovery_codes_left {
        told["recoveryCodesLeft"] = left.into();
    }
    let mut response = Json(told).into_response();
    PLATFORM.give(&arrival.tokens, response.headers_mut());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
