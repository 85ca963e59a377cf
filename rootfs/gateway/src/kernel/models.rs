//! `GET /api/models`: what the AI of this computer can be, as whoever answers its calls tells it. Kept for a while, so that
//! an open form asks nobody twice.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use super::error::TurnError;
use crate::state::Gateway;

/// How long a list is good for.
const FRESH: Duration = Duration::from_secs(600);
/// Models that are listed, and letters of a name.
const MOST: usize = 100;
const NAME: usize = 100;

/// One model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Model {
    /// What a call says.
    id: String,
    /// What people read.
    name: String,
}

/// The answer. It is never an error: the settings can be used without a list.
#[derive(Serialize)]
pub(crate) struct Models {
    models: Vec<Model>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// The list, and when it came.
#[derive(Default)]
pub(super) struct Known(Mutex<Option<(Instant, Vec<Model>)>>);

impl Known {
    fn get(&self) -> Option<Vec<Model>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(since, _)| since.elapsed() < FRESH).map(|(_, models)| models.clone())
    }

    fn set(&self, models: &[Model]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), models.to_vec()));
    }
}

pub(crate) async fn models(State(gateway): State<Gateway>) -> Json<Models> {
    let (models, why) = match listed(&gateway).await {
        Ok(models) => (models, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Json(Models { models, why })
}

async fn listed(gateway: &Gateway) -> Result<Vec<Model>, TurnError> {
    let known = &gateway.kernel.known_models;
    if let Some(models) = known.get() {
        return Ok(models);
    }
    let client = gateway.kernel.client.as_ref().ok_or_else(TurnError::without_key)?;
    let models = read(&client.models().await?);
    if models.is_empty() {
        return Err(TurnError::Upstream("it names no models".to_owned()));
    }
    known.set(&models);
    Ok(models)
}

/// The entries that make sense, in their order.
fn read(list: &Value) -> Vec<Model> {
    let entries = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(one).take(MOST).collect()
}

fn one(entry: &Value) -> Option<Model> {
    let id =
        entry["id"].as_str().filter(|id| (1..=NAME).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))?;
    let name: String =
        entry["display_name"].as_str().unwrap_or(id).chars().filter(|c| !c.is_control()).take(NAME).collect();
    Some(Model { id: id.to_owned(), name: if name.trim().is_empty() { id.to_owned() } else { name } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_a_list_only_what_can_be_a_model_is_taken() {
        let list = json!({ "data": [
            { "id": "small-1", "display_name": "Small\u{7} 1" }, { "id": "large-1" }, { "id": "two words" },
            { "id": "" }, { "id": 7 }, { "id": "named-1", "display_name": " " }, "x",
        ] });
        let found: Vec<_> = read(&list).into_iter().map(|Model { id, name }| (id, name)).collect();
        let pair = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        assert_eq!(found, [pair("small-1", "Small 1"), pair("large-1", "large-1"), pair("named-1", "named-1")]);
        assert!(read(&json!([])).is_empty());
    }
}
