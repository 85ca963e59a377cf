//! What happened to accounts: one's own for everybody, all for administrators.

use axum::Json;
use axum::extract::State;
use matrixos_supervisor::store::{By, Event};
use matrixos_types::Handle;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::{Administrator, SignedIn};
use crate::body::Asked;
use crate::error::ApiError;
use crate::platform::Platform;

/// Events in one answer.
const PAGE: usize = 50;

#[derive(Deserialize)]
pub(crate) struct Before {
    before: Option<u64>,
    handle: Option<String>,
}

pub(crate) async fn own(
    State(platform): State<Platform>,
    SignedIn(session): SignedIn,
    Asked(from): Asked<Before>,
) -> Result<Json<Value>, ApiError> {
    let events = platform.accounts.events(&session, from.before.unwrap_or(u64::MAX), PAGE)?;
    Ok(page(&events, events.iter().map(shown_to_its_owner).collect()))
}

pub(crate) async fn all(
    State(platform): State<Platform>,
    Administrator(grant): Administrator,
    Asked(from): Asked<Before>,
) -> Result<Json<Value>, ApiError> {
    let of = match &from.handle {
        Some(text) => {
            let handle = Handle::parse(text).map_err(|_| ApiError::not_found())?;
            Some(platform.accounts.find(&handle)?.ok_or_else(ApiError::not_found)?.id)
        }
        None => None,
    };
    let before = from.before.unwrap_or(u64::MAX);
    let events = platform.accounts.events_for_administrators(&grant, of, before, PAGE)?;
    let named: Result<Vec<Value>, ApiError> = events.iter().map(|event| named(&platform, event)).collect();
    Ok(page(&events, named?.into()))
}

fn page(events: &[Event], shown: Value) -> Json<Value> {
    let next = events.last().filter(|_| events.len() == PAGE).map(|event| event.number);
    Json(json!({ "events": shown, "next": next }))
}

fn shown(event: &Event) -> Value {
    json!({
        "number": event.number,
        "at": event.at,
        "what": event.what,
        "detail": event.detail,
        "address": event.caller.address,
        "browser": event.caller.browser,
        "by": event.by,
    })
}

/// Administrators act under their names; where they sit is nothing to those they act on.
fn shown_to_its_owner(event: &Event) -> Value {
    let mut shown = shown(event);
    if event.by == By::Administrator {
        shown["address"] = Value::Null;
        shown["browser"] = Value::Null;
    }
    shown
}

/// With the handle of the account.
pub(crate) fn named(platform: &Platform, event: &Event) -> Result<Value, ApiError> {
    let mut shown = shown(event);
    shown["handle"] = json!(platform.accounts.handle_of(event.user)?);
    Ok(shown)
}
