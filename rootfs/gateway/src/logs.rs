//! One line for each turn of the AI, in `system/logs/{day}.jsonl`; what it took, summed up.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};

use axum::Json;
use axum::extract::{Query, State};
use cap_std::fs::{Dir, OpenOptions};
use matrixos_types::kernel::{Budget, TokenUsage, TurnLog};
use serde::{Deserialize, Serialize};

use crate::config::open_file;
use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;
use crate::time;

const FOLDER: &str = "system/logs";
/// Days that are kept.
const DAYS: usize = 90;
/// Most bytes of one day that are read.
const DAY: u64 = 8 << 20;

pub(crate) fn add(home: &Dir, entry: &TurnLog) -> io::Result<()> {
    home.create_dir_all(FOLDER)?;
    let name = format!("{FOLDER}/{}.jsonl", time::day(entry.at));
    let new = !home.exists(&name);
    let mut file = home.open_with(&name, OpenOptions::new().create(true).append(true))?;
    file.write_all(format!("{}\n", serde_json::to_string(entry)?).as_bytes())?;
    if new {
        forget(home)?;
    }
    Ok(())
}

fn days(home: &Dir) -> io::Result<Vec<String>> {
    if !home.exists(FOLDER) {
        return Ok(Vec::new());
    }
    let names = home.read_dir(FOLDER)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut days: Vec<String> = names.filter(|name| name.len() == 16 && name.ends_with(".jsonl")).collect();
    days.sort_by(|a, b| b.cmp(a));
    Ok(days)
}

fn forget(home: &Dir) -> io::Result<()> {
    days(home)?.iter().skip(DAYS).try_for_each(|day| home.remove_file(format!("{FOLDER}/{day}")))
}

/// The entries of a day, oldest first.
fn read(home: &Dir, day: &str) -> io::Result<Vec<TurnLog>> {
    let file = match open_file(home, &format!("{FOLDER}/{day}")) {
        // A pipe or a folder of that name holds no turns.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?.take(DAY),
    };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    Ok(lines.filter_map(|line| serde_json::from_str(&line).ok()).collect())
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    limit: Option<usize>,
}

/// `GET /api/logs?limit=`: the newest turns first.
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<TurnLog>>, Failure> {
    let most = asked.limit.unwrap_or(100).clamp(1, 1_000);
    blocking(gateway, move |home| {
        let mut found = Vec::new();
        for day in days(home)? {
            found.extend(read(home, &day)?.into_iter().rev());
            if found.len() >= most {
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    })
    .await
    .map(Json)
}

/// `GET /api/usage`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    budget: Option<Budget>,
    /// The last thirty days with turns, the newest first.
    days: Vec<DayUsage>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct DayUsage {
    day: String,
    turns: usize,
    usage: TokenUsage,
    cost_nanos: u64,
    models: BTreeMap<String, usize>,
}

impl DayUsage {
    fn add(&mut self, entry: TurnLog) {
        self.turns += 1;
        self.usage.input += entry.usage.input;
        self.usage.output += entry.usage.output;
        self.usage.cache_read += entry.usage.cache_read;
        self.usage.cache_write += entry.usage.cache_write;
        self.cost_nanos += entry.cost_nanos.unwrap_or_default();
        *self.models.entry(entry.model).or_default() += 1;
    }
}

pub(crate) async fn usage(State(gateway): State<Gateway>) -> Result<Json<Usage>, Failure> {
    let budget = gateway.platform.budget().await;
    let days = blocking(gateway, |home| {
        let sum = |name: String| -> io::Result<DayUsage> {
            let mut day = DayUsage { day: name[..10].to_owned(), ..DayUsage::default() };
            read(home, &name)?.into_iter().for_each(|entry| day.add(entry));
            Ok(day)
        };
        days(home)?.into_iter().take(30).map(sum).collect()
    });
    Ok(Json(Usage { budget, days: days.await? }))
}
