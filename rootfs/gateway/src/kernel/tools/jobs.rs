//! Jobs, as the AI makes them for its owner.

use matrixos_types::jobs::{JobBody, Schedule};
use serde_json::Value;

use super::{Done, given};
use crate::cron;
use crate::kernel::on_disk;
use crate::state::Gateway;

pub(super) async fn add(gateway: &Gateway, input: &Value) -> Done {
    let given_ones = ["every_minutes", "cron", "at"].iter().filter(|name| !input[**name].is_null()).count();
    if given_ones != 1 {
        return Err("Give exactly one of every_minutes, cron and at.".to_owned());
    }
    let (name, message) = (given(input, "name")?.to_owned(), given(input, "message")?.to_owned());
    let schedule = if let Some(minutes) = input["every_minutes"].as_u64() {
        Schedule::Interval { every: minutes.saturating_mul(60) }
    } else if let Some(expression) = input["cron"].as_str() {
        Schedule::Cron { expression: expression.to_owned() }
    } else {
        let at = given(input, "at")?.to_owned();
        on_disk(gateway, move |home| Ok(cron::once(home, &at))).await.map_err(|error| error.to_string())??
    };
    let added = cron::add(gateway, JobBody { name, message, schedule, target: None }).await;
    let job = added.map_err(|error| error.to_string())??;
    Ok(format!("The job {} runs next at {} (seconds since 1970).", job.id, job.next_run.unwrap_or_default()))
}

pub(super) async fn list(gateway: &Gateway) -> Done {
    let jobs = cron::all(gateway).await.map_err(|error| error.to_string())?;
    let lines: Result<Vec<String>, _> = jobs.iter().map(serde_json::to_string).collect();
    let lines = lines.map_err(|error| error.to_string())?;
    Ok(if lines.is_empty() { "There are no jobs.".to_owned() } else { lines.join("\n") })
}

pub(super) async fn remove(gateway: &Gateway, input: &Value) -> Done {
    let id = given(input, "id")?.to_owned();
    match cron::remove(gateway, id).await {
        Ok(true) => Ok("The job is removed.".to_owned()),
        Ok(false) => Err("There is no job of that id. Look with list_schedule.".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
