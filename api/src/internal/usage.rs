//! How the computer's budget stands: asked before every turn of its AI.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::error::Refusal;
use super::evidence::Inside;
use crate::platform::Platform;
use crate::usage::standing;

pub(super) async fn usage(State(platform): State<Platform>, Inside(resident): Inside) -> Result<Json<Value>, Refusal> {
    let meter = platform.relay.meter();
    meter.catch_up(resident.owner()).await?;
    let mut answer = standing(&meter.standing(resident.owner())?);
    answer["own_key"] = json!(platform.accounts.own_key_since(resident.owner())?.is_some());
    answer["ready"] = json!(answer["own_key"] == true || platform.relay.provider().has_key());
    Ok(Json(answer))
}
