//! The Messages API for computers: what passes to the provider of models, and how what does not pass is told.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use matrixos_supervisor::containers::Resident;
use matrixos_supervisor::meter::Refused;
use matrixos_supervisor::relay::{Caller, NoAnswer, RelayError, Sent};
use serde_json::{Value, json};

use super::error::Refusal;
use super::evidence::Inside;
use super::whole::whole;
use crate::platform::Platform;

/// Fields that mean something to the provider, beside those that begin with `anthropic-`.
const PASSED: &[HeaderName] = &[header::ACCEPT, header::CONTENT_TYPE, header::USER_AGENT];
/// "Overloaded" in the Messages API.
const OVERLOADED: u16 = 529;

/// `POST /v1/messages`.
pub(super) async fn create(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refusal> {
    let caller = caller(&platform, &resident)?;
    let sent = sent(&platform, &caller, query, request).await?;
    let answer = platform.relay.messages(caller, sent).await.map_err(Refusal::from)?;
    Ok(answer.map(Body::new))
}

/// `POST /v1/messages/count_tokens`.
pub(super) async fn count_tokens(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refusal> {
    let caller = caller(&platform, &resident)?;
    let sent = sent(&platform, &caller, query, request).await?;
    let answer = platform.relay.count_tokens(caller, sent).await.map_err(Refusal::from)?;
    Ok(answer.map(Body::new))
}

/// `GET /v1/models`: those that have a price.
pub(super) async fn models(State(platform): State<Platform>, Inside(_): Inside) -> Json<Value> {
    let models = platform.relay.meter().models();
    let entry = |name: &String| json!({ "type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z" });
    let data: Vec<Value> = models.iter().map(entry).collect();
    Json(json!({ "data": data, "has_more": false, "first_id": models.first(), "last_id": models.last() }))
}

fn caller(platform: &Platform, resident: &Resident) -> Result<Caller, Refusal> {
    Ok(Caller {
        user: resident.owner(),
        container: resident.computer().container.clone(),
        own_key: platform.accounts.own_key(resident.owner())?,
        busy: platform.containers.busy(resident),
    })
}

async fn sent(platform: &Platform, caller: &Caller, query: Option<String>, request: Request) -> Result<Sent, Refusal> {
    let (parts, body) = request.into_parts();
    let mut room = platform.relay.room(caller.user);
    let body = whole(body, platform.relay.patience().body, &mut room).await?;
    Ok(Sent { query, headers: passed(&parts.headers), body, room })
}

fn passed(headers: &HeaderMap) -> HeaderMap {
    let wanted = |name: &HeaderName| PASSED.contains(name) || name.as_str().starts_with("anthropic-");
    headers.iter().filter(|(name, _)| wanted(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl From<RelayError> for Refusal {
    fn from(error: RelayError) -> Self {
        let message = error.to_string();
        let with = |status, kind| Self::new(status, kind, message.clone());
        match error {
            RelayError::Bad(_) => Self::invalid(message),
            RelayError::Refused(refused) => Self::of_refused(refused, message),
            RelayError::NoAnswer(NoAnswer::Broken { retry_after }) => {
                overloaded(message).retry_after(retry_after.as_secs().max(1))
            }
            RelayError::NoAnswer(NoAnswer::Late) => with(StatusCode::GATEWAY_TIMEOUT, "timeout_error"),
            RelayError::NoAnswer(error) => {
                tracing::warn!(%error, "an AI call has no answer");
                Self::new(StatusCode::BAD_GATEWAY, "api_error", "The provider of models could not be reached.")
            }
            RelayError::Provider { status, body, .. } if body.is_empty() => {
                let message = format!("The provider of models answered {}.", status.as_u16());
                Self::new(status, "api_error", message)
            }
            RelayError::Provider { status, headers, body } => Self::passed_on((status, *headers, body).into_response()),
            RelayError::NoKey | RelayError::KeyRefused => {
                with(StatusCode::SERVICE_UNAVAILABLE, "api_error").not_to_be_repeated()
            }
            RelayError::Crowded { retry_after } => overloaded(message).retry_after(retry_after.as_secs().max(1)),
            RelayError::Lost => overloaded(message).retry_after(2),
        }
    }
}

impl Refusal {
    fn of_refused(refused: Refused, message: String) -> Self {
        match refused {
            Refused::UnknownModel { .. } => Self::new(StatusCode::NOT_FOUND, "not_found_error", message),
            Refused::Unpriced(_) => Self::invalid(message),
            Refused::OutOfBudget { .. } => {
                Self::new(StatusCode::PAYMENT_REQUIRED, "billing_error", message).not_to_be_repeated()
            }
            Refused::TooMany { retry_after, .. } => {
                let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message);
                refusal.retry_after(retry_after.as_secs().max(1))
            }
            Refused::Store(error) => error.into(),
        }
    }
}

fn overloaded(message: String) -> Refusal {
    let status = StatusCode::from_u16(OVERLOADED).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    Refusal::new(status, "overloaded_error", message)
}
