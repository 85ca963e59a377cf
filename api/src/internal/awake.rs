//! A computer that wants to stay awake, or to be woken for a job.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use matrixos_supervisor::containers::{KEPT_AT_MOST, WantError};
use matrixos_supervisor::store::StoreError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;
use super::evidence::{Inside, Sent};
use crate::platform::Platform;

/// The last second that means something: the end of the year 9999.
const LATEST: u64 = 253_402_300_799;

#[derive(Deserialize)]
pub(super) struct Lease {
    seconds: u64,
    because: String,
}

/// "Stay awake for so long, because …", said by a program in the computer. Its owner sees it and can end it.
pub(super) async fn keep(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    Sent(lease): Sent<Lease>,
) -> Result<Json<Value>, Refusal> {
    let most = KEPT_AT_MOST.as_secs();
    if !(1..=most).contains(&lease.seconds) {
        return Err(Refusal::invalid(format!(
            "seconds: a computer can be kept awake for 1 to {most} seconds at a time"
        )));
    }
    if lease.because.trim().is_empty() {
        return Err(Refusal::invalid("because: say in a few words why, for the owner of the computer"));
    }
    let time = Duration::from_secs(lease.seconds);
    let kept = platform.containers.lease(&resident, Some(time), &lease.because).await?;
    Ok(Json(json!({ "awake": kept })))
}

/// The reason to stay awake is gone.
pub(super) async fn let_go(State(platform): State<Platform>, Inside(resident): Inside) -> Result<StatusCode, Refusal> {
    platform.containers.lease(&resident, None, "").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct Due {
    at: Option<u64>,
}

/// When the computer has to be awake next. It is woken then, unless its operator has stopped it.
pub(super) async fn due(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    Sent(due): Sent<Due>,
) -> Result<StatusCode, Refusal> {
    if due.at.is_some_and(|at| at > LATEST) {
        return Err(Refusal::invalid("at: give seconds since 1970, before the year 10000, or null"));
    }
    platform.containers.due(&resident, due.at).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<WantError> for Refusal {
    fn from(error: WantError) -> Self {
        match error {
            WantError::Unknown => Self::stranger(),
            WantError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Low { .. } | StoreError::Full => {
                tracing::error!(cause = %error, "refused for lack of room");
                let message = "This platform has no room for more at the moment; its operator has been told.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded_error", message).retry_after(300)
            }
            other => Self::internal(other),
        }
    }
}
