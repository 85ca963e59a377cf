//! What apps keep: `data/{app}/{key}.json`. The desktop says which app it is, by the frame that asked.

use std::io;

use axum::Json;
use axum::extract::State;
use cap_std::fs::Dir;
use matrixos_types::apps::{BridgeAction, BridgeBody};
use serde_json::{Value, json};

use super::is_name;
use crate::config::{replace, small_file};
use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;

/// Values that one app keeps.
const KEYS: usize = 1_000;
/// Largest value, in bytes; what comes in is bounded by the largest JSON body.
const LARGEST: u64 = 1 << 20;

/// `POST /api/bridge/data`: `{value}`.
pub(crate) async fn data(State(gateway): State<Gateway>, Json(body): Json<BridgeBody>) -> Result<Json<Value>, Failure> {
    let key_ok = (1..=64).contains(&body.key.len())
        && body.key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_name(&body.app) || !key_ok {
        return Err(Failure::bad_request(
            "An app has a name like expense-tracker, a key 1 to 64 letters, digits, - or _.",
        ));
    }
    let value = blocking(gateway, move |home| exchange(home, body)).await?;
    Ok(Json(json!({ "value": value })))
}

fn exchange(home: &Dir, body: BridgeBody) -> io::Result<Value> {
    let folder = format!("data/{}", body.app);
    let name = format!("{folder}/{}.json", body.key);
    match body.action {
        // What was damaged by hand is as good as not there.
        BridgeAction::Read => {
            Ok(small_file(home, &name, LARGEST).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
        }
        BridgeAction::Write if body.value.is_null() => match home.remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Value::Null),
        },
        BridgeAction::Write => {
            home.create_dir_all(&folder)?;
            if !home.exists(&name) && home.read_dir(&folder)?.take(KEYS).count() >= KEYS {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
            replace(home, &name, serde_json::to_vec(&body.value)?).map(|()| body.value)
        }
    }
}
