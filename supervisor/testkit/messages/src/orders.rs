//! What tests in other programs say to the server, over `/_...`.

use hyper::Method;
use serde_json::{Value, json};

use crate::script::Script;
use crate::server::State;
use crate::turns::Turn;
use crate::way::BadScript;

/// Obeys one order, or says what is wrong with it.
pub(crate) fn obey(state: &State, method: &Method, path: &str, body: &[u8]) -> Result<Value, String> {
    match (method.as_str(), path) {
        ("GET", "/_requests") => Ok(json!(state.calls.all())),
        ("DELETE", "/_requests") => {
            state.calls.forget();
            Ok(Value::Null)
        }
        ("GET", "/_state") => Ok(standing(state)),
        ("POST", "/_release") => {
            state.gate.release();
            Ok(Value::Null)
        }
        ("POST", "/_script") => told(state, body).map(|()| Value::Null),
        _ => Err("there are: GET and DELETE /_requests, GET /_state, POST /_release, POST /_script".to_owned()),
    }
}

fn standing(state: &State) -> Value {
    let (in_flight, most_at_once) = state.calls.in_flight();
    let plan = state.plan();
    json!({"in_flight": in_flight, "most_at_once": most_at_once, "queued": plan.queue.len(),
        "turns_left": plan.turns.left(), "results": plan.turns.results, "failures": plan.turns.failures})
}

/// `{"script": "text pace=5ms"}`, `{"status": 529, "body": {...}}`, `{"events": "..."}` or `{"turns": [...]}`; with
/// `"model"`, it is the answer for that model from now on.
fn told(state: &State, body: &[u8]) -> Result<(), String> {
    let order: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(turns) = order["turns"].as_array() {
        let turns = turns.iter().map(Turn::from_json).collect::<Result<Vec<_>, _>>();
        state.plan().turns.add(turns.map_err(|bad| bad.to_string())?);
        return Ok(());
    }
    let script = script(&order).map_err(|bad| bad.to_string())?;
    let mut plan = state.plan();
    match order["model"].as_str() {
        Some(model) => drop(plan.by_model.insert(model.to_owned(), script)),
        None => plan.queue.push_back(script),
    }
    Ok(())
}

fn script(order: &Value) -> Result<Script, BadScript> {
    if let Some(call) = order["script"].as_str() {
        return Script::called(call);
    }
    if let Some(events) = order["events"].as_str() {
        return Ok(Script::events(events));
    }
    match order["status"].as_u64().and_then(|status| u16::try_from(status).ok()) {
        Some(status) => Ok(Script::document(status, order["body"].to_string())),
        None => Err(BadScript::Form("it needs script, events, status and body, or turns".to_owned())),
    }
}
