//! The Messages API for computers: what passes to the provider of models, and what does not.

use axum::Json;
use axum::body::{self, Body};
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use matrixos_supervisor::containers::Resident;
use matrixos_supervisor::relay::{Incoming, RelayError};
use serde_json::{Value, json};

use super::error::Refusal;
use super::evidence::Inside;
use crate::platform::Platform;

/// Largest body of a call, in bytes: the provider's own limit.
const BODY: usize = 32 << 20;
/// Fields that mean something to the provider, beside those that begin with `anthropic-`.
const PASSED: &[HeaderName] = &[header::ACCEPT, header::CONTENT_TYPE, header::USER_AGENT];

/// `POST /v1/messages`.
pub(super) async fn create(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refusal> {
    let call = incoming(&platform, resident, query, request).await?;
    let answered = platform.relay.messages(call).await?;
    Ok(answered.map(Body::new))
}

/// `POST /v1/messages/count_tokens`.
pub(super) async fn count_tokens(
    State(platform): State<Platform>,
    Inside(resident): Inside,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refusal> {
    let call = incoming(&platform, resident, query, request).await?;
    let answered = platform.relay.count_tokens(call).await?;
    Ok(answered.map(Body::new))
}
