//! The operator's hand on AI calls: key, prices, budgets, and what is counted.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use matrixos_supervisor::meter::Prices;
use matrixos_supervisor::relay::{Circuit, ProviderKey};
use matrixos_types::Nanos;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Operator, user};
use crate::body::Body;
use crate::error::ApiError;
use crate::platform::Platform;
use crate::usage::standing;

/// How AI calls stand, for the operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ai {
    /// Where calls go.
    pub provider: String,
    /// Whether the platform has a key.
    pub key: bool,
    /// Whether calls go through at the moment.
    pub circuit: Circuit,
    /// Models that have a price.
    pub models: Vec<String>,
}

/// A key or prices, to be used from now on. What is left out stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NewAi {
    /// The key; never logged.
    pub key: Option<String>,
    /// The table of prices.
    pub prices: Option<String>,
}

/// What an account may spend in all.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Quota {
    /// `None` is what everybody may.
    pub nanos: Option<Nanos>,
}

pub(super) fn router() -> Router<Operator> {
    Router::new()
        .route("/ai", get(status).put(renew))
        .route("/ai/accounts/{handle}", get(account))
        .route("/ai/accounts/{handle}/quota", put(set_quota))
        .route("/metrics", get(metrics))
}

async fn status(State(platform): State<Platform>) -> Json<Ai> {
    let provider = platform.relay.provider();
    Json(Ai {
        provider: provider.base(),
        key: provider.has_key(),
        circuit: provider.circuit(),
        models: platform.relay.meter().models(),
    })
}

/// Both or none.
async fn renew(State(platform): State<Platform>, Body(new): Body<NewAi>) -> Result<StatusCode, ApiError> {
    let bad = |why: String| ApiError::new(StatusCode::BAD_REQUEST, "bad_request", why);
    let key = new.key.as_deref().map(ProviderKey::parse).transpose().map_err(|error| bad(error.to_string()))?;
    let prices = new.prices.as_deref().map(Prices::parse).transpose().map_err(|error| bad(error.to_string()))?;
    if let Some(key) = key {
        platform.relay.provider().set_key(Some(key));
    }
    if let Some(prices) = prices {
        platform.relay.meter().set_prices(prices);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn account(State(platform): State<Platform>, Path(handle): Path<String>) -> Result<Json<Value>, ApiError> {
    let user = user(&platform, &handle)?;
    platform.relay.meter().catch_up(user.id).await?;
    Ok(Json(standing(&platform.relay.meter().standing(user.id)?)))
}

async fn set_quota(
    State(platform): State<Platform>,
    Path(handle): Path<String>,
    Body(quota): Body<Quota>,
) -> Result<Json<Value>, ApiError> {
    let user = user(&platform, &handle)?;
    Ok(Json(standing(&platform.relay.meter().set_quota(user.id, quota.nanos).await?)))
}

/// What is counted, as text for Prometheus.
pub(crate) async fn metrics(State(platform): State<Platform>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], platform.relay.metrics().text()).into_response()
}
